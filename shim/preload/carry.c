/* SPDX-License-Identifier: MIT */
/* carry.c - see carry.h.
 *
 * A denial comes where the kernel asks its own policy (security modules, cgroup
 * programs): behind the checks of the descriptor, of the address and of what kind of
 * socket it is; where those fail, the call is made and the kernel tells. */
#include "preload/carry.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "preload/adopt.h"
#include "preload/assign.h"
#include "preload/call.h"
#include "preload/capture.h"
#include "preload/delay.h"
#include "preload/fault.h"
#include "preload/glance.h"
#include "preload/limit.h"
#include "preload/hold.h"
#include "sys/raw.h"

/* ---- what is asked ---- */

/* Copy the address. Once sandboxed there is no way to do it with care. */
static bool copy_address(struct aim *aim)
{
	if (aim->addr == (const struct sockaddr *)&aim->copy)
		return true; /* at a glance, or by the rules of another call: fast open */
	if (!aim->addr || aim->len < sizeof(sa_family_t) || aim->len > sizeof(aim->copy))
		return false;
	memset(&aim->copy, 0, sizeof(aim->copy));
	if (process.is_sandboxed)
		memcpy(&aim->copy, aim->addr, aim->len);
	else if (!raw_peek(&aim->copy, aim->addr, aim->len))
		return false;
	aim->addr = (const struct sockaddr *)&aim->copy;
	return true;
}

/* An IPv4 socket takes AF_UNSPEC for AF_INET: bind(2) if the address is any (inet_bind() in
 * the kernel), sendto(2) always (udp_sendmsg(), raw_sendmsg()). */
static void read_unspecified(struct aim *aim, enum op_kind kind, enum family family)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&aim->copy;

	if (family != FAMILY_INET || in->sin_family != AF_UNSPEC)
		return;
	if (kind == OP_SEND || (kind == OP_BIND && in->sin_addr.s_addr == INADDR_ANY))
		in->sin_family = AF_INET;
}

/* Will the kernel take an address of this family on such a socket? A UDP socket of IPv6
 * can connect and send to an IPv4 address as such. */
static bool fits(const struct call *call, enum op_kind kind, enum family family)
{
	enum family own = sock_family(&call->sock);

	if (family == own)
		return family != FAMILY_OTHER;
	return kind != OP_BIND && own == FAMILY_INET6 && family == FAMILY_INET &&
	       sock_proto(&call->sock) == PROTO_UDP;
}

/* Returns false if it is for the kernel to say what is wrong, or if there is nothing to
 * ask about: AF_UNSPEC dissolves a connection. */
static bool read_aim(struct aim *aim, struct call *call, enum op_kind kind)
{
	struct op *op = &call->op;
	enum family family;

	if (!copy_address(aim))
		return false;
	read_unspecified(aim, kind, sock_family(&call->sock));
	family = addr_from_sockaddr(&op->asked, &aim->copy, aim->len);
	if (!fits(call, kind, family))
		return false;
	op->has_asked = family != FAMILY_UNIX;
	if (family == FAMILY_UNIX) {
		op->path_len = addr_unix_path(aim->path, &aim->copy, aim->len);
		op->path = op->path_len ? aim->path : NULL;
	}
	return true;
}

/* The socket's local endpoint as its program knows it; any address without a port if it
 * has none. */
static void read_local(struct call *call)
{
	static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff};

	call->op.has_asked = true;
	if (sockets_told_local(&process.engine.sockets, call->op.fd, &call->sock, &call->op.asked))
		return;
	memset(&call->op.asked, 0, sizeof(call->op.asked));
	if (sock_family(&call->sock) == FAMILY_INET)
		memcpy(&call->op.asked.ip, any4, sizeof(any4));
}

/* ---- what the kernel would say first ---- */

/* A TCP socket that is connected, connecting or listening does not look at the address. One
 * that its peer has reset is closed and connected all the same; it is told from one that
 * was dissolved by what it has sent, which that forgets (tcp_disconnect() in the kernel). */
static bool is_busy(const struct call *call)
{
	enum { CLOSED = 7 }; /* TCP_CLOSE of the kernel's net/tcp_states.h */
	struct tcp_info info = {.tcpi_state = CLOSED};
	socklen_t len = sizeof(info);

	if (sock_proto(&call->sock) != PROTO_TCP || process.is_sandboxed ||
	    !(sock_bits(&call->sock) & (SOCKET_LISTENING | SOCKET_PENDING | SOCKET_REMOTE)))
		return false;
	raw5(SYS_getsockopt, call->op.fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_state != CLOSED || info.tcpi_segs_out > 0;
}

/* Is it a socket that could listen, or one that the kernel refuses to let? */
static bool could_listen(const struct call *call)
{
	int type = 0;

	if (process.is_sandboxed) /* nothing can be asked */
		return sock_family(&call->sock) != FAMILY_OTHER;
	switch (sock_family(&call->sock)) {
	case FAMILY_INET:
	case FAMILY_INET6:
		return sock_proto(&call->sock) == PROTO_TCP && !is_busy(call);
	case FAMILY_UNIX:
		return capture_option(call->op.fd, SO_TYPE, &type) && type != SOCK_DGRAM &&
		       capture_is_named(call->op.fd);
	case FAMILY_OTHER:
		break;
	}
	return false;
}

static void pass(struct call *call)
{
	call->verdict.kind = VERDICT_PASSED;
	call->verdict.error = 0;
	call->verdict.rule = 0;
}

/* ---- what is done ---- */

/* What was denied is recorded as it was asked. */
static bool refuse(struct call *call, enum op_kind kind)
{
	struct outcome *outcome = &call->outcome;

	if (call->op.has_asked && (kind == OP_BIND || kind == OP_LISTEN)) {
		outcome->has_local = true;
		outcome->local = call->op.asked;
	} else if (call->op.has_asked) {
		outcome->has_remote = true;
		outcome->remote = call->op.asked;
	}
	if (call->op.path) {
		outcome->text = call->op.path;
		outcome->text_len = call->op.path_len;
	}
	return false;
}

/* limit ports, where the kernel does not see to it. */
static bool limit_port(struct call *call, enum op_kind kind, struct aim *aim)
{
	return assign_limited(call, kind, aim) || (call->verdict.error && refuse(call, kind));
}

static bool move(struct call *call, enum op_kind kind, struct aim *aim)
{
	enum family family = sock_family(&call->sock);

	aim->len = (socklen_t)addr_to_sockaddr(&aim->copy, family, &call->verdict.to);
	call->outcome.text = (const char *)&call->op.asked;
	call->outcome.text_len = sizeof(call->op.asked);
	return call->verdict.high ? assign_port(call, kind, aim) : limit_port(call, kind, aim);
}

static bool carry_verdict(struct call *call, enum op_kind kind, struct aim *aim)
{
	if (call->verdict.error)
		return refuse(call, kind);
	if (engine_is_limited(&process.engine, kind) && !fault_may_go(call, kind, aim))
		return refuse(call, kind);
	if (call->verdict.error) /* the kernel says so: the fault has seen to it */
		return true;
	switch (call->verdict.kind) {
	case VERDICT_MOVED:
		return aim ? move(call, kind, aim) : true;
	case VERDICT_ASSIGNED:
		return assign_port(call, kind, aim);
	case VERDICT_PASSED:
	case VERDICT_DELAYED:
		return limit_port(call, kind, aim);
	case VERDICT_DENIED:
	case VERDICT_FAILED:
	case VERDICT_LIMITED:
		break;
	}
	return true;
}

/* ---- call by call ---- */

/* The port that listen or connect takes where bind has not: the rules of bind are asked
 * for it, as for a bind to port 0. A move has nothing to move there. */
static void ask_as_bind(struct call *call)
{
	struct call bind = *call;

	read_local(&bind);
	bind.op.asked.port = 0;
	bind.sock.word &= ~(uint64_t)SOCKET_NO_PORT;
	engine_before(&process.engine, OP_BIND, &bind);
	if (bind.verdict.kind == VERDICT_DENIED || bind.verdict.kind == VERDICT_ASSIGNED)
		call->verdict = bind.verdict;
}

static bool has_port(const struct call *call)
{
	return sock_bits(&call->sock) & SOCKET_LOCAL && call->sock.local_port;
}

static bool is_inet(const struct call *call)
{
	enum family family = sock_family(&call->sock);

	return family == FAMILY_INET || family == FAMILY_INET6;
}

static bool ask_listen(struct call *call)
{
	struct verdict before;

	if (!(sock_bits(&call->sock) & SOCKET_LISTENING) && !could_listen(call))
		return true;
	if (is_inet(call)) {
		if (!has_port(call))
			ask_as_bind(call);
		if (call->verdict.kind == VERDICT_DENIED)
			return carry_verdict(call, OP_LISTEN, NULL);
		read_local(call);
	}
	before = call->verdict;
	pass(call);
	engine_before(&process.engine, OP_LISTEN, call);
	if (call->verdict.kind == VERDICT_PASSED && before.kind != VERDICT_PASSED)
		call->verdict = before;
	return carry_verdict(call, OP_LISTEN, NULL);
}

static bool ask_connect(struct call *call, enum op_kind kind, struct aim *aim)
{
	if (!read_aim(aim, call, kind))
		return true;
	if (UNLIKELY(hold_is_any()) && delay_is_connecting(call->op.fd) &&
	    !delay_connects_again(call))
		return refuse(call, kind);
	if (is_busy(call))
		return true;
	engine_before(&process.engine, kind, call);
	if (call->verdict.kind == VERDICT_PASSED && sock_bits(&call->sock) & SOCKET_NO_PORT &&
	    sock_bits(&call->sock) & SOCKET_BOUND && !has_port(call)) {
		uint16_t rule = call->verdict.rule;

		ask_as_bind(call);
		if (call->verdict.kind != VERDICT_ASSIGNED)
			pass(call);
		call->verdict.rule = call->verdict.rule ? call->verdict.rule : rule;
	}
	return carry_verdict(call, kind, aim);
}

static bool ask_bind(struct call *call, struct aim *aim)
{
	if (aim && !read_aim(aim, call, OP_BIND))
		return true;
	if (!aim) /* bindresvport: libc chooses */
		read_local(call);
	call->op.arg = call->op.has_asked && call->op.asked.port == 0;
	engine_before(&process.engine, OP_BIND, call);
	return carry_verdict(call, OP_BIND, aim);
}

static bool ask_birth(struct call *call, enum op_kind kind)
{
	engine_before(&process.engine, kind, call);
	return carry_verdict(call, kind, NULL);
}

/* Calls that no policy speaks of, or not yet: the connection that accept will give. */
static bool ask_faults(struct call *call, enum op_kind kind)
{
	return !engine_is_limited(&process.engine, kind) || carry_verdict(call, kind, NULL);
}

bool carry(struct call *call, enum op_kind kind, struct aim *aim)
{
	bool is_birth = kind == OP_SOCKET || kind == OP_SOCKETPAIR;

	call->op.has_asked = false;
	call->op.path = NULL;
	if (is_birth)
		return ask_birth(call, kind);
	if (kind == OP_CLOSE || kind == OP_RESOLVE)
		return ask_faults(call, kind);
	if (!call->sock.word && !adopt_look(call->op.fd, &call->sock)) /* no socket */
		return kind != OP_ACCEPT || limit_accept_stray(call);
	if (kind == OP_BIND)
		return ask_bind(call, aim);
	if (kind == OP_LISTEN)
		return ask_listen(call);
	return aim ? ask_connect(call, kind, aim) : ask_faults(call, kind);
}

/* ---- accept ---- */

/* Closed with nothing left to linger for, the peer gets a reset, socket(7). Once sandboxed,
 * only the close is sure to be allowed. */
static void reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (!process.is_sandboxed)
		raw5(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	raw_close(fd);
}

bool carry_away(struct call *call, int fd)
{
	if (glance_accept(call))
		return false;
	call->op.path = NULL;
	call->op.has_asked = call->outcome.has_remote;
	call->op.asked = call->outcome.remote;
	engine_before(&process.engine, OP_ACCEPT, call);
	if (LIKELY(call->verdict.kind != VERDICT_DENIED))
		return false;
	reset(fd);
	if (!call->verdict.error) {
		struct call away = *call;

		away.verdict.held = away.verdict.place = 0; /* the next one's */
		call_end_known(&away, EACCES);
		pass(call);
	}
	return true;
}
