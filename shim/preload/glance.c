/* SPDX-License-Identifier: MIT */
/* glance.c - see glance.h. */
#include "preload/glance.h"

#include <netinet/in.h>
#include <string.h>

#include "core/rules_glance.h"
#include "preload/hold.h"
#include "sys/raw.h"

HOT struct rules_glance glance_of(enum op_kind kind, enum proto proto, uint64_t end)
{
	return (struct rules_glance){
	        .key = rule_key(kind, RULE_TCP) + (unsigned)proto - PROTO_TCP,
	        .place = rule_names_local(kind) ? PLACE_LOCAL : PLACE_REMOTE,
	        .end = end,
	};
}

/* Does the address lie where it can be read? The call stands in the frame of the wrapper:
 * what is just above is read in place. At the end of a page, carry() looks closely. */
HOT bool is_at_hand(const struct call *call, const struct sockaddr *addr)
{
	enum { NEAR = 1024, PAGE = 4096 };
	const uintptr_t at = (uintptr_t)addr, size = sizeof(struct sockaddr_in);

	return at - (uintptr_t)call <= NEAR - size ||
	       (at % PAGE <= PAGE - size && raw_is_readable_at(at));
}

/* Family, port and address are the first 8 bytes of a sockaddr_in, ip(7). */
HOT struct rules_glance glance_at(const struct call *call, enum op_kind kind, const struct aim *aim)
{
	uint64_t number = rule_number((const uint8_t *)&aim->copy);

	return glance_of(kind, sock_proto(&call->sock),
	                 number << 32 | (number >> 32 & 0xffff) << 16);
}

static inline const struct rules *rules_in_force(void)
{
	return atomic_load_explicit(&process.engine.rules, memory_order_acquire);
}

/* A plain IPv4 socket: what it is, is known, and bind has not left a port open. */
HOT bool is_plain(const struct call *call)
{
	const uint32_t plain = SOCKET_KNOWN | FAMILY_INET << SOCKET_FAMILY_SHIFT;
	enum proto proto = sock_proto(&call->sock);

	return (sock_bits(&call->sock) & (plain | 3 << SOCKET_FAMILY_SHIFT | SOCKET_NO_PORT)) ==
	               plain &&
	       (proto == PROTO_TCP || proto == PROTO_UDP);
}

/* Copy the address of a plain socket, if it is an IPv4 one at hand. */
HOT bool copies_at_once(const struct call *call, struct aim *aim)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&aim->copy;

	if (!is_plain(call) || aim->len != sizeof(*in) || process.is_sandboxed)
		return false;
	if (aim->addr != (const struct sockaddr *)in) { /* else it is asked for again */
		if (!is_at_hand(call, aim->addr))
			return false;
		memcpy(in, aim->addr, sizeof(*in));
		aim->addr = (const struct sockaddr *)in;
	}
	return in->sin_family == AF_INET;
}

/* An IPv4 address of which no rule speaks, on a plain socket: most calls. It makes no call of
 * its own, so that there are no registers to save. */
HOT bool passes_at_once(const struct call *call, enum op_kind kind, struct aim *aim)
{
	const struct rules *rules = rules_in_force();

	return rules && copies_at_once(call, aim) &&
	       rules_pass_v4(rules, glance_at(call, kind, aim));
}

/* The same where rules name programs, or have no endpoint; else a close look. */
static __attribute__((noinline)) bool carry_on(struct call *call, enum op_kind kind,
                                               struct aim *aim)
{
	const struct rules *rules = rules_in_force();

	if (aim->addr == (const struct sockaddr *)&aim->copy && aim->addr->sa_family == AF_INET &&
	    is_plain(call) && rules &&
	    rules_pass_programs(rules, glance_at(call, kind, aim), process.engine.who))
		return true;
	return carry(call, kind, aim);
}

bool glance_connect(struct call *call, struct aim *aim)
{
	return passes_at_once(call, OP_CONNECT, aim) || carry_on(call, OP_CONNECT, aim);
}

bool glance_bind(struct call *call, struct aim *aim)
{
	return passes_at_once(call, OP_BIND, aim) || carry_on(call, OP_BIND, aim);
}

bool glance_send(struct call *call, struct aim *aim)
{
	return passes_at_once(call, OP_SEND, aim) || carry_on(call, OP_SEND, aim);
}

/* The peer of a connected socket. Returns false where it is not an IPv4 one. */
static bool read_peer(const struct call *call, uint64_t *number)
{
	struct endpoint end;

	if (!sockets_told_remote(&process.engine.sockets, call->op.fd, &call->sock, &end) ||
	    !addr_is_v4(&end.ip))
		return false;
	*number = rule_number(end.ip.byte + 8) << 32 | (uint64_t)end.port << 16;
	return true;
}

/* Where limits count, or a socket is held back, there is more to see to. */
bool glance_faults(const struct call *call, enum op_kind kind, struct aim *aim)
{
	const struct rules *rules = rules_in_force();
	const uint32_t faults = 1u << LIMIT_NONE | 1u << LIMIT_MEMORY;
	struct rules_glance glance;

	if (!rules || rules->limits & ~faults || hold_is_any() || !is_plain(call))
		return false;
	glance = glance_of(kind, sock_proto(&call->sock), 0);
	glance.key += rule_fault_key(kind, RULE_TCP) - rule_key(kind, RULE_TCP);
	if (rules->places[glance.key] != 1u << glance.place)
		return rules->places[glance.key] == 0;
	if (aim && copies_at_once(call, aim))
		glance.end = glance_at(call, kind, aim).end;
	else if (aim || !read_peer(call, &glance.end))
		return false;
	return rules_pass_v4_faults(rules, glance);
}

bool glance_accept(const struct call *call)
{
	const struct rules *rules = rules_in_force();
	const struct endpoint *end = &call->outcome.remote;
	uint64_t address = rule_number(end->ip.byte + 8);

	return rules && call->outcome.has_remote && sock_proto(&call->sock) == PROTO_TCP &&
	       addr_is_v4(&end->ip) &&
	       rules_pass_programs(
	               rules,
	               glance_of(OP_ACCEPT, PROTO_TCP, address << 32 | (uint64_t)end->port << 16),
	               process.engine.who);
}
