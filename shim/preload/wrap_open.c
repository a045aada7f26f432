/* SPDX-License-Identifier: MIT */
/* wrap_open.c - calls that make a socket. */
#include "preload/call.h"
#include "preload/capture.h"
#include "preload/peer.h"

static inline void note_kind(struct call *call, int domain, int type, int protocol)
{
	call->op.family = addr_family(domain);
	call->op.proto = capture_proto(domain, type, protocol);
	call->op.cloexec = type & SOCK_CLOEXEC;
}

EXPORT int socket(int domain, int type, int protocol)
{
	struct call call;

	if (!call_begin(&call, OP_SOCKET))
		return real.socket(domain, type, protocol);
	note_kind(&call, domain, type, protocol);
	return (int)call_end_socket(&call,
	                            call_may_go(&call) ? real.socket(domain, type, protocol) : -1);
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
	struct call call;
	int ret;

	if (!call_begin(&call, OP_SOCKETPAIR))
		return real.socketpair(domain, type, protocol, fds);
	note_kind(&call, domain, type, protocol);
	ret = call_may_go(&call) ? real.socketpair(domain, type, protocol, fds) : -1;
	if (ret < 0)
		return (int)call_end(&call, ret);
	call_end_birth(&call, fds[0]);
	call_end_birth(&call, fds[1]);
	return 0;
}

static int end_accept(struct call *call, int ret, const struct peer *peer)
{
	if (ret >= 0)
		call->outcome.has_remote =
		        peer_take(peer, &call->outcome.remote) ||
		        (sock_proto(&call->sock) == PROTO_TCP &&
		         capture_remote(ret, &call->outcome.remote) != FAMILY_OTHER);
	return (int)call_end_accept(call, ret);
}

EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct call call;
	struct peer peer;

	if (!call_begin_on(&call, OP_ACCEPT, fd))
		return real.accept(fd, addr, len);
	peer_expect(&peer, addr, len);
	return end_accept(&call, call_may_go(&call) ? real.accept(fd, peer.addr, peer.len) : -1,
	                  &peer);
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct call call;
	struct peer peer;

	if (!call_begin_on(&call, OP_ACCEPT, fd))
		return real.accept4(fd, addr, len, flags);
	call.op.cloexec = flags & SOCK_CLOEXEC;
	peer_expect(&peer, addr, len);
	return end_accept(&call,
	                  call_may_go(&call) ? real.accept4(fd, peer.addr, peer.len, flags) : -1,
	                  &peer);
}
