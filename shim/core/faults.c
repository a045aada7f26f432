/* SPDX-License-Identifier: MIT */
/* faults.c - whose turn it is, and what chance says.
 *
 * A rule's turns are the calls of the session that it matches, counted from 1; that is
 * all that its state is. What it draws for a turn is a function of the seed, of the rule's
 * own text and of the turn: it does not matter which other rules there are, which thread makes
 * the call or what was drawn before. Which call gets which turn is the order in which
 * threads and processes happen to make them. */
#include "core/engine.h"
#include "core/rules_index.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

enum draw { DRAW_PROBABILITY, DRAW_JITTER };

enum { MILLION = 1000000 };

/* The mixing step of splitmix64 (public domain constants). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* A number below `below`; 0, from a damaged set, is as good as 1. */
static uint64_t draw(const struct engine *engine, const struct rule *rule, uint64_t turn,
                     enum draw what, uint64_t below)
{
	uint64_t state = mix(mix(engine->seed ^ mix(rule->salt)) + what);
	uint64_t number = mix(state + turn * GOLDEN);

	return below ? number % below : 0;
}

static bool is_in_time(const struct rule *rule, uint64_t since_ns)
{
	uint64_t after = rule->flags & RULE_AFTER ? rule->after_ns : 0;

	return since_ns >= after && (!(rule->flags & RULE_FOR) || since_ns - after < rule->for_ns);
}

static bool is_turn(const struct engine *engine, const struct rule *rule, const struct op *op,
                    uint64_t turn)
{
	if (!rule_has_turn(rule, turn))
		return false;
	if (rule->flags & (RULE_AFTER | RULE_FOR) && !is_in_time(rule, op->since_ns))
		return false;
	if (rule->flags & RULE_WHILE && op->sockets < rule->amount)
		return false;
	return !(rule->flags & RULE_PROBABILITY) ||
	       draw(engine, rule, turn, DRAW_PROBABILITY, MILLION) < rule->probability;
}

/* delay, give or take jitter. */
static uint64_t delay_of(const struct engine *engine, const struct rule *rule, uint64_t turn)
{
	uint64_t jitter = rule->flags & RULE_JITTER ? rule->jitter_ns : 0;
	uint64_t least = rule->delay_ns > jitter ? rule->delay_ns - jitter : 0;
	uint64_t most = rule->delay_ns + jitter;

	return least + draw(engine, rule, turn, DRAW_JITTER, most - least + 1);
}

static void fail(struct verdict *verdict, const struct rule *rule, uint32_t number)
{
	verdict->kind = rule->action == ACTION_LIMIT ? VERDICT_LIMITED : VERDICT_FAILED;
	verdict->error = rule->error;
	verdict->rule = (uint16_t)number;
}

static void delay(struct verdict *verdict, uint64_t ns, uint32_t number)
{
	uint64_t left = INT64_MAX - verdict->delay_ns; /* the longest that there is */

	verdict->delay_ns += ns < left ? ns : left;
	if (verdict->kind == VERDICT_PASSED) {
		verdict->kind = VERDICT_DELAYED;
		verdict->rule = (uint16_t)number;
	}
}

/* The call matches this rule. */
HOT void meet(const struct engine *engine, struct rules *rules, uint32_t number, struct call *call)
{
	struct rule *rule = &rules->rule[number - 1];
	struct verdict *verdict = &call->verdict;
	uint64_t turn = atomic_fetch_add_explicit(&rule->turns, 1, memory_order_relaxed) + 1;

	verdict->counted = (uint16_t)number;
	verdict->turn = turn;
	if (verdict->error && rule->action != ACTION_DELAY)
		return; /* a rule before has failed it */
	if (!is_turn(engine, rule, &call->op, turn))
		return;
	atomic_fetch_add_explicit(&rule->matched, 1, memory_order_relaxed);
	if (rule->action == ACTION_DELAY)
		delay(verdict, delay_of(engine, rule, turn), number);
	else
		fail(verdict, rule, number);
}

void engine_faults(struct engine *engine, enum op_kind kind, struct call *call)
{
	struct rules *rules = atomic_load_explicit(&engine->rules, memory_order_acquire);
	enum op_kind named = kind == OP_SOCKETPAIR ? OP_SOCKET : kind;
	struct rule_query query;
	uint32_t number = 0;

	call->verdict.delay_ns = 0;
	call->verdict.counted = 0;
	if (!rules || !(rules->fault_calls & RULE_CALL(named)))
		return;
	if (rules_fault_is_plain(rules, named, engine_proto(kind, call), &number)) {
		if (number)
			meet(engine, rules, number, call);
		return;
	}
	query = engine_query(engine, kind, call);
	for (number = 0; (number = rules_next_fault(rules, &query, number));)
		meet(engine, rules, number, call);
}
