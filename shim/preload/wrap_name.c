/* SPDX-License-Identifier: MIT */
/* wrap_name.c - calls that give a socket its addresses, or change how it gets them. */
#include <errno.h>
#include <netinet/in.h>

#include "preload/call.h"
#include "preload/capture.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

EXPORT int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call call;
	char path[UNIX_PATH_MAX + 1];
	int ret;

	if (!call_begin_on(&call, OP_BIND, fd))
		return real.bind(fd, addr, len);
	ret = call_may_go(&call) ? real.bind(fd, addr, len) : -1;
	call_note_local(&call, ret, addr, len, path);
	return (int)call_end_named(&call, ret);
}

EXPORT int listen(int fd, int backlog)
{
	struct call call;

	if (!call_begin_on(&call, OP_LISTEN, fd))
		return real.listen(fd, backlog);
	call.op.arg = backlog;
	return (int)call_end_named(&call, call_may_go(&call) ? real.listen(fd, backlog) : -1);
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call call;
	char path[UNIX_PATH_MAX + 1];
	int ret;

	if (!call_begin_on(&call, OP_CONNECT, fd))
		return real.connect(fd, addr, len);
	ret = call_may_go(&call) ? real.connect(fd, addr, len) : -1;
	call_note_remote(&call, ret, addr, len, path);
	return (int)call_end_connect(&call, ret);
}

EXPORT int shutdown(int fd, int how)
{
	struct call call;

	if (!call_begin_on(&call, OP_SHUTDOWN, fd))
		return real.shutdown(fd, how);
	call.op.arg = how;
	return (int)call_end(&call, call_may_go(&call) ? real.shutdown(fd, how) : -1);
}

/* libc binds inside: what it chose is asked afterwards. */
static int end_bind_inside(struct call *call, int ret)
{
	if (ret >= 0)
		call->outcome.has_local =
		        capture_local(call->op.fd, &call->outcome.local) != FAMILY_OTHER;
	return (int)call_end(call, ret);
}

EXPORT int bindresvport(int fd, struct sockaddr_in *sin)
{
	struct call call;

	if (!call_begin_on(&call, OP_BIND, fd))
		return real.bindresvport(fd, sin);
	return end_bind_inside(&call, call_may_go(&call) ? real.bindresvport(fd, sin) : -1);
}

/* A socket that libc made and bound: a birth, then a bind. */
static int tell_reserved(struct call *call, int fd, int domain)
{
	call->op.family = addr_family(domain);
	call->op.proto = PROTO_TCP;
	call_end_birth(call, fd);
	if (fd < 0 || !call_begin_on(call, OP_BIND, fd))
		return fd;
	end_bind_inside(call, 0);
	return fd;
}

EXPORT int rresvport(int *port)
{
	struct call call;

	if (!call_begin(&call, OP_SOCKET))
		return real.rresvport(port);
	return tell_reserved(&call, real.rresvport(port), AF_INET);
}

EXPORT int rresvport_af(int *port, sa_family_t family)
{
	struct call call;

	if (!call_begin(&call, OP_SOCKET))
		return real.rresvport_af(port, family);
	return tell_reserved(&call, real.rresvport_af(port, family), family);
}

EXPORT int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return real.getsockname(fd, addr, len);
}

EXPORT int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return real.getpeername(fd, addr, len);
}

/* How a connect that did not wait went: SO_ERROR tells it once, and the program
 * has just asked. No error can also mean that it is still on its way: then it has
 * no peer yet. */
static void tell_connected(int fd, int error)
{
	const struct sock *sock = sockets_at(&process.engine.sockets, fd);
	struct endpoint peer;
	struct call call;

	if (!(sockets_word(sock) & SOCKET_PENDING) ||
	    (error == 0 && capture_remote(fd, &peer) == FAMILY_OTHER) ||
	    !call_begin_on(&call, OP_CONNECT, fd))
		return;
	call.outcome.has_remote = true;
	call.outcome.remote = (struct endpoint){call.sock.remote, call.sock.remote_port};
	call_end_known(&call, error);
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	int ret = real.getsockopt(fd, level, option, value, len);

	if (ret == 0 && level == SOL_SOCKET && option == SO_ERROR && *len == sizeof(int) &&
	    call_knows(fd))
		tell_connected(fd, *(const int *)value);
	return ret;
}

/* The options that decide how ports are given out, for the record. */
static uint32_t option_bit(int level, int option)
{
	if (level == SOL_SOCKET && (option == SO_REUSEADDR || option == SO_REUSEPORT))
		return SOCKET_REUSE;
	if (level == IPPROTO_IP && option == IP_BIND_ADDRESS_NO_PORT)
		return SOCKET_NO_PORT;
	return 0;
}

EXPORT int setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	int ret = real.setsockopt(fd, level, option, value, len);
	uint32_t bit = option_bit(level, option);

	if (ret == 0 && bit && call_knows(fd) && process_is_watching()) {
		const struct sock *sock = sockets_at(&process.engine.sockets, fd);
		bool is_on = len >= sizeof(int) ? *(const int *)value : *(const char *)value;

		sockets_change(&process.engine.sockets, fd, sockets_word(sock) >> 32,
		               is_on ? bit : 0, bit);
	}
	return ret;
}
