/* SPDX-License-Identifier: MIT */
/* call.h - one intercepted call in flight: ask, carry out, report.
 * Every wrapper has one shape:
 *
 *	if (!call_begin(&call, OP_X, fd))   nobody watches: the call alone
 *		return real.x(fd);
 *	... what the op needs from the arguments ...
 *	ret = call_may_go(&call, OP_X, &aim) ? real.x(fd) : call_answer(&call);
 *	return call_end(&call, ret);
 *
 * Nothing is held while the real call runs: it may block for hours, be
 * cancelled, or be interrupted by a handler that makes calls of its own.
 * Signal-safe. */
#ifndef PRELOAD_CALL_H
#define PRELOAD_CALL_H

#include <errno.h>
#include <sys/socket.h>

#include "preload/enforce.h"
#include "preload/glance.h"
#include "preload/record.h"
#include "sys/clock.h"
#include "sys/real.h"

HOT void call_start(struct call *call, enum op_kind kind, int fd)
{
	call->op.kind = kind;
	call->op.fd = fd;
	call->op.cloexec = false;
	call->verdict.kind = VERDICT_PASSED;
	call->verdict.error = 0;
	call->verdict.rule = 0;
	call->verdict.held = 0;
	call->verdict.place = 0;
	call->verdict.age = 0;
	call->outcome.text_len = 0;
	call->outcome.has_local = false;
	call->outcome.has_remote = false;
	call->op.start = clock_ticks();
}

/* Begin a call that makes something of nothing. Returns false if nobody watches. */
HOT bool call_begin(struct call *call, enum op_kind kind)
{
	if (!process_is_watching())
		return false;
	call_start(call, kind, -1);
	return true;
}

/* Begin a call on an fd; a socket that we do not know yet is adopted. */
bool call_begin_on(struct call *call, enum op_kind kind, int fd);

/* Is the fd a socket that we know? */
static inline bool call_knows(int fd)
{
	return sockets_knows(&process.engine.sockets, fd);
}

/* Begin a call that ends an fd. Returns false also if it is no socket that we
 * know. Otherwise the entry is gone: another thread may get the number at once. */
HOT bool call_begin_close(struct call *call, int fd)
{
	if (!call_knows(fd) || !process_is_watching())
		return false;
	call_start(call, OP_CLOSE, fd);
	return sockets_take(&process.engine.sockets, fd, &call->sock);
}

/* If the fd stands in the table, it was closed in a way that we did not see. */
void call_missed_close(int fd);

/* Could a rule touch calls of this kind? New rules count from here on. */
HOT bool call_is_ruled(enum op_kind kind)
{
	if (UNLIKELY(atomic_load_explicit(process.rules_page, memory_order_acquire) !=
	             process.rules_seen))
		enforce_renewed();
	return engine_is_ruled(&process.engine, kind);
}

/* The same of faults and limits. */
HOT bool call_is_limited(enum op_kind kind)
{
	if (UNLIKELY(atomic_load_explicit(process.rules_page, memory_order_acquire) !=
	             process.rules_seen))
		enforce_renewed();
	return engine_is_limited(&process.engine, kind);
}

/* Ask the engine, and prepare what it decided. Returns false if the call is not to be
 * made any more: call_answer() says how it ended. aim: the address it is given, or NULL. */
HOT bool call_may_go(struct call *call, enum op_kind kind, struct aim *aim)
{
	if (LIKELY(!call_is_ruled(kind)))
		return true;
	if (UNLIKELY(engine_is_limited(&process.engine, kind)) &&
	    !(aim && glance_faults(call, kind, aim))) {
		call->from = __builtin_return_address(0);
		return carry(call, kind, aim);
	}
	if (aim && kind == OP_BIND)
		return glance_bind(call, aim);
	if (aim && kind == OP_CONNECT)
		return glance_connect(call, aim);
	if (aim && kind == OP_SEND)
		return glance_send(call, aim);
	return carry(call, kind, aim);
}

static inline int call_answer(const struct call *call)
{
	return call->verdict.error ? -1 : 0;
}

/* Note the remote (connect) or local (bind) address that the call went to, once the
 * kernel has read it: it may be bad, and the kernel says so best. A unix socket's path
 * stays in aim. */
void call_note_remote(struct call *call, int ret, struct aim *aim);
void call_note_local(struct call *call, int ret, struct aim *aim);

/* The kernel gave out a number. Is it one that we know, or a higher one than any
 * before? */
void call_given_out_news(int fd);
HOT void call_given_out(int fd)
{
	if (UNLIKELY(call_knows(fd) || (uint32_t)fd >= process.self->fd_peak))
		call_given_out_news(fd);
}

/* The end of every call: when, and how. */
HOT void call_note_end(struct call *call, long ret)
{
	call->outcome.end = clock_ticks();
	call->outcome.result = (int)ret;
	if (UNLIKELY(ret < 0))
		call->outcome.result = call->verdict.error ? -call->verdict.error : -errno;
}

/* The only writer of errno. */
HOT long call_leave(const struct call *call, long ret)
{
	if (UNLIKELY(ret < 0))
		errno = -call->outcome.result;
	return ret;
}

HOT long call_end_as(enum op_kind kind, struct call *call, long ret)
{
	call_note_end(call, ret);
	record_as(kind, call);
	return call_leave(call, ret);
}

/* Report how it ended. Returns ret, and puts errno where the program finds it. */
long call_end(struct call *call, long ret);

/* The same for close. */
HOT long call_end_close(struct call *call, long ret)
{
	return call_end_as(OP_CLOSE, call, ret);
}

/* The same for a call that made a descriptor; for socket, and for the others. */
HOT long call_end_socket(struct call *call, long ret)
{
	if (LIKELY(ret >= 0))
		call_given_out((int)ret);
	return call_end_as(OP_SOCKET, call, ret);
}
long call_end_birth(struct call *call, long ret);

/* The same for a call after which the kernel may have an endpoint to tell. */
long call_end_connect(struct call *call, long ret);
long call_end_accept(struct call *call, long ret);
long call_end_named(struct call *call, long ret);

/* The same for a call whose end is told elsewhere: error is 0 or an errno. */
void call_end_known(struct call *call, int error);

/* close_range(2), by its name or by its number. */
int close_range_by(int (*call)(unsigned, unsigned, int), unsigned first, unsigned last, int flags);

/* Ask for the faults and limits of a call that names no address. */
HOT bool call_may_go_on(struct call *call, enum op_kind kind)
{
	if (LIKELY(!call_is_limited(kind)) || glance_faults(call, kind, NULL))
		return true;
	call->from = __builtin_return_address(0);
	return carry(call, kind, NULL);
}

/* Is the socket's record complete, so that packets on it tell nothing new? */
static inline bool call_is_settled(int fd)
{
	const struct sock *sock = sockets_at(&process.engine.sockets, fd);
	const uint32_t ends = SOCKET_LOCAL | SOCKET_REMOTE, family = 3 << SOCKET_FAMILY_SHIFT;
	uint64_t word = sock ? sockets_word(sock) : 0;

	return (word & (ends | SOCKET_MOVED_REMOTE)) == ends ||
	       (word & family) == FAMILY_UNIX << SOCKET_FAMILY_SHIFT;
}

/* Is there nothing to do for packets on it but to pass them on? */
static inline bool call_is_quiet(int fd, enum op_kind kind)
{
	return call_is_settled(fd) && LIKELY(!call_is_limited(kind));
}

#endif
