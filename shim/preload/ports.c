/* SPDX-License-Identifier: MIT */
/* ports.c - see ports.h. */
#include "preload/ports.h"

#include <netinet/in.h>
#include <string.h>

#include "preload/capture.h"
#include "preload/settings.h"
#include "preload/slice.h"
#include "preload/tuple.h"
#include "sys/raw.h"

struct ports ports;

static uint16_t low_of(uint32_t range)
{
	return (uint16_t)range;
}

static uint16_t high_of(uint32_t range)
{
	return (uint16_t)(range >> 16);
}

static uint32_t range_of(uint16_t low, uint16_t high)
{
	return (uint32_t)high << 16 | low;
}

/* ---- which range ---- */

bool ports_kernel_can(void)
{
	static _Atomic int can = -1;
	uint32_t range;
	socklen_t len = sizeof(range);
	long fd;

	if (atomic_load(&can) >= 0)
		return atomic_load(&can);
	if (strstr(settings.test, "no-port-range")) {
		atomic_store(&can, false);
		return false;
	}
	fd = raw3(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) /* no descriptor, or no IPv4: it may be there */
		return true;
	atomic_store(&can,
	             raw5(SYS_getsockopt, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &len) == 0);
	raw_close((int)fd);
	return atomic_load(&can);
}

/* The slice that the rules before have given, as low << 16 | high, if it is as large. */
static uint32_t range_before(uint32_t amount)
{
	uint32_t range = atomic_load(&ports.range);

	range = range ? range << 16 | range >> 16 : (uint32_t)atomic_load(&process.engine.ports);
	return range && (uint16_t)range - (range >> 16) + 1 == amount ? range : 0;
}

/* The first process that needs it chooses for the session. */
static uint32_t range_of_rule(struct rule *rule)
{
	uint32_t range = atomic_load(&rule->ports), none = 0;

	if (!range && rule->flags & RULE_RANGE)
		range = (uint32_t)rule->low << 16 | rule->high;
	else if (!range)
		range = range_before(rule->amount);
	if (!range && !process.is_sandboxed)
		range = slice_choose(rule->amount, process.host_low, process.host_high);
	if (range && !atomic_compare_exchange_strong(&rule->ports, &none, range))
		range = none;
	if (range >> 16 == 0 || range >> 16 > (uint16_t)range) /* a damaged set of rules */
		return 0;
	return range_of((uint16_t)(range >> 16), (uint16_t)range);
}

void ports_prepare(struct rules *rules)
{
	uint32_t number = rules ? engine_ports_rule(&process.engine, rules) : 0;
	uint32_t range = number ? range_of_rule(&rules->rule[number - 1]) : 0;
	bool is_inside = low_of(range) >= process.host_low && high_of(range) <= process.host_high;
	uint64_t ours = 0;

	if (range && !(is_inside && ports_kernel_can())) {
		ours = (uint64_t)number << 32 | (uint64_t)low_of(range) << 16 | high_of(range);
		range = 0;
	}
	atomic_store(&ports.rule, number);
	atomic_store(&ports.range, range);
	atomic_store(&process.engine.ports, ours);
}

/* ---- sockets get it ---- */

uint32_t ports_of(int fd)
{
	uint32_t range = 0;
	socklen_t len = sizeof(range);

	raw5(SYS_getsockopt, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, &len);
	return range;
}

bool ports_set(int fd, uint32_t range)
{
	return raw5(SYS_setsockopt, fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range)) ==
	       0;
}

static bool is_inet(enum family family, enum proto proto)
{
	return (family == FAMILY_INET || family == FAMILY_INET6) &&
	       (proto == PROTO_TCP || proto == PROTO_UDP);
}

/* So that it is known where the kernel cannot be asked. */
static void note_limited(int fd)
{
	struct sockets *sockets = &process.engine.sockets;

	if (sockets_knows(sockets, fd))
		sockets_change(sockets, fd, (uint32_t)(sockets_word(sockets_at(sockets, fd)) >> 32),
		               SOCKET_LIMITED, 0);
}

void ports_confine(int fd, enum family family, enum proto proto)
{
	if (fd >= 0 && !process.is_sandboxed && is_inet(family, proto) &&
	    ports_set(fd, atomic_load(&ports.range)))
		note_limited(fd);
}

/* One that has a port keeps it; one that has a range has it from its program, or from the
 * limit of another. */
void ports_adopt(int fd, const struct call *call)
{
	uint32_t range = atomic_load(&ports.range);

	if (process.is_sandboxed || !is_inet(call->op.family, call->op.proto) ||
	    (call->outcome.has_local && call->outcome.local.port))
		return;
	if (ports_of(fd) == range || (ports_of(fd) == 0 && ports_set(fd, range)))
		note_limited(fd);
}

/* ---- what it did ---- */

/* Had the call a port to take? Without one, the kernel has found none, or no way to go. */
static bool wanted_port(enum op_kind kind, const struct call *call)
{
	struct endpoint local;

	if (kind == OP_BIND) /* of port 0 it says so for this reason alone */
		return call->op.arg == 1;
	if (process.is_sandboxed)
		return !(sock_bits(&call->sock) & SOCKET_LOCAL && call->sock.local_port);
	if (capture_local(call->op.fd, &local) == FAMILY_OTHER || local.port)
		return false;
	return kind != OP_CONNECT || sock_proto(&call->sock) != PROTO_TCP ||
	       !call->outcome.has_remote || !addr_is_any(&local.ip) ||
	       tuple_source(&local.ip, sock_family(&call->sock), &call->outcome.remote);
}

static bool is_confined(const struct call *call, uint32_t range)
{
	return process.is_sandboxed ? sock_bits(&call->sock) & SOCKET_LIMITED
	                            : ports_of(call->op.fd) == range;
}

void ports_blame(struct call *call, uint32_t number)
{
	struct rules *rules = atomic_load(&process.engine.rules);

	if (call->verdict.kind == VERDICT_MOVED)
		call->outcome.text_len = 0; /* where it was moved to is told of moves alone */
	call->verdict.kind = VERDICT_LIMITED;
	call->verdict.rule = (uint16_t)number;
	if (rules && number && number <= rules->count)
		atomic_fetch_add_explicit(&rules->rule[number - 1].matched, 1,
		                          memory_order_relaxed);
}

void ports_explain(enum op_kind kind, struct call *call)
{
	uint32_t range = atomic_load(&ports.range), number = atomic_load(&ports.rule);
	enum family family = sock_family(&call->sock);
	enum proto proto = sock_proto(&call->sock);

	if (!range || call->verdict.error || call->verdict.kind == VERDICT_ASSIGNED ||
	    sock_bits(&call->sock) & SOCKET_RANGED || !is_inet(family, proto) ||
	    call->outcome.result != -engine_no_port(kind, proto))
		return;
	if (!wanted_port(kind, call) || !is_confined(call, range))
		return;
	ports_blame(call, number);
}

/* ---- a range of the program's own ---- */

uint32_t ports_within(uint32_t limit, uint32_t own)
{
	uint16_t low = low_of(limit), high = high_of(limit);

	if (low <= low_of(own) && low_of(own) <= high)
		low = low_of(own);
	if (low <= high_of(own) && high_of(own) <= high)
		high = high_of(own);
	return range_of(low, high);
}

/* What programs set, by the socket's cookie: few do, and fewer ask. Of sockets beyond that, and
 * of those of other programs, they are told the range that the kernel has. */
enum { OWN = 64 };

static struct {
	_Atomic uint64_t cookie;
	_Atomic uint32_t range;
} own[OWN];

void ports_option_set(int fd, const void *value)
{
	uint64_t cookie = capture_cookie(fd);
	uint32_t range;

	if (process.is_sandboxed)
		return;
	memcpy(&range, value, sizeof(range)); /* the kernel takes no other size */
	atomic_store(&own[cookie % OWN].cookie, 0);
	atomic_store(&own[cookie % OWN].range, range);
	atomic_store(&own[cookie % OWN].cookie, cookie);
	ports_set(fd, ports_within(atomic_load(&ports.range), range));
}

void ports_option_got(int fd, void *value, const socklen_t *len)
{
	uint64_t cookie = capture_cookie(fd);
	uint32_t range = 0, limit = atomic_load(&ports.range);

	if (cookie && atomic_load(&own[cookie % OWN].cookie) == cookie)
		range = atomic_load(&own[cookie % OWN].range);
	else if (process.is_sandboxed || ports_of(fd) != limit)
		return;
	memcpy(value, &range, *len < sizeof(range) ? *len : sizeof(range));
}
