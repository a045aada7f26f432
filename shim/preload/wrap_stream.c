/* SPDX-License-Identifier: MIT */
/* wrap_stream.c - bytes on sockets, which tell nothing new and are looked at for faults
 * only: most are a look at one word, and a jump. */
#include <errno.h>

#include "preload/call.h"
#include "preload/refused.h"

/* Is it a socket of whose bytes a fault speaks? The first three may be one that a service was
 * started with. */
static inline bool is_ruled(int fd, enum op_kind kind)
{
	return UNLIKELY(call_is_limited(kind)) && (call_knows(fd) || fd <= STDERR_FILENO);
}

/* Begin it; flags: those of the call, MSG_DONTWAIT counts. */
static inline bool begin(struct call *call, enum op_kind kind, int fd, int flags)
{
	call->op.arg = flags;
	return call_begin_on(call, kind, fd);
}

/* Only what a rule has touched is told. */
static ssize_t end(struct call *call, ssize_t ret)
{
	return call->verdict.kind == VERDICT_PASSED
	               ? ret
	               : call_end(call, ret <= INT32_MAX ? ret : INT32_MAX);
}

/* ---- receiving ---- */

static __attribute__((noinline)) ssize_t recv_by_rules(int fd, void *buf, size_t size, int flags)
{
	struct call call;

	if (!begin(&call, OP_RECV, fd, flags))
		return refused_told(fd, real.recv(fd, buf, size, flags));
	return end(&call, call_may_go_on(&call, OP_RECV)
	                          ? refused_told(fd, real.recv(fd, buf, size, flags))
	                          : -1);
}

static __attribute__((noinline)) ssize_t recv_told(int fd, void *buf, size_t size, int flags)
{
	return refused_told(fd, real.recv(fd, buf, size, flags));
}

EXPORT ssize_t recv(int fd, void *buf, size_t size, int flags)
{
	if (UNLIKELY(call_is_limited(OP_RECV)))
		return recv_by_rules(fd, buf, size, flags);
	if (UNLIKELY(refused_is_any()))
		return recv_told(fd, buf, size, flags);
	return real.recv(fd, buf, size, flags);
}

/* A fortified recv: where size exceeds room, libc's own ends the program. */
EXPORT ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room, int flags)
{
	if (size > room)
		return real.__recv_chk(fd, buf, size, room, flags);
	return recv(fd, buf, size, flags);
}

static __attribute__((noinline)) ssize_t read_by_rules(int fd, void *buf, size_t size)
{
	struct call call;

	if (!begin(&call, OP_RECV, fd, 0))
		return refused_told(fd, real.read(fd, buf, size));
	return end(&call, call_may_go_on(&call, OP_RECV)
	                          ? refused_told(fd, real.read(fd, buf, size))
	                          : -1);
}

static __attribute__((noinline)) ssize_t read_told(int fd, void *buf, size_t size)
{
	return refused_told(fd, real.read(fd, buf, size));
}

EXPORT ssize_t read(int fd, void *buf, size_t size)
{
	if (is_ruled(fd, OP_RECV) && size > 0) /* nothing of nothing never fails */
		return read_by_rules(fd, buf, size);
	if (UNLIKELY(refused_is_any()))
		return read_told(fd, buf, size);
	return real.read(fd, buf, size);
}

EXPORT ssize_t __read_chk(int fd, void *buf, size_t size, size_t room)
{
	if (size > room)
		return real.__read_chk(fd, buf, size, room);
	return read(fd, buf, size);
}

EXPORT ssize_t readv(int fd, const struct iovec *parts, int count)
{
	struct call call;

	if (!is_ruled(fd, OP_RECV) || !begin(&call, OP_RECV, fd, 0))
		return refused_told(fd, real.readv(fd, parts, count));
	return end(&call, call_may_go_on(&call, OP_RECV)
	                          ? refused_told(fd, real.readv(fd, parts, count))
	                          : -1);
}

/* ---- sending ---- */

static __attribute__((noinline)) ssize_t write_by_rules(int fd, const void *buf, size_t size)
{
	struct call call;

	if (!begin(&call, OP_SEND, fd, 0))
		return refused_told(fd, real.write(fd, buf, size));
	return end(&call, call_may_go_on(&call, OP_SEND)
	                          ? refused_told(fd, real.write(fd, buf, size))
	                          : -1);
}

static __attribute__((noinline)) ssize_t write_told(int fd, const void *buf, size_t size)
{
	return refused_told(fd, real.write(fd, buf, size));
}

EXPORT ssize_t write(int fd, const void *buf, size_t size)
{
	if (is_ruled(fd, OP_SEND))
		return write_by_rules(fd, buf, size);
	if (UNLIKELY(refused_is_any()))
		return write_told(fd, buf, size);
	return real.write(fd, buf, size);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	struct call call;

	if (!is_ruled(fd, OP_SEND) || !begin(&call, OP_SEND, fd, 0))
		return refused_told(fd, real.writev(fd, parts, count));
	return end(&call, call_may_go_on(&call, OP_SEND)
	                          ? refused_told(fd, real.writev(fd, parts, count))
	                          : -1);
}

EXPORT ssize_t sendfile(int to, int from, off_t *at, size_t count)
{
	struct call call;

	if (!is_ruled(to, OP_SEND) || !begin(&call, OP_SEND, to, 0))
		return refused_told(to, real.sendfile(to, from, at, count));
	return end(&call, call_may_go_on(&call, OP_SEND)
	                          ? refused_told(to, real.sendfile(to, from, at, count))
	                          : -1);
}
