/* SPDX-License-Identifier: MIT */
/* inject.c - see inject.h.
 *
 * An error comes where the kernel has it: behind what it would have said first of the
 * descriptor, the address and the socket's state (asked here, where it can be), and with what
 * it leaves behind. Once sandboxed nothing can be asked or done: the error is all. */
#include "preload/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include "preload/capture.h"
#include "preload/refused.h"
#include "preload/reset.h"
#include "sys/raw.h"

/* The call is wrong by itself: it is made, and the kernel says so. */
static bool by_kernel(struct call *call)
{
	call->verdict.kind = VERDICT_PASSED;
	call->verdict.error = 0;
	call->verdict.rule = 0;
	return true;
}

static bool has_peer(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return raw3(SYS_getpeername, fd, &addr, &len) == 0;
}

/* Of the kernel's net/tcp_states.h; with HALF_OPEN, below, we have sent a FIN. */
enum {
	ESTABLISHED = 1,
	SYN_RECEIVED = 3,
	FIN_WAIT1 = 4,
	FIN_WAIT2 = 5,
	CLOSED = 7,
	CLOSE_WAIT = 8,
	LAST_ACK = 9,
	CLOSING = 11,
};

/* The state of a TCP socket; once sandboxed it cannot be asked. */
static unsigned state_of(int fd)
{
	struct tcp_info info = {.tcpi_state = ESTABLISHED};
	socklen_t len = sizeof(info);

	if (process.is_sandboxed)
		return CLOSED;
	raw5(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state & 31;
}

/* ---- connect ---- */

/* What TCP is told by a packet that comes back, or by none that does. Other errors, and a
 * network without a way there, are known before anything is sent. */
static bool comes_later(int error)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
	case ECONNABORTED:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case EHOSTDOWN:
	case ENOPROTOOPT:
	case EPROTO:
	case EPIPE:
		return true;
	default:
		return false;
	}
}

/* The table knows it as one whose connect has said EINPROGRESS. */
static void note_under_way(const struct call *call, struct sock *sock, const struct endpoint *to)
{
	struct endpoint local;

	sock->remote = to->ip;
	sock->remote_port = to->port;
	sock->word |= SOCKET_PENDING | SOCKET_REMOTE;
	if (capture_local(call->op.fd, &local) != FAMILY_OTHER) {
		sock->local = local.ip;
		sock->local_port = local.port;
		sock->word |= SOCKET_LOCAL;
	}
	sockets_update(&process.engine.sockets, call->op.fd, sock);
}

/* Where the policy moves it, it goes there. */
static void aim_by_policy(const struct call *call, struct sock *sock, struct aim *aim,
                          struct endpoint *to)
{
	struct sockets *sockets = &process.engine.sockets;
	struct call asked = *call;

	*to = call->op.asked;
	by_kernel(&asked);
	engine_before(&process.engine, OP_CONNECT, &asked);
	if (asked.verdict.kind != VERDICT_MOVED || asked.verdict.error || asked.verdict.high ||
	    !sockets->asked || (unsigned)call->op.fd >= sockets->capacity)
		return;
	sockets->asked[call->op.fd].remote = *to;
	sock->word |= SOCKET_MOVED_REMOTE;
	*to = asked.verdict.to;
	aim->len = (socklen_t)addr_to_sockaddr(&aim->copy, sock_family(sock), to);
}

/* EINTR, connect(2): the connection is made all the same. */
static void leave_under_way(struct call *call, struct aim *aim)
{
	struct sock sock = call->sock;
	int fd = call->op.fd;
	struct endpoint to;
	long flags, ret;

	if (process.is_sandboxed)
		return;
	aim_by_policy(call, &sock, aim, &to);
	flags = raw3(SYS_fcntl, fd, F_GETFL, 0);
	raw3(SYS_fcntl, fd, F_SETFL, flags | O_NONBLOCK);
	ret = raw3(SYS_connect, fd, aim->addr, aim->len);
	raw3(SYS_fcntl, fd, F_SETFL, flags);
	if (ret == 0 || ret == -EINPROGRESS)
		note_under_way(call, &sock, &to);
	else
		call->verdict.error = (int)-ret;
}

static bool fail_connect(struct call *call, struct aim *aim)
{
	int error = call->verdict.error;

	if (sock_family(&call->sock) == FAMILY_UNIX && !process.is_sandboxed &&
	    sock_proto(&call->sock) == PROTO_STREAM && has_peer(call->op.fd))
		return by_kernel(call);
	if (sock_proto(&call->sock) != PROTO_TCP)
		return false;
	if (error == EINTR || error == EINPROGRESS)
		leave_under_way(call, aim);
	else if (comes_later(error))
		refused_connect(call);
	return false;
}

/* ---- accept, bind ---- */

/* That there is no descriptor, the kernel says before it looks at the socket. */
static bool fail_accept(struct call *call)
{
	int error = call->verdict.error, listens = 1;

	if (error != EMFILE && error != ENFILE &&
	    capture_option(call->op.fd, SO_ACCEPTCONN, &listens) && !listens)
		return by_kernel(call);
	return false;
}

/* A socket that has a name gets no other. */
static bool fail_bind(struct call *call)
{
	struct endpoint local = {.port = 0};
	bool has_name;

	if (sock_proto(&call->sock) == PROTO_TCP) /* getsockname tells of ports long gone */
		has_name = sock_bits(&call->sock) & SOCKET_BOUND || state_of(call->op.fd) != CLOSED;
	else if (sock_family(&call->sock) == FAMILY_UNIX)
		has_name = capture_is_named(call->op.fd);
	else
		has_name = capture_local(call->op.fd, &local) != FAMILY_OTHER && local.port != 0;
	return has_name && by_kernel(call);
}

/* ---- send, recv ---- */

/* Is the connection at its end with this error? */
static bool is_last(int error)
{
	return comes_later(error) || error == ENETUNREACH || error == ENETDOWN;
}

/* Could bytes go this way? Where not, the kernel says so. */
static bool can_flow(const struct call *call, enum op_kind kind)
{
	enum { OPEN = 1 << ESTABLISHED | 1 << SYN_RECEIVED | 1 << CLOSE_WAIT };
	enum { HALF_OPEN = 1 << FIN_WAIT1 | 1 << FIN_WAIT2 | 1 << LAST_ACK | 1 << CLOSING };

	return 1 << state_of(call->op.fd) & (kind == OP_SEND ? OPEN : OPEN | HALF_OPEN);
}

/* A Multipath TCP socket does not tell of its end. */
static bool is_multipath(int fd)
{
	enum { MULTIPATH = 262 };
	int protocol;

	return capture_option(fd, SO_PROTOCOL, &protocol) && protocol == MULTIPATH;
}

static bool fail_tcp(struct call *call, enum op_kind kind)
{
	int error = call->verdict.error;

	if (!can_flow(call, kind))
		return by_kernel(call);
	if (!is_last(error))
		return false;
	/* with the reset told, send says EPIPE, and raises SIGPIPE where it should */
	if (error == EPIPE && kind == OP_SEND)
		return reset_told_connection(call);
	return reset_connection(call) && !is_multipath(call->op.fd);
}

/* A unix socket whose peer has gone is as one that was shut down. */
static bool fail_unix(struct call *call, enum op_kind kind)
{
	if (!has_peer(call->op.fd))
		return by_kernel(call);
	if (!is_last(call->verdict.error))
		return false;
	raw2(SYS_shutdown, call->op.fd, SHUT_RDWR);
	return kind == OP_SEND && call->verdict.error == EPIPE;
}

static bool fail_packet(struct call *call, enum op_kind kind)
{
	int type;

	if (process.is_sandboxed)
		return false;
	if (!capture_option(call->op.fd, SO_TYPE, &type)) /* the number is another file's now */
		return by_kernel(call);
	if (sock_proto(&call->sock) == PROTO_TCP)
		return fail_tcp(call, kind);
	if (sock_proto(&call->sock) == PROTO_STREAM)
		return fail_unix(call, kind);
	if (kind == OP_SEND && !call->op.has_asked && !call->op.path && !has_peer(call->op.fd))
		return by_kernel(call);
	return false;
}

bool inject(struct call *call, enum op_kind kind, struct aim *aim)
{
	if (kind == OP_CONNECT)
		return fail_connect(call, aim);
	if (kind == OP_ACCEPT)
		return fail_accept(call);
	if (kind == OP_BIND)
		return fail_bind(call);
	return (kind == OP_SEND || kind == OP_RECV) && fail_packet(call, kind);
}
