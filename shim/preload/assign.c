/* SPDX-License-Identifier: MIT */
/* assign.c - see assign.h. */
#include "preload/assign.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "preload/capture.h"
#include "preload/tuple.h"
#include "sys/raw.h"
#include "sys/real.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

/* ---- the kernel's way ---- */

static bool set_range(int fd, uint16_t low, uint16_t high)
{
	uint32_t range = (uint32_t)high << 16 | low;

	return raw5(SYS_setsockopt, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range)) ==
	       0;
}

static bool has_range(int fd)
{
	uint32_t range = 0;
	socklen_t len = sizeof(range);

	return raw5(SYS_getsockopt, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &len) != 0 ||
	       range != 0;
}

/* A bound outside the host's range would count for nothing. A range of the program's own
 * stays untouched: then we choose. */
static bool kernel_assigns(struct call *call)
{
	const struct verdict *verdict = &call->verdict;
	int fd = call->op.fd;

	if (verdict->low < process.host_low || verdict->high > process.host_high ||
	    process.is_sandboxed || has_range(fd) || !set_range(fd, verdict->low, verdict->high))
		return false;
	call->sock.word |= SOCKET_RANGED;
	return true;
}

void assign_done(struct call *call)
{
	if (sock_bits(&call->sock) & SOCKET_RANGED) {
		set_range(call->op.fd, 0, 0);
		call->sock.word &= ~(uint64_t)SOCKET_RANGED;
	}
}

/* ---- our own ---- */

/* The ports of a range, each once. */
struct search {
	uint16_t low;
	uint32_t count, turn, left;
};

static struct search search_range(uint16_t low, uint16_t high)
{
	static _Atomic uint32_t own_turn;
	struct session_header *session = process.engine.session;
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

/* Bind to a port that nobody uses. Returns 0, EADDRINUSE (EACCES), or another errno that
 * has nothing to do with the port. */
static int bind_free(const struct call *call, struct aim *aim, struct endpoint *local)
{
	struct search search = search_range(call->verdict.low, call->verdict.high);
	struct reuse was = reuse_off(call);
	int ret = EADDRINUSE;

	while (is_taken(ret) && next_port(&search, &local->port))
		ret = bind_to(call, aim, local);
	reuse_restore(call->op.fd, was);
	return ret;
}

/* Every port is used: one that is not used towards this destination will do, for what
 * must be unique is the tuple. */
static int bind_shared(const struct call *call, struct aim *aim, struct endpoint *local,
                       const struct endpoint *remote)
{
	struct search search = search_range(call->verdict.low, call->verdict.high);
	struct tuple_query query;
	int ret = EADDRINUSE;

	if (!tuple_begin(&query, sock_family(&call->sock), local, remote))
		return EADDRNOTAVAIL;
	set_option(call->op.fd, SO_REUSEADDR, 1);
	while (is_taken(ret) && next_port(&search, &local->port))
		if (tuple_is_free(&query, local->port))
			ret = bind_to(call, aim, local);
	tuple_end(&query);
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
static bool assign_bind(struct call *call, struct aim *aim)
{
	struct endpoint local =
	        call->verdict.kind == VERDICT_MOVED ? call->verdict.to : call->op.asked;

	call->verdict.error = bind_free(call, aim, &local);
	return false;
}

/* connect: later connections may share the port, from now on. */
static int bind_for_connect(struct call *call, struct aim *aim, struct endpoint *local)
{
	int ret = bind_free(call, aim, local);

	if (sock_proto(&call->sock) != PROTO_TCP)
		return ret;
	if (ret == 0)
		set_option(call->op.fd, SO_REUSEADDR, 1);
	else if (is_taken(ret))
		ret = bind_shared(call, aim, local, &call->op.asked);
	return ret;
}

bool assign_port(struct call *call, enum op_kind kind, struct aim *aim)
{
	struct endpoint local = local_of(call);
	struct aim own = {.addr = NULL};
	int error;

	if (kind == OP_LISTEN && sock_proto(&call->sock) != PROTO_TCP)
		return true;
	if (kind == OP_BIND && !aim) /* bindresvport: libc tries one port after the other */
		return true;
	if (kernel_assigns(call))
		return true;
	if (kind == OP_BIND)
		return assign_bind(call, aim);
	if (process.is_sandboxed) /* no system call that the program would not make here */
		return true;
	error = kind == OP_LISTEN ? bind_free(call, &own, &local)
	                          : bind_for_connect(call, &own, &local);
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
