/* SPDX-License-Identifier: MIT */
/* wrap_packet.c - packets, where they tell something new: the port that a first
 * send takes, each new peer of an unconnected UDP socket, a connection that fast
 * open makes, descriptors in SCM_RIGHTS. All other packets go straight on. */
#include <errno.h>
#include <string.h>

#include "preload/adopt.h"
#include "preload/call.h"
#include "preload/capture.h"
#include "preload/moved.h"
#include "preload/peer.h"
#include "preload/refused.h"
#include "sys/raw.h"

enum { MESSAGES = 256 }; /* of one call, as far as their addresses are cared for */

static bool has_own_port(const struct sock *sock)
{
	return sock_bits(sock) & SOCKET_LOCAL && sock->local_port;
}

static bool is_udp(const struct call *call)
{
	return sock_proto(&call->sock) == PROTO_UDP;
}

/* Report a packet if it is news. peer: who it came from or went to, or NULL. */
static ssize_t end_packet(struct call *call, ssize_t ret, const struct endpoint *peer)
{
	bool takes_port = call->op.kind == OP_SEND && !has_own_port(&call->sock);
	bool overflow = false;

	if (call->verdict.error || UNLIKELY(call->verdict.kind == VERDICT_DELAYED))
		return call_end(call, ret);
	if (!is_udp(call) && (sock_proto(&call->sock) != PROTO_TCP || ret < 0))
		return ret;
	if (ret < 0)
		return takes_port ? call_end_named(call, ret) : ret;
	if (peer && is_udp(call) &&
	    sockets_new_peer(&process.engine.sockets, call->op.fd, peer, &overflow)) {
		call->outcome.has_remote = true;
		call->outcome.remote = *peer;
	}
	if (overflow && process.is_recording)
		atomic_fetch_add_explicit(&process.engine.session->peers_dropped, 1,
		                          memory_order_relaxed);
	if (takes_port || call->outcome.has_remote)
		call_end_named(call, ret <= INT32_MAX ? ret : INT32_MAX);
	return ret;
}

static ssize_t end_send(struct call *call, ssize_t ret, const struct aim *aim)
{
	struct endpoint peer;

	if (ret < 0 || !aim->addr || addr_from_sockaddr(&peer, aim->addr, aim->len) == FAMILY_OTHER)
		return end_packet(call, ret, NULL);
	if (UNLIKELY(call->verdict.kind == VERDICT_MOVED))
		moved_peer(call->op.fd, &call->op.asked, &peer);
	return end_packet(call, ret, &peer);
}

/* sendto(MSG_FASTOPEN) is connect and send in one, tcp(7). */
static ssize_t end_fast_open(struct call *call, ssize_t ret, struct aim *aim)
{
	call->op.kind = OP_CONNECT;
	call_note_remote(call, ret < 0 ? -1 : 0, aim);
	call_end_named(call, ret < 0 ? -1 : 0);
	return ret;
}

/* ---- sending ---- */

/* A packet goes to a peer that the program names. */
static bool names_peer(const struct call *call, int flags)
{
	return sock_proto(&call->sock) != PROTO_TCP || flags & MSG_FASTOPEN;
}

/* Fast open is a connect: its rules are asked, then those of send. */
static bool send_may_go(struct call *call, struct aim *aim, int flags)
{
	call->op.arg = flags;
	if (!aim->addr || !names_peer(call, flags))
		return call_may_go_on(call, OP_SEND);
	if (sock_proto(&call->sock) == PROTO_TCP && !call_may_go(call, OP_CONNECT, aim))
		return false;
	return call->verdict.rule || call_may_go(call, OP_SEND, aim);
}

/* Apart, so that send() itself is a look at the table and a jump. */
static __attribute__((noinline)) ssize_t send_unsettled(int fd, const void *buf, size_t size,
                                                        int flags)
{
	struct call call;
	ssize_t ret;

	if (!call_begin_on(&call, OP_SEND, fd))
		return refused_told(fd, real.send(fd, buf, size, flags));
	call.op.arg = flags;
	ret = call_may_go_on(&call, OP_SEND) ? refused_told(fd, real.send(fd, buf, size, flags))
	                                     : -1;
	return end_packet(&call, ret, NULL);
}

EXPORT ssize_t send(int fd, const void *buf, size_t size, int flags)
{
	if (call_is_quiet(fd, OP_SEND) && LIKELY(!refused_is_any()))
		return real.send(fd, buf, size, flags);
	return send_unsettled(fd, buf, size, flags);
}

static bool is_fast_open(const struct call *call, const struct aim *aim, int flags)
{
	return flags & MSG_FASTOPEN && aim->addr && sock_proto(&call->sock) == PROTO_TCP;
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t size, int flags, const struct sockaddr *addr,
                      socklen_t len)
{
	struct call call;
	struct aim aim;
	ssize_t ret;

	if ((!addr && call_is_quiet(fd, OP_SEND)) || !call_begin_on(&call, OP_SEND, fd))
		return refused_told(fd, real.sendto(fd, buf, size, flags, addr, len));
	aim_take(&aim, addr, len);
	ret = send_may_go(&call, &aim, flags)
	              ? refused_told(fd, real.sendto(fd, buf, size, flags, aim.addr, aim.len))
	              : -1;
	if (is_fast_open(&call, &aim, flags))
		return end_fast_open(&call, ret, &aim);
	return end_send(&call, ret, &aim);
}

/* ---- receiving ---- */

EXPORT ssize_t recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *addr,
                        socklen_t *len)
{
	struct call call;
	struct peer peer;
	struct endpoint end;
	ssize_t ret;

	if (call_is_quiet(fd, OP_RECV) || !call_begin_on(&call, OP_RECV, fd))
		return refused_told(fd, real.recvfrom(fd, buf, size, flags, addr, len));
	call.op.arg = flags;
	peer_expect(&peer, addr, len);
	ret = call_may_go_on(&call, OP_RECV)
	              ? refused_told(fd, real.recvfrom(fd, buf, size, flags, peer.addr, peer.len))
	              : -1;
	if (ret < 0 || !peer_take(&peer, &end))
		return end_packet(&call, ret, NULL);
	moved_tell_peer(fd, &call.sock, &end, peer.addr, peer.len, peer.room);
	return end_packet(&call, ret, &end);
}

/* A fortified recvfrom: where size exceeds room, libc's own ends the program. */
EXPORT ssize_t __recvfrom_chk(int fd, void *buf, size_t size, size_t room, int flags,
                              struct sockaddr *addr, socklen_t *len)
{
	if (size > room)
		return real.__recvfrom_chk(fd, buf, size, room, flags, addr, len);
	return recvfrom(fd, buf, size, flags, addr, len);
}

/* ---- messages ---- */

/* Do something with each descriptor that a message carries. The kernel has
 * accepted or written the control data, so it can be read. */
static void each_descriptor(const struct msghdr *msg, void (*act)(int fd))
{
	const char *at = msg->msg_control;
	size_t left = at ? msg->msg_controllen : 0;
	int error = errno;

	while (left >= sizeof(struct cmsghdr)) {
		const struct cmsghdr *part = (const struct cmsghdr *)(const void *)at;
		const int *fds = (const int *)(const void *)(at + CMSG_LEN(0));
		size_t step = CMSG_ALIGN(part->cmsg_len);

		if (part->cmsg_len < CMSG_LEN(0) || part->cmsg_len > left)
			break;
		if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
			for (size_t i = 0; i < (part->cmsg_len - CMSG_LEN(0)) / sizeof(int); i++)
				act(fds[i]);
		if (step >= left)
			break;
		at += step;
		left -= step;
	}
	errno = error;
}

/* A message's address, for rules to look at. Returns the message as it is to be sent: a
 * copy with a copy of its address, if a rule could touch it. */
static const struct msghdr *aim_message(struct aim *aim, struct msghdr *copy,
                                        const struct msghdr *msg)
{
	aim_take(aim, NULL, 0);
	if (LIKELY(!call_is_ruled(OP_SEND)))
		return msg;
	if (process.is_sandboxed) /* there is no way to look with care */
		memcpy(copy, msg, sizeof(*copy));
	else if (!raw_peek(copy, msg, sizeof(*copy)))
		return msg;
	if (copy->msg_namelen <= INT32_MAX &&      /* what is negative is EINVAL */
	    copy->msg_namelen > sizeof(aim->copy)) /* the kernel cuts it */
		copy->msg_namelen = sizeof(aim->copy);
	aim_take(aim, copy->msg_name, copy->msg_namelen);
	return copy;
}

static void after_sendmsg(struct call *call, const struct msghdr *msg, int flags, ssize_t ret)
{
	struct aim aim;

	aim_take(&aim, msg->msg_name, msg->msg_namelen);
	if (ret >= 0)
		each_descriptor(msg, adopt_pass);
	if (is_fast_open(call, &aim, flags))
		end_fast_open(call, ret, &aim);
	else
		end_send(call, ret, &aim);
}

/* Of a message that cannot be read the kernel tells, before anything else. */
static bool is_bad(const struct msghdr *msg)
{
	return call_is_ruled(OP_SEND) && !process.is_sandboxed &&
	       !raw_is_readable((uintptr_t)msg, sizeof(*msg));
}

/* Who receives moved sockets may ask for their names at once: they are in the session before
 * the message goes. */
static __attribute__((noinline)) void announce(const struct msghdr *msg)
{
	enum { MOST = 4096 }; /* SCM_MAX_FD descriptors have room */
	struct msghdr copy;

	if (!process.is_sandboxed && raw_peek(&copy, msg, sizeof(copy)) && copy.msg_control &&
	    copy.msg_controllen > 0 && copy.msg_controllen <= MOST &&
	    raw_is_readable((uintptr_t)copy.msg_control, copy.msg_controllen))
		each_descriptor(&copy, moved_announce);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct call call;
	struct aim aim;
	struct msghdr copy;
	const struct msghdr *sent;
	ssize_t ret;

	if (!call_begin_on(&call, OP_SEND, fd))
		return refused_told(fd, real.sendmsg(fd, msg, flags));
	if (UNLIKELY(process.engine.sockets.asked))
		announce(msg);
	sent = aim_message(&aim, &copy, msg);
	if (UNLIKELY(sent == msg && is_bad(msg)))
		return real.sendmsg(fd, msg, flags);
	if (!send_may_go(&call, &aim, flags))
		return is_fast_open(&call, &aim, flags) ? end_fast_open(&call, -1, &aim)
		                                        : call_end(&call, -1);
	copy.msg_name = (void *)(uintptr_t)aim.addr;
	copy.msg_namelen = aim.len;
	ret = refused_told(fd, real.sendmsg(fd, sent, flags));
	if (ret >= 0 || (errno != EFAULT && errno != EBADF && errno != ENOTSOCK))
		after_sendmsg(&call, sent, flags, ret);
	return ret;
}

/* By rules, each message is decided by itself. */
static int send_each(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	enum { MOST = 1024 }; /* UIO_MAXIOV, as in the kernel */
	int sent = 0, error = errno;

	while ((unsigned)sent < count && sent < MOST) {
		ssize_t ret = sendmsg(fd, &msgs[sent].msg_hdr, flags);

		if (ret < 0 && sent > 0)
			break; /* the next call says why */
		if (ret < 0)
			return -1;
		msgs[sent++].msg_len = (unsigned)ret;
	}
	errno = error;
	return sent;
}

EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags)
{
	struct call call;
	int ret;

	if (count > 0 && process_is_watching() && UNLIKELY(call_is_ruled(OP_SEND)))
		return send_each(fd, msgs, count, flags);
	for (unsigned i = 0; process.engine.sockets.asked && i < count && i < MESSAGES; i++)
		announce(&msgs[i].msg_hdr);
	ret = real.sendmmsg(fd, msgs, count, flags);
	for (int i = 0; i < ret && call_begin_on(&call, OP_SEND, fd); i++)
		after_sendmsg(&call, &msgs[i].msg_hdr, flags, msgs[i].msg_len);
	return ret;
}

static void after_recvmsg(struct call *call, struct msghdr *msg, socklen_t room, ssize_t ret)
{
	struct endpoint end;

	if (ret < 0)
		return;
	each_descriptor(msg, adopt_arrival);
	if (msg->msg_name && msg->msg_namelen <= room &&
	    addr_from_sockaddr(&end, msg->msg_name, msg->msg_namelen) != FAMILY_OTHER) {
		moved_tell_peer(call->op.fd, &call->sock, &end, msg->msg_name, &msg->msg_namelen,
		                room);
		end_packet(call, ret, &end);
	}
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct call call;
	struct msghdr before = {.msg_namelen = 0};
	ssize_t ret;

	if (!call_begin_on(&call, OP_RECV, fd))
		return refused_told(fd, real.recvmsg(fd, msg, flags));
	if ((!call_is_settled(fd) || call_is_limited(OP_RECV)) && !process.is_sandboxed &&
	    !raw_peek(&before, msg, sizeof(before)))
		return real.recvmsg(fd, msg, flags);
	call.op.arg = flags;
	if (!call_may_go_on(&call, OP_RECV))
		return call_end(&call, -1);
	ret = refused_told(fd, real.recvmsg(fd, msg, flags));
	if (ret < 0 && call.verdict.error)
		return call_end(&call, ret);
	after_recvmsg(&call, msg, before.msg_namelen, ret);
	return ret;
}

/* How much room each message offers for a name; of the first ones. */
static unsigned note_rooms(uint8_t room[MESSAGES], const struct mmsghdr *msgs, unsigned count)
{
	unsigned n = count < MESSAGES ? count : MESSAGES;

	if (n == 0 || process.is_sandboxed || !raw_is_readable((uintptr_t)msgs, n * sizeof(*msgs)))
		return 0;
	for (unsigned i = 0; i < n; i++)
		room[i] = msgs[i].msg_hdr.msg_namelen < UINT8_MAX
		                  ? (uint8_t)msgs[i].msg_hdr.msg_namelen
		                  : UINT8_MAX;
	return n;
}

/* recvmmsg(2) looks at its timeout after each message, and stores what is left of it. */
static bool is_time_up(struct timespec *timeout, uint64_t end)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), left = now < end ? end - now : 0;

	if (!timeout)
		return false;
	timeout->tv_sec = (time_t)(left / 1000000000);
	timeout->tv_nsec = (long)(left % 1000000000);
	return left == 0;
}

/* What is longer than a lifetime is for ever. */
static uint64_t end_of(const struct timespec *timeout)
{
	if (!timeout)
		return 0;
	if (timeout->tv_sec >= INT32_MAX)
		return UINT64_MAX;
	return clock_ns(CLOCK_MONOTONIC) + (uint64_t)timeout->tv_sec * 1000000000 +
	       (uint64_t)timeout->tv_nsec;
}

/* Each message is received, and fails, by itself. What is bad is left to the kernel. */
static int receive_each(int fd, struct mmsghdr *msgs, unsigned count, int flags,
                        struct timespec *timeout)
{
	enum { MOST = 1024 };
	struct timespec copy = {0, 0};
	uint64_t end;
	int got = 0, error = errno;

	if (timeout && !process.is_sandboxed && !raw_peek(&copy, timeout, sizeof(copy)))
		return real.recvmmsg(fd, msgs, count, flags, timeout);
	if (copy.tv_sec < 0 || copy.tv_nsec < 0 || copy.tv_nsec >= 1000000000)
		return real.recvmmsg(fd, msgs, count, flags, timeout);
	end = end_of(timeout);
	while ((unsigned)got < count && got < MOST) {
		ssize_t ret = recvmsg(fd, &msgs[got].msg_hdr, flags & ~MSG_WAITFORONE);

		if (ret < 0 && got == 0)
			return -1;
		if (ret < 0)
			break;
		msgs[got++].msg_len = (unsigned)ret;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (is_time_up(timeout, end) || msgs[got - 1].msg_hdr.msg_flags & MSG_OOB)
			break;
	}
	errno = error;
	return got;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned count, int flags,
                    struct timespec *timeout)
{
	uint8_t room[MESSAGES];
	struct call call;
	unsigned known;
	int ret;

	if (count > 0 && process_is_watching() && UNLIKELY(call_is_limited(OP_RECV)))
		return receive_each(fd, msgs, count, flags, timeout);
	known = note_rooms(room, msgs, count);
	ret = real.recvmmsg(fd, msgs, count, flags, timeout);
	for (int i = 0; i < ret && call_begin_on(&call, OP_RECV, fd); i++)
		after_recvmsg(&call, &msgs[i].msg_hdr, (unsigned)i < known ? room[i] : 0,
		              msgs[i].msg_len);
	return ret;
}
