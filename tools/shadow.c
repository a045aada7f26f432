/* SPDX-License-Identifier: MIT */
/* shadow.c - one rule that covers another. See shadow.h. */
#include "tools/shadow.h"

#include <string.h>

/* What makes a rule match at some times only. */
enum { SOMETIMES = RULE_WHEN | RULE_PROBABILITY | RULE_AFTER | RULE_FOR | RULE_WHILE };

enum { UNUSUAL = '\1' }; /* a character that no name has */

static bool text_covers(const struct rules *rules, struct rule_text a, struct rule_text b)
{
	size_t a_len, b_len;
	const char *a_text = rules_text(rules, a, &a_len), *b_text = rules_text(rules, b, &b_len);

	return rule_glob_covers(a_text, a_len, b_text, b_len);
}

static bool ports_cover(const struct pattern *a, const struct pattern *b)
{
	if (!(a->flags & PATTERN_PORT) || (a->port_low == 0 && a->port_high == UINT16_MAX))
		return true;
	return b->flags & PATTERN_PORT && a->port_low <= b->port_low &&
	       a->port_high >= b->port_high;
}

/* A prefix shorter than that of the mapped addresses has no IPv4. */
static bool address_covers(const struct pattern *a, const struct pattern *b)
{
	if (!(a->flags & PATTERN_ADDR))
		return true;
	if (!(b->flags & PATTERN_ADDR) || a->bits > b->bits ||
	    !addr_in_prefix(&b->ip, &a->ip, a->bits))
		return false;
	return a->bits >= 96 || b->bits < 96 || !addr_is_v4(&b->ip);
}

/* Of the same endpoint. */
static bool pattern_covers(const struct rules *rules, const struct pattern *a,
                           const struct pattern *b)
{
	if (a->flags == 0)
		return true;
	if ((a->flags | b->flags) & PATTERN_PATH)
		return a->flags & b->flags & PATTERN_PATH && text_covers(rules, a->path, b->path);
	return b->flags != 0 && ports_cover(a, b) && address_covers(a, b);
}

static bool names_local(const struct rule *rule, enum op_kind call)
{
	return rule->flags & RULE_NAMED && (call == OP_BIND || call == OP_LISTEN);
}

/* Do b's patterns of an endpoint in a call keep within a pattern of a? */
static bool end_covers(const struct rules *rules, const struct pattern *a, bool is_local,
                       const struct rule *b, enum op_kind call)
{
	bool remote_is_local = names_local(b, call);

	if (a->flags == 0)
		return true;
	if ((is_local || a->flags & PATTERN_PATH) && pattern_covers(rules, a, &b->local))
		return true;
	return (is_local == remote_is_local || a->flags & PATTERN_PATH) &&
	       pattern_covers(rules, a, &b->remote);
}

static bool program_covers(const struct rules *rules, const struct rule *a, const struct rule *b)
{
	size_t a_len, b_len;
	const char *a_text = rules_text(rules, a->program, &a_len);
	const char *b_text = rules_text(rules, b->program, &b_len);

	if (!(a->flags & RULE_PROGRAM))
		return true;
	return b->flags & RULE_PROGRAM &&
	       !memchr(a_text, '/', a_len) == !memchr(b_text, '/', b_len) &&
	       rule_glob_covers(a_text, a_len, b_text, b_len);
}

bool shadow_covers(const struct rules *rules, const struct rule *a, const struct rule *b)
{
	if (b->calls & ~a->calls || b->protos & ~a->protos || a->flags & SOMETIMES ||
	    !program_covers(rules, a, b))
		return false;
	for (uint32_t calls = b->calls; calls; calls &= calls - 1) {
		enum op_kind call = (enum op_kind)__builtin_ctz(calls);

		if (!end_covers(rules, &a->local, true, b, call) ||
		    !end_covers(rules, &a->remote, names_local(a, call), b, call))
			return false;
	}
	return true;
}

/* A name that a pattern matches, NUL-terminated. Returns its length, or SIZE_MAX. */
static size_t unusual_name(char *name, size_t size, const struct rules *rules,
                           struct rule_text pattern)
{
	size_t len;
	const char *text = rules_text(rules, pattern, &len);

	if (len >= size)
		return SIZE_MAX;
	for (size_t i = 0; i < len; i++)
		name[i] = text[i] == '*' || text[i] == '?' ? UNUSUAL : text[i];
	name[len] = '\0';
	return len;
}

static void put_end(struct rule_query *query, bool is_local, const struct pattern *pattern)
{
	struct endpoint *end = is_local ? &query->local : &query->remote;

	if (!(pattern->flags & (PATTERN_ADDR | PATTERN_PORT)))
		return;
	*(is_local ? &query->has_local : &query->has_remote) = true;
	if (pattern->flags & PATTERN_ADDR)
		end->ip = pattern->ip;
	if (pattern->flags & PATTERN_PORT)
		end->port = pattern->port_low;
}

bool shadow_find_witness(struct shadow_witness *witness, const struct rules *rules,
                         const struct rule *rule)
{
	struct rule_query *query = &witness->query;
	const struct pattern *path =
	        rule->local.flags & PATTERN_PATH ? &rule->local : &rule->remote;

	if (rule->calls == 0 || rule->protos == 0)
		return false;
	*query = (struct rule_query){.call = (enum op_kind)__builtin_ctz(rule->calls),
	                             .proto = rule->protos & -(unsigned)rule->protos};
	put_end(query, names_local(rule, query->call), &rule->remote);
	put_end(query, true, &rule->local);
	if (path->flags & PATTERN_PATH) {
		query->path_len =
		        unusual_name(witness->path, sizeof(witness->path), rules, path->path);
		query->path = query->path_len == SIZE_MAX ? NULL : witness->path;
	}
	if (rule->flags & RULE_PROGRAM) {
		size_t len = unusual_name(witness->program, sizeof(witness->program), rules,
		                          rule->program);

		if (len == SIZE_MAX)
			return false;
		*(memchr(witness->program, '/', len) ? &query->program : &query->name) =
		        witness->program;
	}
	return rule_mismatch(rules, rule, query) == MISMATCH_NONE;
}

uint32_t shadow_of(const struct rules *rules, uint32_t index)
{
	const struct rule *rule = &rules->rule[index];
	struct shadow_witness witness;
	uint32_t first = 0;

	if (rule->action > ACTION_ASSIGN)
		return 0;
	if (shadow_find_witness(&witness, rules, rule))
		first = rules_find(rules, &witness.query); /* none before it covers the rule */
	first = first ? first - 1 : 0;
	for (uint32_t i = first; i < index; i++)
		if (rules->rule[i].action <= ACTION_ASSIGN &&
		    shadow_covers(rules, &rules->rule[i], rule))
			return i + 1;
	return 0;
}
