/* SPDX-License-Identifier: MIT */
/* wrap_open.c - calls that make a socket. */
#include <errno.h>

#include "preload/call.h"
#include "preload/capture.h"
#include "preload/peer.h"
#include "preload/ports.h"
#include "sys/raw.h"

static inline void note_kind(struct call *call, int domain, int type, int protocol)
{
	call->op.family = addr_family(domain);
	call->op.proto = capture_proto(domain, type, protocol);
	call->op.cloexec = type & SOCK_CLOEXEC;
}

/* The kernel looks at the arguments before it asks its own policy: a socket that could
 * not be made in any case fails for that reason. What one that is made and closed again
 * would say is the answer; once sandboxed there is none. */
static int answer_birth(struct call *call, long error)
{
	if (error < 0 && error != -EMFILE && error != -ENFILE)
		call->verdict.error = (int)-error;
	return -1;
}

static int answer_socket(struct call *call, int domain, int type, int protocol)
{
	long fd = process.is_sandboxed ? -EMFILE
	                               : raw3(SYS_socket, domain, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0)
		raw_close((int)fd);
	return answer_birth(call, fd);
}

static int answer_pair(struct call *call, int domain, int type, int protocol, const int fds[2])
{
	int own[2] = {-1, -1};
	long error = 0;

	if (!process.is_sandboxed)
		error = raw_peek(own, fds, sizeof(own))
		                ? raw4(SYS_socketpair, domain, type | SOCK_CLOEXEC, protocol, own)
		                : -EFAULT;
	if (error == 0 && !process.is_sandboxed) {
		raw_close(own[0]);
		raw_close(own[1]);
	}
	return answer_birth(call, error);
}

/* Apart, so that socket() itself stays in registers. */
static __attribute__((noinline)) int socket_by_rules(int domain, int type, int protocol)
{
	struct call call;
	int ret;

	call_start(&call, OP_SOCKET, -1);
	note_kind(&call, domain, type, protocol);
	ret = call_may_go(&call, OP_SOCKET, NULL) ? real.socket(domain, type, protocol)
	                                          : answer_socket(&call, domain, type, protocol);
	ret = (int)call_end_socket(&call, ret);
	ports_birth(&call, ret);
	return ret;
}

EXPORT int socket(int domain, int type, int protocol)
{
	struct call call;
	int ret;

	if (!process_is_watching())
		return real.socket(domain, type, protocol);
	if (UNLIKELY(call_is_ruled(OP_SOCKET)))
		return socket_by_rules(domain, type, protocol);
	call_start(&call, OP_SOCKET, -1);
	note_kind(&call, domain, type, protocol);
	ret = (int)call_end_socket(&call, real.socket(domain, type, protocol));
	ports_birth(&call, ret);
	return ret;
}

EXPORT int socketpair(int domain, int type, int protocol, int fds[2])
{
	struct call call;
	int ret;

	if (!call_begin(&call, OP_SOCKETPAIR))
		return real.socketpair(domain, type, protocol, fds);
	note_kind(&call, domain, type, protocol);
	ret = call_may_go(&call, OP_SOCKETPAIR, NULL)
	              ? real.socketpair(domain, type, protocol, fds)
	              : answer_pair(&call, domain, type, protocol, fds);
	if (ret < 0)
		return (int)call_end(&call, ret);
	call_end_birth(&call, fds[0]);
	call_end_birth(&call, fds[1]);
	return 0;
}

static void note_peer(struct call *call, int fd, const struct peer *peer)
{
	call->outcome.has_remote = peer_take(peer, &call->outcome.remote) ||
	                           (sock_proto(&call->sock) == PROTO_TCP &&
	                            capture_remote(fd, &call->outcome.remote) != FAMILY_OTHER);
}

/* Is the connection that was just accepted turned away? Then the next one is to be
 * taken: a program that gets an error closes its listener, or tries again in a loop. */
static bool is_turned_away(struct call *call, int *fd, struct peer *peer)
{
	if (*fd < 0)
		return false;
	note_peer(call, *fd, peer);
	if (LIKELY(!call_is_ruled(OP_ACCEPT)) || !carry_away(call, *fd))
		return false;
	*fd = -1;
	if (call->verdict.error)
		return false;
	peer_again(peer);
	call->op.start = clock_ticks();
	return true;
}

EXPORT int accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct call call;
	struct peer peer;
	int ret = -1;

	if (!call_begin_on(&call, OP_ACCEPT, fd))
		return real.accept(fd, addr, len);
	peer_expect(&peer, addr, len);
	if (call_may_go(&call, OP_ACCEPT, NULL))
		do
			ret = real.accept(fd, peer.addr, peer.len);
		while (is_turned_away(&call, &ret, &peer));
	return (int)call_end_accept(&call, ret);
}

EXPORT int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
	struct call call;
	struct peer peer;
	int ret = -1;

	if (!call_begin_on(&call, OP_ACCEPT, fd))
		return real.accept4(fd, addr, len, flags);
	call.op.cloexec = flags & SOCK_CLOEXEC;
	peer_expect(&peer, addr, len);
	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK) || call_may_go(&call, OP_ACCEPT, NULL))
		do
			ret = real.accept4(fd, peer.addr, peer.len, flags);
		while (is_turned_away(&call, &ret, &peer));
	return (int)call_end_accept(&call, ret);
}
