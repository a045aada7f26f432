/* SPDX-License-Identifier: MIT */
/* explain_faults.c - see explain_faults.h.
 * Turns are those of the rules: of a session that is explained, it goes on with them. What
 * is drawn, and what time or open sockets decide, is said as such. */
#include "tools/explain_faults.h"

#include <netdb.h>
#include <string.h>

#include "core/rules_errors.h"
#include "tools/rule_wording.h"

enum { CONDITIONS = RULE_PROBABILITY | RULE_AFTER | RULE_FOR | RULE_WHILE };

/* ---- limits ---- */

static bool is_per_process(const struct rule *rule)
{
	return rule->limit != LIMIT_CONNECTIONS && !(rule->flags & RULE_TREE);
}

/* Whatever the call: is it a rule for the program? */
static bool is_for_program(const struct explain *explain, const struct rule *rule,
                           const struct rule_query *query)
{
	struct rule bare = {.calls = UINT32_MAX, .protos = RULE_ANY_PROTO};

	bare.flags = rule->flags & RULE_PROGRAM;
	bare.program = rule->program;
	return rule_mismatch(explain->rules, &bare, query) == MISMATCH_NONE;
}

/* Of the limits of a kind that each process has once: the first that names the program, else
 * the first that names none. */
static bool is_in_force(const struct explain *explain, uint32_t index,
                        const struct rule_query *query)
{
	const struct rules *rules = explain->rules;
	const struct rule *rule = &rules->rule[index];

	if (!is_for_program(explain, rule, query))
		return false;
	for (uint32_t i = 0; is_per_process(rule) && i < rules->count; i++) {
		const struct rule *other = &rules->rule[i];
		bool is_rival = i != index && other->action == ACTION_LIMIT &&
		                other->limit == rule->limit && is_per_process(other);
		bool is_nearer = other->flags & RULE_PROGRAM && !(rule->flags & RULE_PROGRAM);
		bool is_as_near = !(other->flags & RULE_PROGRAM) == !(rule->flags & RULE_PROGRAM);

		if (is_rival && (is_nearer || (is_as_near && i < index)) &&
		    is_for_program(explain, other, query))
			return false;
	}
	return true;
}

static bool takes_ephemeral_port(const struct call *call)
{
	enum proto proto = sock_proto(&call->sock);

	if ((proto != PROTO_TCP && proto != PROTO_UDP) || call->verdict.kind == VERDICT_ASSIGNED)
		return false;
	if (call->op.kind == OP_BIND)
		return call->op.asked.port == 0;
	if (call->op.kind == OP_SEND && (proto == PROTO_TCP || !call->op.has_asked))
		return false; /* it is connected */
	return call->op.kind != OP_SOCKET && !call->sock.local_port;
}

/* The destination of a connection: of one that is accepted, the listener. */
static bool is_to(const struct explain *explain, const struct rule *rule, struct rule_query query)
{
	if (query.call == OP_ACCEPT) {
		query.has_remote = query.has_local;
		query.remote = query.local;
	}
	return query.proto == RULE_TCP &&
	       rule_mismatch(explain->rules, rule, &query) == MISMATCH_NONE;
}

static bool is_limit_met(const struct explain *explain, uint32_t index, const struct call *call,
                         const struct rule_query *query)
{
	const struct rule *rule = &explain->rules->rule[index];
	bool is_new = query->call == OP_SOCKET || query->call == OP_ACCEPT;

	if (rule->action != ACTION_LIMIT || rule_is_fault(rule))
		return false;
	if (rule->limit == LIMIT_FDS ? !is_new : !(rule->calls & RULE_CALL(query->call)))
		return false;
	if (rule->limit == LIMIT_CONNECTIONS)
		return is_to(explain, rule, *query);
	if (rule->limit == LIMIT_PORTS && !takes_ephemeral_port(call))
		return false;
	return is_in_force(explain, index, query);
}

static void say_limit(const struct explain *explain, uint32_t number)
{
	const struct rule *rule = &explain->rules->rule[number - 1];
	char effect[RULE_EFFECT_MAX];

	fprintf(explain->out, "  counts for ");
	explain_where(explain, number);
	fprintf(explain->out, "\n      %s\n",
	        rule_effect(effect, explain->rules, rule, explain->host));
}

/* ---- faults ---- */

static const char *error_text(int error)
{
	return error > RULE_EAI ? gai_strerror(RULE_EAI - error) : strerror(error);
}

/* failed: number of the rule that has failed the call, 0: none yet. Returns whether this one
 * does. */
static bool say_turn(const struct explain *explain, const struct rule *rule, uint64_t turn,
                     uint32_t failed)
{
	char effect[RULE_EFFECT_MAX];

	if (!rule_has_turn(rule, turn)) {
		fprintf(explain->out, "not its turn; %s\n",
		        rule_effect(effect, explain->rules, rule, explain->host));
		return false;
	}
	if (failed && rule->action != ACTION_DELAY) {
		fprintf(explain->out, "rule %u fails it before\n", failed);
		return false;
	}
	if (rule->flags & CONDITIONS) {
		fprintf(explain->out, "perhaps %s\n", fault_effect(effect, rule));
		return false;
	}
	if (rule->action == ACTION_DELAY) {
		fprintf(explain->out, "it is %s\n", fault_effect(effect, rule));
		return false;
	}
	fprintf(explain->out, "the program sees %s: %s\n", rule_error_name(rule->error),
	        error_text(rule->error));
	return true;
}

static void say_faults(const struct explain *explain, const struct rule_query *query)
{
	struct rules *rules = atomic_load(&explain->engine->rules);
	uint32_t number = 0, failed = 0;

	while ((number = rules_next_fault(rules, query, number))) {
		struct rule *rule = &rules->rule[number - 1];
		uint64_t turn = atomic_fetch_add(&rule->turns, 1) + 1;

		fprintf(explain->out, "  is call %llu of ", (unsigned long long)turn);
		explain_where(explain, number);
		fprintf(explain->out, "\n      ");
		if (say_turn(explain, rule, turn, failed))
			failed = number;
	}
}

/* ---- both ---- */

bool explain_meets_faults(const struct explain *explain, const struct call *call)
{
	struct rule_query query = engine_query(explain->engine, call->op.kind, call);

	for (uint32_t i = 0; i < explain->rules->count; i++)
		if (is_limit_met(explain, i, call, &query))
			return true;
	return rules_next_fault(explain->rules, &query, 0) != 0;
}

void explain_faults(const struct explain *explain, const struct call *call)
{
	struct rule_query query = engine_query(explain->engine, call->op.kind, call);

	for (uint32_t i = 0; i < explain->rules->count; i++)
		if (is_limit_met(explain, i, call, &query))
			say_limit(explain, i + 1);
	say_faults(explain, &query);
}
