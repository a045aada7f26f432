/* SPDX-License-Identifier: MIT */
/* make_rules.h - sets of rules in a made session, put together by hand. */
#ifndef TESTS_MAKE_RULES_H
#define TESTS_MAKE_RULES_H

#include <errno.h>

#include "core/rules.h"
#include "tests/unit/make_session.h"

#define MADE_RULES_SOURCE "web.rules"

/* count rules that match any bind, with nothing else said; for made_enforce(). */
static inline struct rules *made_rules(uint32_t count)
{
	size_t texts_at = sizeof(struct rules) + count * sizeof(struct rule);
	size_t size = texts_at + SESSION_LINE + rules_index_room(count);
	struct rules *rules;

	size = (size + SESSION_LINE - 1) / SESSION_LINE * SESSION_LINE;
	rules = aligned_alloc(SESSION_LINE, size);
	assert(rules);
	memset(rules, 0, size);
	memcpy(rules->magic, RULES_MAGIC, sizeof(rules->magic));
	rules->bytes = (uint32_t)size;
	rules->count = count;
	rules->texts_at = (uint32_t)texts_at;
	rules->texts_bytes = sizeof(MADE_RULES_SOURCE) - 1;
	memcpy((char *)rules + texts_at, MADE_RULES_SOURCE, rules->texts_bytes);
	rules->sources = 1;
	rules->source[0] = (struct rule_text){0, rules->texts_bytes};
	for (uint32_t i = 0; i < count; i++) {
		rules->rule[i].calls = RULE_CALL(OP_BIND);
		rules->rule[i].protos = RULE_TCP;
		rules->rule[i].line = i + 1;
	}
	return rules;
}

/* Put a set in force at a time since the epoch, and free it. Returns where it stands. */
static inline struct rules *made_enforce(struct made *made, struct rules *rules, uint64_t since)
{
	uint32_t before = made->header->rules_page, page;
	struct session_chunk head;
	struct rules *at;

	assert(rules_index(rules, rules->bytes));
	rules->before = before;
	rules->number = before ? session_rules_at(made->header, before)->number + 1 : 1;
	rules->since = MADE_EPOCH + since;
	page = session_take_rules(made->header, made->bytes, rules->bytes);
	assert(page);
	at = session_rules_at(made->header, page);
	head = session_rules_head(rules->bytes);
	memcpy((char *)at - SESSION_LINE, &head, sizeof(head));
	memcpy(at, rules, rules->bytes);
	free(rules);
	session_enforce_rules(made->header, page);
	return at;
}

/* deny bind tcp :LOW-HIGH */
static inline struct rule *made_port(struct rule *rule, enum action action, uint16_t low,
                                     uint16_t high)
{
	rule->action = (uint8_t)action;
	rule->local.flags = PATTERN_PORT;
	rule->local.port_low = low;
	rule->local.port_high = high;
	rule->error = action == ACTION_DENY ? EACCES : 0;
	return rule;
}

/* ... to 127.0.0.1:PORT */
static inline struct rule *made_target(struct rule *rule, uint16_t port)
{
	rule->action = ACTION_MOVE;
	rule->flags |= RULE_TO_ADDR | RULE_TO_PORT;
	rule->to = (struct endpoint){made_ip(127, 0, 0, 1), port};
	rule->low = rule->high = port;
	return rule;
}

#endif
