/* SPDX-License-Identifier: MIT */
/* call.h - one intercepted call in flight: ask, carry out, report.
 * Every wrapper has one shape:
 *
 *	if (!call_begin(&call, OP_X, fd))   nobody watches: the call alone
 *		return real.x(fd);
 *	... what the op needs from the arguments ...
 *	return call_end(&call, call_may_go(&call) ? real.x(fd) : -1);
 *
 * Nothing is held while the real call runs: it may block for hours, be
 * cancelled, or be interrupted by a handler that makes calls of its own.
 * Signal-safe. Only call_end() writes errno. */
#ifndef PRELOAD_CALL_H
#define PRELOAD_CALL_H

#include <sys/socket.h>

#include "preload/process.h"
#include "sys/clock.h"
#include "sys/real.h"

struct call {
	struct op op;
	struct sock before; /* what was known of op.fd; word 0: nothing */
	struct verdict verdict;
	struct outcome outcome;
	char path[UNIX_PATH_MAX + 1]; /* unix sockets */
};

/* Begin a call that makes something of nothing. Returns false if nobody watches. */
bool call_begin(struct call *call, enum op_kind kind);

/* Begin a call on an fd; a socket that we do not know yet is adopted. */
bool call_begin_on(struct call *call, enum op_kind kind, int fd);

/* Is the fd a socket that we know? */
static inline bool call_knows(int fd)
{
	return sockets_knows(&process.engine.sockets, fd);
}

/* Begin a call that ends an fd. Returns false also if it is no socket that we
 * know. Otherwise the entry is gone: another thread may get the number at once. */
bool call_begin_close_known(struct call *call, int fd);
static inline bool call_begin_close(struct call *call, int fd)
{
	return UNLIKELY(call_knows(fd)) && call_begin_close_known(call, fd);
}

/* If the fd stands in the table, it was closed in a way that we did not see. */
void call_missed_close(int fd);

/* Ask the engine. Returns false if the call is not to be made. */
static inline bool call_may_go(struct call *call)
{
	call->verdict = engine_before(&process.engine, &call->op);
	return LIKELY(call->verdict.error == 0);
}

/* Note the remote (connect) or local (bind) address that the call was given,
 * once the kernel has read it: it may be bad, and the kernel says so best. */
void call_note_remote(struct call *call, int ret, const struct sockaddr *addr, socklen_t len);
void call_note_local(struct call *call, int ret, const struct sockaddr *addr, socklen_t len);

/* Report how it ended. Returns ret, and puts errno where the program finds it. */
long call_end(struct call *call, long ret);


/* Is the socket's record complete, so that packets on it tell nothing new? */
static inline bool call_is_settled(int fd)
{
	const struct sock *sock = sockets_at(&process.engine.sockets, fd);
	const uint32_t ends = SOCKET_LOCAL | SOCKET_REMOTE;

	return sock && ((sock_bits(sock) & ends) == ends || sock_family(sock) == FAMILY_UNIX);
}

#endif
