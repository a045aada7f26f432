/* SPDX-License-Identifier: MIT */
/* limit.h - limits that are counted here, not by the kernel: sockets, connections. */
#ifndef PRELOAD_LIMIT_H
#define PRELOAD_LIMIT_H

#include "preload/carry.h"

/* May a call go that makes a socket or a connection? If not, verdict says why. */
bool limit_may_go(struct call *call, enum op_kind kind);

/* How many sockets the session has open. */
uint32_t limit_open_sockets(void);

#endif
