/* SPDX-License-Identifier: MIT */
/* carry.h - carries verdicts out.
 * Where a rule could touch a call, its address is copied once; the engine is asked, and
 * what it decides is prepared: an errno, another address, a port. The wrapper then makes
 * the call, or does not. */
#ifndef PRELOAD_CARRY_H
#define PRELOAD_CARRY_H

#include <sys/socket.h>

#include "preload/process.h"

/* The address that a call is given, as it goes to the kernel. */
struct aim {
	const struct sockaddr *addr; /* the program's own, or the copy */
	socklen_t len;
	char path[UNIX_PATH_MAX + 1];
	struct sockaddr_storage copy;
};

HOT void aim_take(struct aim *aim, const struct sockaddr *addr, socklen_t len)
{
	aim->addr = addr;
	aim->len = len;
}

/* See call_may_go(). */
bool carry(struct call *call, enum op_kind kind, struct aim *aim);

/* An accept has succeeded. Returns true if a rule turns the connection away: then it was
 * reset and closed, and recorded. With an error of its own the rule ends the call
 * (verdict.error); without, the next connection is to be taken. */
bool carry_away(struct call *call, int fd);

#endif
