/* SPDX-License-Identifier: MIT */
/* glance.h - most calls are to IPv4 addresses of which no rule speaks: a look into the index
 * says so. The others are looked at closely, by carry(). */
#ifndef PRELOAD_GLANCE_H
#define PRELOAD_GLANCE_H

#include "preload/carry.h"

/* The same as carry() with the kind of call. aim->addr may be the copy afterwards. */
bool glance_bind(struct call *call, struct aim *aim);
bool glance_connect(struct call *call, struct aim *aim);
bool glance_send(struct call *call, struct aim *aim);

/* Does certainly no fault or limit speak of the call? Then policy alone is to be asked. aim as
 * before, or NULL: packets on a connected socket. */
bool glance_faults(const struct call *call, enum op_kind kind, struct aim *aim);

/* Does certainly no rule turn the connection away that an accept has taken? */
bool glance_accept(const struct call *call);

#endif
