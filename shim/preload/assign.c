/* SPDX-License-Identifier: MIT */
/* assign.c - see assign.h. */
#include "preload/assign.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "preload/capture.h"
#include "preload/ports.h"
#include "preload/tuple.h"
#include "sys/raw.h"
#include "sys/real.h"

/* The ports that a call may get: of its verdict, or of limit ports. */
struct range {
	uint16_t low, high;
	bool is_limit;
};

/* ---- the kernel's way ---- */

/* A bound outside the host's range would count for nothing. A range of the program's own
 * stays untouched: then we choose. That of limit ports gives way for the call. */
static bool kernel_assigns(struct call *call, const struct range *range)
{
	int fd = call->op.fd;
	uint32_t own;

	if (range->low < process.host_low || range->high > process.host_high ||
	    process.is_sandboxed || !ports_kernel_can())
		return false;
	own = ports_of(fd);
	if ((own && own != atomic_load(&ports.range)) ||
	    !ports_set(fd, (uint32_t)range->high << 16 | range->low))
		return false;
	call->sock.word |= SOCKET_RANGED;
	return true;
}

void assign_done(struct call *call)
{
	if (sock_bits(&call->sock) & SOCKET_RANGED) {
		ports_set(call->op.fd,
		          sock_bits(&call->sock) & SOCKET_LIMITED ? atomic_load(&ports.range) : 0);
		call->sock.word &= ~(uint64_t)SOCKET_RANGED;
	}
}

/* ---- our own ---- */

/* The ports of a range, each once. */
struct search {
	uint16_t low;
	uint32_t count, turn, left;
};

static struct search search_range(const struct range *range)
{
	static _Atomic uint32_t own_turn;
	struct session_header *session = process.engine.session;
	uint16_t low = range->low, high = range->high;
	struct search search = {.low = low, .count = high < low ? 0 : high - low + 1u};

	search.turn = atomic_fetch_add_explicit(session ? &session->port_turn : &own_turn, 1,
	                                        memory_order_relaxed);
	search.left = search.count;
	return search;
}

static bool next_port(struct search *search, uint16_t *port)
{
	if (!search->left)
		return false;
	search->left--;
	*port = (uint16_t)(search->low + search->turn++ % search->count);
	return true;
}

/* bind(port 0) gives no port that is in use, whatever these say; a bind to a port of
 * our choice would. They are off while we try. */
struct reuse {
	int address, port;
};

static void set_option(int fd, int option, int value)
{
	raw5(SYS_setsockopt, fd, SOL_SOCKET, option, &value, sizeof(value));
}

static struct reuse reuse_off(const struct call *call)
{
	struct reuse was = {0, 0};
	int fd = call->op.fd;

	if (!(sock_bits(&call->sock) & SOCKET_REUSE))
		return was;
	capture_option(fd, SO_REUSEADDR, &was.address);
	capture_option(fd, SO_REUSEPORT, &was.port);
	if (was.address)
		set_option(fd, SO_REUSEADDR, 0);
	if (was.port)
		set_option(fd, SO_REUSEPORT, 0);
	return was;
}

static void reuse_restore(int fd, struct reuse was)
{
	if (was.address)
		set_option(fd, SO_REUSEADDR, was.address);
	if (was.port)
		set_option(fd, SO_REUSEPORT, was.port);
}

/* Bind to one port. Returns 0 or an errno; errno itself stays. */
static int bind_to(const struct call *call, struct aim *aim, struct endpoint *local)
{
	int error = errno, ret;

	aim->len = (socklen_t)addr_to_sockaddr(&aim->copy, sock_family(&call->sock), local);
	aim->addr = (const struct sockaddr *)&aim->copy;
	ret = real.bind(call->op.fd, aim->addr, aim->len) == 0 ? 0 : errno;
	errno = error;
	return ret;
}

/* A privileged port among others is one that is not free. */
static bool is_taken(int error)
{
	return error == EADDRINUSE || error == EACCES;
}

static int bind_any(const struct call *call, const struct range *range, struct aim *aim,
                    struct endpoint *local)
{
	struct search search = search_range(range);
	int ret = EADDRINUSE;

	while (is_taken(ret) && next_port(&search, &local->port))
		ret = bind_to(call, aim, local);
	return ret;
}

/* Bind to a port that nobody uses. Returns 0, EADDRINUSE (EACCES), or another errno that
 * has nothing to do with the port. UDP sockets with SO_REUSEADDR or SO_REUSEPORT share one
 * if they must: the kernel's way. */
static int bind_free(const struct call *call, const struct range *range, struct aim *aim,
                     struct endpoint *local)
{
	struct reuse was = reuse_off(call);
	int ret = bind_any(call, range, aim, local);

	reuse_restore(call->op.fd, was);
	if (is_taken(ret) && sock_proto(&call->sock) == PROTO_UDP && (was.address || was.port))
		ret = bind_any(call, range, aim, local);
	return ret;
}

/* What lets connections share a port. SO_REUSEADDR does so for users who differ; under
 * limit ports, where what counts is to meet no port that bind has taken, programs that set it
 * are many, those that set SO_REUSEPORT few. */
static int share_option(const struct range *range)
{
	return range->is_limit ? SO_REUSEPORT : SO_REUSEADDR;
}

/* Every port is used: one that is not used towards this destination will do, for what
 * must be unique is the tuple. */
static int bind_shared(const struct call *call, const struct range *range, struct aim *aim,
                       struct endpoint *local, const struct endpoint *remote)
{
	struct search search = search_range(range);
	struct tuple_query query;
	struct reuse was;
	int ret = EADDRINUSE;

	if (!tuple_begin(&query, sock_family(&call->sock), local, remote))
		return EADDRNOTAVAIL;
	was = reuse_off(call);
	set_option(call->op.fd, share_option(range), 1);
	while (is_taken(ret) && next_port(&search, &local->port))
		if (tuple_is_free(&query, local->port))
			ret = bind_to(call, aim, local);
	tuple_end(&query);
	if (ret != 0)
		set_option(call->op.fd, share_option(range), 0);
	reuse_restore(call->op.fd, was);
	return ret;
}

/* The local endpoint that the socket has, or will have, without its port. */
static struct endpoint local_of(const struct call *call)
{
	struct endpoint local = {.port = 0};

	if (sock_bits(&call->sock) & SOCKET_LOCAL) {
		local.ip = call->sock.local;
	} else if (sock_family(&call->sock) == FAMILY_INET) {
		local.ip.byte[10] = 0xff;
		local.ip.byte[11] = 0xff;
	}
	return local;
}

/* bind(2): the port of our choice, in place of port 0. */
static bool assign_bind(struct call *call, const struct range *range, struct aim *aim)
{
	struct endpoint local =
	        call->verdict.kind == VERDICT_MOVED ? call->verdict.to : call->op.asked;

	call->verdict.error = bind_free(call, range, aim, &local);
	return false;
}

/* A connect that has no way to go takes no port. */
static bool has_way(const struct call *call, const struct endpoint *local,
                    const struct endpoint *remote)
{
	struct ip from = local->ip;

	return !addr_is_any(&from) || tuple_source(&from, sock_family(&call->sock), remote);
}

/* connect: later connections may share the port, from now on. */
static int bind_for_connect(struct call *call, const struct range *range, struct aim *aim,
                            struct endpoint *local)
{
	const struct endpoint *remote =
	        call->verdict.kind == VERDICT_MOVED ? &call->verdict.to : &call->op.asked;
	int ret;

	if (range->is_limit && call->op.has_asked && !has_way(call, local, remote))
		return 0;
	ret = bind_free(call, range, aim, local);
	if (sock_proto(&call->sock) != PROTO_TCP)
		return ret;
	if (ret == 0)
		set_option(call->op.fd, share_option(range), 1);
	else if (is_taken(ret))
		ret = bind_shared(call, range, aim, local, remote);
	return ret;
}

/* As the kernel says it, where no port was left. */
static bool take_port(struct call *call, enum op_kind kind, const struct range *range,
                      struct aim *aim)
{
	struct endpoint local = local_of(call);
	struct aim own = {.addr = NULL};
	int error;

	if (kind == OP_BIND)
		return assign_bind(call, range, aim);
	if (process.is_sandboxed) /* no system call that the program would not make here */
		return true;
	error = kind == OP_LISTEN ? bind_free(call, range, &own, &local)
	                          : bind_for_connect(call, range, &own, &local);
	if (error == EADDRINUSE)
		error = engine_no_port(kind, sock_proto(&call->sock));
	if (error != EINVAL) /* EINVAL: it is bound, in a way that was not seen */
		call->verdict.error = error;
	if (call->verdict.error && sock_bits(&call->sock) & SOCKET_BOUND) {
		local.port = 0; /* the address of IP_BIND_ADDRESS_NO_PORT: a failed bind takes it */
		bind_to(call, &own, &local);
	}
	return !call->verdict.error;
}

/* Is there a port to be taken by a call of this kind? bindresvport has no aim: libc tries one
 * port after the other. */
static bool takes_port(const struct call *call, enum op_kind kind, const struct aim *aim)
{
	return kind == OP_BIND     ? aim != NULL
	       : kind == OP_LISTEN ? sock_proto(&call->sock) == PROTO_TCP
	                           : true;
}

bool assign_port(struct call *call, enum op_kind kind, struct aim *aim)
{
	const struct range range = {call->verdict.low, call->verdict.high, false};

	if (!takes_port(call, kind, aim) || kernel_assigns(call, &range))
		return true;
	return take_port(call, kind, &range, aim);
}

/* ---- limit ports ---- */

/* A range that the program has set holds within the limit's. For bind and listen, the kernel
 * looks for TCP ports by pairs, and leaves an odd one out. */
static struct range range_of_limit(uint64_t limit, enum op_kind kind, const struct call *call)
{
	uint32_t within = (uint32_t)limit << 16 | (uint16_t)(limit >> 16);
	struct range range = {.is_limit = true};

	if (!process.is_sandboxed)
		within = ports_within(within, ports_of(call->op.fd));
	range.low = (uint16_t)within;
	range.high = (uint16_t)(within >> 16);
	if ((kind == OP_BIND || kind == OP_LISTEN) && sock_proto(&call->sock) == PROTO_TCP &&
	    range.high > range.low && (range.high - range.low) % 2 == 0)
		range.high--;
	return range;
}

bool assign_limited(struct call *call, enum op_kind kind, struct aim *aim)
{
	uint64_t limit = atomic_load(&process.engine.ports);
	struct range range;

	if (!engine_limits_port(&process.engine, kind, call) || !takes_port(call, kind, aim))
		return true;
	range = range_of_limit(limit, kind, call);
	if (take_port(call, kind, &range, aim))
		return true;
	if (call->verdict.error == engine_no_port(kind, sock_proto(&call->sock)))
		ports_blame(call, (uint32_t)(limit >> 32));
	return false;
}
