/* SPDX-License-Identifier: MIT */
/* make_sets.h - sets of rules, put together by hand. For made_enforce() of
 * make_session.h. */
#ifndef TESTS_MAKE_SETS_H
#define TESTS_MAKE_SETS_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules.h"
#include "core/session.h"

#define MADE_RULES_SOURCE "web.rules"

/* count rules that allow any bind; for free(). */
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
	assert(rules_index(rules, size));
	return rules;
}

#endif
