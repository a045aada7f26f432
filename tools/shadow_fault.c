/* SPDX-License-Identifier: MIT */
/* shadow_fault.c - limits and faults that never come to anything. See shadow.h. */
#include "tools/shadow.h"

static bool is_per_process(const struct rule *rule)
{
	return rule->limit == LIMIT_FDS || rule->limit == LIMIT_PORTS ||
	       rule->limit == LIMIT_BACKLOG ||
	       (rule->limit == LIMIT_SOCKETS && !(rule->flags & RULE_TREE));
}

/* `in *` names every program. */
static bool names_all(const struct rules *rules, const struct rule *rule)
{
	size_t len;
	const char *name = rules_text(rules, rule->program, &len);

	for (size_t i = 0; i < len; i++)
		if (name[i] != '*')
			return false;
	return rule->flags & RULE_PROGRAM && len > 0;
}

static bool is_rival(const struct rule *a, const struct rule *b)
{
	return a->action == ACTION_LIMIT && a->limit == b->limit &&
	       !(a->flags & RULE_TREE) == !(b->flags & RULE_TREE);
}

/* Does a, which may stand behind b, hold wherever b would? */
static bool takes_place(const struct rules *rules, const struct rule *a, const struct rule *b)
{
	bool is_nearer = a->flags & RULE_PROGRAM && !(b->flags & RULE_PROGRAM);

	if (is_nearer)
		return names_all(rules, a);
	return a < b && !(a->flags & RULE_PROGRAM) == !(b->flags & RULE_PROGRAM) &&
	       shadow_covers(rules, a, b);
}

/* Is a, of two that both hold, always reached before b? */
static bool is_reached_before(const struct rules *rules, const struct rule *a, const struct rule *b)
{
	return (a->amount < b->amount || (a->amount == b->amount && a < b)) &&
	       shadow_covers(rules, a, b);
}

uint32_t shadow_of_limit(const struct rules *rules, uint32_t index)
{
	const struct rule *rule = &rules->rule[index];

	if (rule->action != ACTION_LIMIT || rule_is_fault(rule))
		return 0;
	for (uint32_t i = 0; i < rules->count; i++) {
		const struct rule *other = &rules->rule[i];

		if (i == index || !is_rival(other, rule))
			continue;
		if (is_per_process(rule) ? takes_place(rules, other, rule)
		                         : is_reached_before(rules, other, rule))
			return i + 1;
	}
	return 0;
}

/* The part of a fault's calls: does policy deny it? Before the rule that denies it there may
 * be others, but only such as deny, too. */
static bool is_part_denied(const struct rules *rules, const struct rule *part)
{
	for (uint32_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (rule->action > ACTION_ASSIGN || !(rule->calls & part->calls) ||
		    !(rule->protos & part->protos))
			continue;
		if (rule->action != ACTION_DENY)
			return false;
		if (shadow_covers(rules, rule, part))
			return true;
	}
	return false;
}

bool shadow_is_denied(const struct rules *rules, uint32_t index)
{
	const uint32_t asked = RULE_CALL(OP_SOCKET) | RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) |
	                       RULE_CALL(OP_CONNECT); /* policy comes first, always */
	const struct rule *rule = &rules->rule[index];

	if (!rule_is_fault(rule) || rule->calls & ~asked)
		return false;
	for (uint32_t calls = rule->calls; calls; calls &= calls - 1)
		for (unsigned protos = rule->protos; protos; protos &= protos - 1) {
			struct rule part = {
			        .calls = calls & -calls,
			        .protos = (uint8_t)(protos & -protos),
			        .flags = rule->flags,
			        .local = rule->local,
			        .remote = rule->remote,
			        .program = rule->program,
			};

			if (!is_part_denied(rules, &part))
				return false;
		}
	return true;
}
