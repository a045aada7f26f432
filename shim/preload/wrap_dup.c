/* SPDX-License-Identifier: MIT */
/* wrap_dup.c - every way to give a socket another number. */
#include <fcntl.h>
#include <stdarg.h>

#include "preload/adopt.h"
#include "preload/call.h"

/* A number was given out; of what it stood for we know nothing more. */
static int given_out(int fd)
{
	if (fd >= 0 && process_is_watching())
		call_missed_close(fd);
	return fd;
}

static bool begin_dup(struct call *call, int fd)
{
	if (!call_knows(fd) || !call_begin_on(call, OP_DUP, fd))
		return false;
	sockets_change(&process.engine.sockets, fd, sock_id(&call->sock), SOCKET_SHARED, 0);
	return true;
}

EXPORT int dup(int fd)
{
	struct call call;

	if (!begin_dup(&call, fd))
		return given_out(real.dup(fd));
	return (int)call_end_birth(&call, real.dup(fd));
}

/* The target of dup2 and dup3 is closed, if they succeed. */
static bool begin_victim(struct call *call, int fd, int to)
{
	return fd != to && call_begin_close(call, to);
}

static void end_victim(struct call *call, int ret)
{
	if (ret < 0) {
		sockets_stay(&process.engine.sockets, &call->sock);
		sockets_put(&process.engine.sockets, call->op.fd, &call->sock);
	} else {
		call_end(call, 0);
	}
}

EXPORT int dup2(int fd, int to)
{
	struct call call, victim;
	bool is_dup = fd != to && begin_dup(&call, fd);
	bool has_victim = begin_victim(&victim, fd, to);
	int ret = real.dup2(fd, to);

	if (has_victim)
		end_victim(&victim, ret);
	return is_dup ? (int)call_end_birth(&call, ret) : ret;
}

EXPORT int dup3(int fd, int to, int flags)
{
	struct call call, victim;
	bool is_dup = fd != to && begin_dup(&call, fd);
	bool has_victim = begin_victim(&victim, fd, to);
	int ret = real.dup3(fd, to, flags);

	if (has_victim)
		end_victim(&victim, ret);
	if (!is_dup)
		return ret;
	call.op.cloexec = flags & O_CLOEXEC;
	return (int)call_end_birth(&call, ret);
}

static void set_cloexec(int fd, bool is_on)
{
	struct sockets *sockets = &process.engine.sockets;

	if (call_knows(fd) && process_is_watching())
		sockets_change(sockets, fd, sockets_word(sockets_at(sockets, fd)) >> 32,
		               is_on ? SOCKET_CLOEXEC : 0, SOCKET_CLOEXEC);
}

EXPORT int fcntl(int fd, int command, ...)
{
	struct call call;
	va_list rest;
	long arg;
	int ret;

	va_start(rest, command);
	arg = va_arg(rest, long);
	va_end(rest);
	if (command != F_DUPFD && command != F_DUPFD_CLOEXEC) {
		ret = real.fcntl(fd, command, arg);
		if (ret == 0 && command == F_SETFD)
			set_cloexec(fd, arg & FD_CLOEXEC);
		return ret;
	}
	if (!begin_dup(&call, fd))
		return given_out(real.fcntl(fd, command, arg));
	call.op.cloexec = command == F_DUPFD_CLOEXEC;
	return (int)call_end_birth(&call, real.fcntl(fd, command, arg));
}

EXPORT int pidfd_getfd(int pidfd, int fd, unsigned flags)
{
	int ret = real.pidfd_getfd(pidfd, fd, flags);

	if (ret >= 0 && process_is_watching())
		adopt_arrival(ret);
	return ret;
}
