/* SPDX-License-Identifier: MIT */
/* delay.c - see delay.h.
 *
 * The sleep is no cancellation point: a thread that is cancelled in it ends when the real call
 * is made, or, where none is, at the next one. Once sandboxed nothing is delayed: the filter
 * may not know what would be slept with. */
#include "preload/delay.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "preload/hold.h"
#include "sys/clock.h"
#include "sys/raw.h"

enum { SECOND = 1000000000 };

/* ---- signals ---- */

/* As rt_sigaction(2) has it. */
struct disposition {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};

/* A handler has run; of which signal, nobody tells. A call is made again by the kernel if all
 * handlers are to have it so; the two of libc's own do not count. */
static bool is_restarted(void)
{
	enum { SIGNALS = 64, LIBC_FIRST = 32, LIBC_LAST = 33 };
	struct disposition now;

	for (int number = 1; number <= SIGNALS; number++) {
		if ((number >= LIBC_FIRST && number <= LIBC_LAST) ||
		    raw4(SYS_rt_sigaction, number, NULL, &now, sizeof(now.mask)) != 0)
			continue;
		if (now.handler != (uintptr_t)SIG_DFL && now.handler != (uintptr_t)SIG_IGN &&
		    !(now.flags & SA_RESTART))
			return false;
	}
	return true;
}

/* Returns 0 at that time, or -EINTR. */
static long sleep_until(uint64_t moment)
{
	struct timespec at = {(time_t)(moment / SECOND), (long)(moment % SECOND)};

	return raw4(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void sleep_through(uint64_t moment)
{
	while (sleep_until(moment) == -EINTR)
		;
}

/* With a timeout of its own a socket's call is never made again, signal(7). */
static bool is_interrupted(uint64_t moment, bool has_timeout)
{
	while (sleep_until(moment) == -EINTR)
		if (has_timeout || !is_restarted())
			return true;
	return false;
}

/* ---- which calls wait ---- */

static bool may_wait(enum op_kind kind)
{
	return kind == OP_ACCEPT || kind == OP_RECV || kind == OP_SEND || kind == OP_CONNECT;
}

static enum hold_side side_of(enum op_kind kind)
{
	if (kind == OP_CONNECT)
		return HOLD_CONNECT;
	return kind == OP_SEND ? HOLD_OUT : HOLD_IN;
}

/* A connect of other sockets is made or fails at once: there is no "later". */
static bool is_non_blocking(const struct call *call, enum op_kind kind)
{
	if ((kind == OP_SEND || kind == OP_RECV) && call->op.arg & MSG_DONTWAIT)
		return true;
	if (kind == OP_CONNECT && sock_proto(&call->sock) != PROTO_TCP)
		return false;
	return raw2(SYS_fcntl, call->op.fd, F_GETFL) & O_NONBLOCK;
}

/* ---- the socket's own timeout ---- */

static int timeout_option(enum op_kind kind)
{
	return kind == OP_ACCEPT || kind == OP_RECV ? SO_RCVTIMEO : SO_SNDTIMEO;
}

/* 0: none. */
static uint64_t timeout_ns(const struct call *call, enum op_kind kind)
{
	struct timeval timeout = {0, 0};
	socklen_t len = sizeof(timeout);

	raw5(SYS_getsockopt, call->op.fd, SOL_SOCKET, timeout_option(kind), &timeout, &len);
	return (uint64_t)timeout.tv_sec * SECOND + (uint64_t)timeout.tv_usec * 1000;
}

/* When the wait ends: at its time, or when the socket's own is up. */
static uint64_t end_of_wait(uint64_t timeout, uint64_t until)
{
	uint64_t end = timeout ? clock_ns(CLOCK_MONOTONIC) + timeout : until;

	return end < until ? end : until;
}

/* ---- told to come later ---- */

static bool end_with(struct call *call, int error)
{
	call->verdict.kind = VERDICT_DELAYED;
	call->verdict.error = error;
	return false;
}

static struct hold_fate fate_of(const struct call *call)
{
	return (struct hold_fate){.error = (uint16_t)call->verdict.error,
	                          .rule = call->verdict.rule,
	                          .verdict = (uint8_t)call->verdict.kind};
}

/* Without a place to hold it the call is made at once. */
static bool put_off(struct call *call, enum op_kind kind, uint64_t until)
{
	if (!hold_begin(call->op.fd, side_of(kind), until, fate_of(call)))
		return true;
	return kind == OP_CONNECT || end_with(call, EAGAIN);
}

/* A connect that ends before its time is under way all the same: it is made without waiting,
 * and the news of it held back. delay_connected() ends the hurry. */
static _Thread_local struct hurry {
	int flags; /* of the file; it waits */
	int error; /* that the call ends with; 0: no hurry */
} hurry;

static bool start_connect(struct call *call, uint64_t until, int error)
{
	int fd = call->op.fd;

	if (!hold_begin(fd, HOLD_CONNECT, until, fate_of(call))) {
		sleep_through(until);
		return true;
	}
	hurry.flags = (int)raw2(SYS_fcntl, fd, F_GETFL);
	hurry.error = error;
	raw3(SYS_fcntl, fd, F_SETFL, hurry.flags | O_NONBLOCK);
	return true;
}

static bool wait_out(struct call *call, enum op_kind kind, uint64_t until)
{
	uint64_t timeout = timeout_ns(call, kind), end = end_of_wait(timeout, until);
	bool is_connect = kind == OP_CONNECT && sock_proto(&call->sock) == PROTO_TCP;
	int error = 0;

	if (is_interrupted(end, timeout))
		error = EINTR;
	else if (end < until)
		error = is_connect ? EINPROGRESS : EAGAIN;
	if (!error)
		return true;
	return is_connect ? start_connect(call, until, error) : end_with(call, error);
}

bool delay_call(struct call *call, enum op_kind kind, struct aim *aim)
{
	uint64_t until;

	(void)aim;
	if (process.is_sandboxed)
		return true;
	until = clock_ns(CLOCK_MONOTONIC) + call->verdict.delay_ns; /* perhaps a system call */
	if (!may_wait(kind))
		sleep_through(until);
	else if (is_non_blocking(call, kind))
		return put_off(call, kind, until);
	else
		return wait_out(call, kind, until);
	return true;
}

/* ---- and coming ---- */

enum delay_return delay_return(struct call *call, enum op_kind kind)
{
	struct hold_fate fate;
	uint64_t until;

	if (!hold_is_any() || !may_wait(kind) || kind == OP_CONNECT || process.is_sandboxed)
		return DELAY_NEW;
	hold_release();
	switch (hold_look(call->op.fd, side_of(kind), &until, &fate)) {
	case HOLD_NONE:
		return DELAY_NEW;
	case HOLD_WAITS:
		if (is_non_blocking(call, kind) ? end_with(call, EAGAIN)
		                                : wait_out(call, kind, until))
			break;
		call->verdict.rule = fate.rule;
		return DELAY_EARLY;
	case HOLD_OVER:
		break;
	}
	hold_end(call->op.fd, side_of(kind));
	if (fate.error) {
		call->verdict.kind = (enum verdict_kind)fate.verdict;
		call->verdict.error = fate.error;
		call->verdict.rule = fate.rule;
	}
	return DELAY_BACK;
}

bool delay_is_connecting(int fd)
{
	struct hold_fate fate;
	uint64_t until;

	if (process.is_sandboxed)
		return false;
	hold_release();
	return hold_look(fd, HOLD_CONNECT, &until, &fate) == HOLD_WAITS;
}

bool delay_connects_again(struct call *call)
{
	struct hold_fate fate;
	uint64_t until, timeout, end;

	if (hold_look(call->op.fd, HOLD_CONNECT, &until, &fate) != HOLD_WAITS)
		return true;
	call->verdict.error = EALREADY;
	if (is_non_blocking(call, OP_CONNECT))
		return false;
	timeout = timeout_ns(call, OP_CONNECT);
	end = end_of_wait(timeout, until);
	if (is_interrupted(end, timeout))
		call->verdict.error = EINTR;
	else if (end == until)
		call->verdict.error = 0;
	return !call->verdict.error;
}

/* The table knows it as one whose connect has said EINPROGRESS. */
static void note_under_way(const struct call *call)
{
	struct sock sock = call->sock;

	sock.remote = call->outcome.remote.ip;
	sock.remote_port = call->outcome.remote.port;
	sock.word |= SOCKET_PENDING | (call->outcome.has_remote ? SOCKET_REMOTE : 0);
	sockets_update(&process.engine.sockets, call->op.fd, &sock);
}

static void end_hurry(struct call *call, bool is_under_way)
{
	raw3(SYS_fcntl, call->op.fd, F_SETFL, hurry.flags);
	if (is_under_way) {
		if (hurry.error == EINTR)
			note_under_way(call);
		if (call->verdict.error)
			call->verdict.error = hurry.error;
		errno = hurry.error;
	}
	hurry.error = 0;
}

/* What is decided at once is not held back; what is dissolved, connect(2), not any more. */
long delay_connected(struct call *call, long ret)
{
	bool is_made = !call->verdict.error || call->verdict.error == EINPROGRESS;
	bool is_under_way = is_made && ret < 0 && errno == EINPROGRESS;

	if (process.is_sandboxed)
		return ret;
	if (!is_under_way)
		hold_end(call->op.fd, HOLD_CONNECT);
	if (hurry.error)
		end_hurry(call, is_under_way);
	return ret;
}
