/* SPDX-License-Identifier: MIT */
/* decide.c - from a call to a verdict: the first rule that matches decides. */
#include "core/engine.h"

/* The calls that limits touch. Where the kernel sees to limit ports, that touches none. */
static uint32_t limited_calls(const struct engine *engine, const struct rules *rules)
{
	uint32_t calls = 0;

	if (atomic_load_explicit(&engine->ports, memory_order_relaxed) ||
	    !(rules->limits & 1 << LIMIT_PORTS))
		return rules->fault_calls | rules->limit_calls;
	for (uint32_t i = 0; i < rules->count; i++)
		if (rules->rule[i].action == ACTION_LIMIT && rules->rule[i].limit != LIMIT_PORTS)
			calls |= rules->rule[i].calls;
	return rules->fault_calls | calls;
}

void engine_set_rules(struct engine *engine, struct rules *rules)
{
	uint32_t calls = rules ? rules->calls : 0;
	uint32_t limits = rules ? limited_calls(engine, rules) : 0;

	/* a pair of sockets is two sockets; fast open connects in a send */
	if (calls & RULE_CALL(OP_SOCKET))
		calls |= RULE_CALL(OP_SOCKETPAIR);
	if (calls & RULE_CALL(OP_BIND))
		calls |= RULE_CALL(OP_LISTEN);
	/* with IP_BIND_ADDRESS_NO_PORT it is connect that takes the port of a bind */
	if (calls & RULE_CALL(OP_BIND) && rules->actions & 1 << ACTION_ASSIGN)
		calls |= RULE_CALL(OP_CONNECT);
	if (calls & RULE_CALL(OP_CONNECT))
		calls |= RULE_CALL(OP_SEND);
	if (limits & RULE_CALL(OP_SOCKET))
		limits |= RULE_CALL(OP_SOCKETPAIR);
	atomic_store_explicit(&engine->rules, rules, memory_order_release);
	atomic_store_explicit(&engine->limited, limits, memory_order_release);
	atomic_store_explicit(&engine->ruled, calls | limits, memory_order_release);
}

unsigned engine_proto(enum op_kind kind, const struct call *call)
{
	bool is_birth = kind == OP_SOCKET || kind == OP_SOCKETPAIR;
	enum family family = is_birth ? call->op.family : sock_family(&call->sock);
	enum proto proto = is_birth ? call->op.proto : sock_proto(&call->sock);

	if (family == FAMILY_UNIX)
		return RULE_UNIX;
	if (proto == PROTO_TCP)
		return RULE_TCP;
	return proto == PROTO_UDP ? RULE_UDP : RULE_OTHER;
}

/* The peer of a connected socket, where the call names none. */
static bool has_peer(enum op_kind kind)
{
	return kind == OP_SEND || kind == OP_RECV || kind == OP_CLOSE;
}

/* Field by field: the endpoints that are not there need no zeros. */
HOT void fill_query(struct rule_query *query, const struct engine *engine, enum op_kind kind,
                    const struct call *call)
{
	const struct op *op = &call->op;
	bool is_birth = kind == OP_SOCKET || kind == OP_SOCKETPAIR;
	bool is_local = kind == OP_BIND || kind == OP_LISTEN;

	query->call = is_birth ? OP_SOCKET : kind;
	query->proto = engine_proto(kind, call);
	query->has_local = is_local && op->has_asked;
	query->has_remote = !is_local && op->has_asked;
	query->path = op->path;
	query->path_len = op->path_len;
	query->name = engine->name;
	query->program = engine->program;
	query->name_hash = engine->who[1];
	query->program_hash = engine->who[2];
	if (is_local)
		query->local = op->asked;
	else
		query->remote = op->asked;
	if (has_peer(kind) && !op->has_asked)
		query->has_remote =
		        sockets_told_remote(&engine->sockets, op->fd, &call->sock, &query->remote);
	if (!is_local && !is_birth)
		query->has_local =
		        sockets_told_local(&engine->sockets, op->fd, &call->sock, &query->local);
}

struct rule_query engine_query(const struct engine *engine, enum op_kind kind,
                               const struct call *call)
{
	struct rule_query query = {.has_local = false};

	fill_query(&query, engine, kind, call);
	return query;
}

static void deny(struct verdict *verdict, int error)
{
	verdict->kind = VERDICT_DENIED;
	verdict->error = error;
}

int engine_no_port(enum op_kind kind, enum proto proto)
{
	if (kind == OP_BIND || kind == OP_LISTEN)
		return EADDRINUSE;
	return proto == PROTO_TCP ? EADDRNOTAVAIL : EAGAIN;
}

/* The range that a rule gives; the session's own for `auto`, if there was one left. */
static void take_range(const struct engine *engine, enum op_kind kind, const struct rule *rule,
                       struct call *call)
{
	struct verdict *verdict = &call->verdict;
	bool is_auto = rule->flags & RULE_AUTO;

	verdict->low = is_auto ? engine->auto_low : rule->low;
	verdict->high = is_auto ? engine->auto_high : rule->high;
	if (!verdict->high)
		verdict->error = engine_no_port(kind, sock_proto(&call->sock));
}

static void move(const struct engine *engine, enum op_kind kind, const struct rule *rule,
                 struct call *call)
{
	struct verdict *verdict = &call->verdict;
	enum family family = sock_family(&call->sock);

	if (!call->op.has_asked || (family != FAMILY_INET && family != FAMILY_INET6))
		return;
	verdict->to = call->op.asked;
	verdict->low = verdict->high = 0;
	if (rule->flags & RULE_TO_ADDR)
		verdict->to.ip = rule->to.ip;
	if (rule->flags & RULE_AUTO || (rule->flags & RULE_TO_PORT && rule->low != rule->high)) {
		verdict->to.port = 0;
		take_range(engine, kind, rule, call);
	} else if (rule->flags & RULE_TO_PORT) {
		verdict->to.port = rule->low;
	}
	verdict->kind = VERDICT_MOVED;
	if (family == FAMILY_INET && !addr_is_v4(&verdict->to.ip))
		deny(verdict, EAFNOSUPPORT); /* the socket has no way to go there */
	else if (!engine->sockets.asked)
		deny(verdict, ENOMEM); /* nowhere to remember what was asked */
}

/* Only a socket without a port can be given one. With IP_BIND_ADDRESS_NO_PORT it is
 * connect that takes it. */
static bool takes_port(enum op_kind kind, const struct call *call)
{
	uint32_t bits = sock_bits(&call->sock);
	enum proto proto = sock_proto(&call->sock);

	if (proto != PROTO_TCP && proto != PROTO_UDP)
		return false;
	if (kind == OP_BIND)
		return call->op.has_asked && call->op.asked.port == 0 && !(bits & SOCKET_NO_PORT);
	return !(bits & SOCKET_LOCAL && call->sock.local_port);
}

/* ---- limit ports ---- */

uint32_t engine_ports_rule(const struct engine *engine, const struct rules *rules)
{
	const struct rule_query query = {.call = OP_BIND,
	                                 .proto = RULE_TCP,
	                                 .name = engine->name,
	                                 .program = engine->program};
	uint32_t number = 0;

	if (!(rules->limits & 1 << LIMIT_PORTS))
		return 0;
	for (uint32_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (rule->action != ACTION_LIMIT || rule->limit != LIMIT_PORTS ||
		    rule_mismatch(rules, rule, &query) != MISMATCH_NONE)
			continue;
		if (rule->flags & RULE_PROGRAM)
			return i + 1;
		number = number ? number : i + 1;
	}
	return number;
}

bool engine_limits_port(const struct engine *engine, enum op_kind kind, const struct call *call)
{
	const struct verdict *verdict = &call->verdict;
	enum family family = sock_family(&call->sock);

	if (!atomic_load_explicit(&engine->ports, memory_order_relaxed) ||
	    (family != FAMILY_INET && family != FAMILY_INET6))
		return false;
	if (verdict->kind == VERDICT_ASSIGNED)
		return false; /* what policy gives comes first */
	if (verdict->kind == VERDICT_MOVED &&
	    (verdict->high || (kind == OP_BIND && verdict->to.port)))
		return false;
	if (kind == OP_SEND && sock_proto(&call->sock) != PROTO_UDP)
		return false; /* TCP's own is a connect: fast open */
	return (kind == OP_BIND || kind == OP_LISTEN || kind == OP_CONNECT || kind == OP_SEND) &&
	       takes_port(kind, call);
}

static void decide(const struct engine *engine, enum op_kind kind, const struct rule *rule,
                   struct call *call)
{
	switch ((enum action)rule->action) {
	case ACTION_DENY:
		/* to be turned away is no error, unless the rule gives one */
		deny(&call->verdict,
		     kind == OP_ACCEPT && !(rule->flags & RULE_ERROR) ? 0 : rule->error);
		break;
	case ACTION_MOVE:
		move(engine, kind, rule, call);
		break;
	case ACTION_ASSIGN:
		if (takes_port(kind, call)) {
			call->verdict.kind = VERDICT_ASSIGNED;
			take_range(engine, kind, rule, call);
		}
		break;
	case ACTION_ALLOW:
	case ACTION_LIMIT:
	case ACTION_FAIL:
	case ACTION_DELAY:
	case ACTIONS:
		break;
	}
}

void engine_before(struct engine *engine, enum op_kind kind, struct call *call)
{
	struct rules *rules = atomic_load_explicit(&engine->rules, memory_order_acquire);
	struct rule_query query;
	uint32_t number;

	if (!rules || !(rules->calls & RULE_CALL(kind == OP_SOCKETPAIR ? OP_SOCKET : kind)))
		return;
	fill_query(&query, engine, kind, call);
	number = rules_find(rules, &query);
	if (!number)
		return;
	call->verdict.rule = (uint16_t)number;
	decide(engine, kind, &rules->rule[number - 1], call);
	atomic_fetch_add_explicit(&rules->rule[number - 1].matched, 1, memory_order_relaxed);
}
