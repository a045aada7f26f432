/* SPDX-License-Identifier: MIT */
/* wrap_name.c - calls that give a socket its addresses, or change how it gets them. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "preload/call.h"
#include "preload/capture.h"
#include "preload/delay.h"
#include "preload/hold.h"
#include "preload/moved.h"
#include "preload/ports.h"
#include "preload/refused.h"
#include "preload/reset.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

EXPORT int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call call;
	struct aim aim;
	int ret;

	if (!call_begin_on(&call, OP_BIND, fd))
		return real.bind(fd, addr, len);
	call.op.arg = 0;
	aim_take(&aim, addr, len);
	ret = call_may_go(&call, OP_BIND, &aim) ? real.bind(fd, aim.addr, aim.len)
	                                        : call_answer(&call);
	call_note_local(&call, ret, &aim);
	return (int)call_end_named(&call, ret);
}

EXPORT int listen(int fd, int backlog)
{
	struct call call;
	int ret;

	if (!call_begin_on(&call, OP_LISTEN, fd))
		return real.listen(fd, backlog);
	call.op.arg = backlog;
	if (UNLIKELY(sock_bits(&call.sock) & SOCKET_RESET)) {
		errno = EINVAL; /* as if it were still connected */
		return (int)call_end_named(&call, -1);
	}
	ret = call_may_go(&call, OP_LISTEN, NULL) ? real.listen(fd, call.op.arg)
	                                          : call_answer(&call);
	return (int)call_end_named(&call, ret);
}

EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call call;
	struct aim aim;
	int ret;

	if (!call_begin_on(&call, OP_CONNECT, fd))
		return real.connect(fd, addr, len);
	aim_take(&aim, addr, len);
	if (UNLIKELY(reset_is_connected(&call, &aim))) {
		errno = EISCONN;
		return (int)call_end_connect(&call, -1);
	}
	ret = call_may_go(&call, OP_CONNECT, &aim)
	              ? refused_connected(&call, real.connect(fd, aim.addr, aim.len))
	              : call_answer(&call);
	call_note_remote(&call, ret, &aim);
	return (int)call_end_connect(&call, ret);
}

EXPORT int shutdown(int fd, int how)
{
	struct call call;

	if (!call_begin_on(&call, OP_SHUTDOWN, fd))
		return real.shutdown(fd, how);
	call.op.arg = how;
	return (int)call_end(&call, real.shutdown(fd, how));
}

/* libc binds inside: what it chose is asked afterwards. */
static int end_bind_inside(struct call *call, int ret)
{
	if (ret >= 0 && !call->verdict.error)
		call->outcome.has_local =
		        capture_local(call->op.fd, &call->outcome.local) != FAMILY_OTHER;
	return (int)call_end(call, ret);
}

EXPORT int bindresvport(int fd, struct sockaddr_in *sin)
{
	struct call call;
	int ret;

	if (!call_begin_on(&call, OP_BIND, fd))
		return real.bindresvport(fd, sin);
	call.op.arg = 0;
	ret = call_may_go(&call, OP_BIND, NULL) ? real.bindresvport(fd, sin) : call_answer(&call);
	return end_bind_inside(&call, ret);
}

/* A socket that libc makes and binds: a birth, then a bind. */
static bool begin_reserved(struct call *call, int domain)
{
	call->op.family = addr_family(domain);
	call->op.proto = PROTO_TCP;
	call->sock.word = sock_word(0, call->op.family, PROTO_TCP, 0);
	return call_may_go(call, OP_SOCKET, NULL) && call_may_go(call, OP_BIND, NULL);
}

static int end_reserved(struct call *call, int fd)
{
	fd = (int)call_end_birth(call, fd);
	if (fd < 0 || !call_begin_on(call, OP_BIND, fd))
		return fd;
	call->op.arg = 0;
	end_bind_inside(call, 0);
	return fd;
}

EXPORT int rresvport(int *port)
{
	struct call call;

	if (!call_begin(&call, OP_SOCKET))
		return real.rresvport(port);
	return end_reserved(&call, begin_reserved(&call, AF_INET) ? real.rresvport(port) : -1);
}

EXPORT int rresvport_af(int *port, sa_family_t family)
{
	struct call call;

	if (!call_begin(&call, OP_SOCKET))
		return real.rresvport_af(port, family);
	return end_reserved(&call,
	                    begin_reserved(&call, family) ? real.rresvport_af(port, family) : -1);
}

EXPORT int getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct told told;

	if (LIKELY(!told_expect(&told, fd, SOCKET_MOVED_LOCAL | SOCKET_RESET, addr, len)))
		return real.getsockname(fd, addr, len);
	return told_instead(&told, real.getsockname(fd, addr, len));
}

EXPORT int getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct told told;

	if (LIKELY(!told_expect(&told, fd, SOCKET_MOVED_REMOTE, addr, len)))
		return real.getpeername(fd, addr, len);
	return told_instead(&told, real.getpeername(fd, addr, len));
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

static bool is_port_range(int level, int option)
{
	return level == IPPROTO_IP && option == IP_LOCAL_PORT_RANGE;
}

/* There is no news yet: 0, written as the kernel writes any other number. */
static int no_error_yet(int fd, void *value, socklen_t *len)
{
	int ret = real.getsockopt(fd, SOL_SOCKET, SO_TYPE, value, len);

	if (ret == 0)
		memset(value, 0, *len);
	return ret;
}

EXPORT int getsockopt(int fd, int level, int option, void *value, socklen_t *len)
{
	int ret;

	if (UNLIKELY(hold_is_any()) && level == SOL_SOCKET && option == SO_ERROR &&
	    delay_is_connecting(fd))
		return no_error_yet(fd, value, len);
	ret = real.getsockopt(fd, level, option, value, len);
	if (ret == 0 && level == SOL_SOCKET && option == SO_ERROR)
		refused_option(fd, value, len);
	if (ret == 0 && level == SOL_SOCKET && option == SO_ERROR && *len == sizeof(int) &&
	    call_knows(fd))
		tell_connected(fd, *(const int *)value);
	if (UNLIKELY(ports_are_limited()) && ret == 0 && is_port_range(level, option))
		ports_option_got(fd, value, len);
	return ret;
}

/* As the kernel reads a flag of IPPROTO_IP: of any length, none is 0. */
static bool is_on(const void *value, socklen_t len)
{
	if (len >= sizeof(int))
		return *(const int *)value;
	return len > 0 && *(const char *)value;
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

		sockets_change(&process.engine.sockets, fd, sockets_word(sock) >> 32,
		               is_on(value, len) ? bit : 0, bit);
	}
	if (UNLIKELY(ports_are_limited()) && ret == 0 && is_port_range(level, option))
		ports_option_set(fd, value);
	return ret;
}
