/* SPDX-License-Identifier: MIT */
/* compile_rules.h - sets of rules from text, for tests; what is wrong is kept as printed. */
#ifndef UNIT_COMPILE_RULES_H
#define UNIT_COMPILE_RULES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rules.h"

struct made {
	struct rules *rules;
	unsigned errors, problems;
	size_t len;
	char said[1 << 16]; /* all problems, as far as there is room */
};

static inline void made_report(void *context, const struct rules_problem *problem)
{
	struct made *made = context;

	made->problems++;
	made->len += rules_print_problem(made->said + made->len, sizeof(made->said) - made->len,
	                                 problem);
}

/* Compile sources; free_rules() what comes. */
static inline struct made *make_set(const struct rules_source *sources, unsigned n)
{
	struct made *made = calloc(1, sizeof(*made));
	size_t room = rules_room(sources, n);

	made->rules = aligned_alloc(64, room);
	memset(made->rules, 0, room);
	made->errors = rules_compile(made->rules, room, sources, n, made_report, made);
	return made;
}

static inline struct made *make_rules(const char *text)
{
	struct rules_source source = {"web.rules", text, strlen(text)};

	return make_set(&source, 1);
}

static inline void free_rules(struct made *made)
{
	free(made->rules);
	free(made);
}

/* Are two rules the same, each of its set, but for where they stand in their text? */
static inline bool is_same_text(const struct rules *a, struct rule_text a_text,
                                const struct rules *b, struct rule_text b_text)
{
	size_t a_len, b_len;
	const char *a_bytes = rules_text(a, a_text, &a_len);
	const char *b_bytes = rules_text(b, b_text, &b_len);

	return a_len == b_len && memcmp(a_bytes, b_bytes, a_len) == 0;
}

static inline bool is_same_rule(const struct rules *a, const struct rule *a_rule,
                                const struct rules *b, const struct rule *b_rule)
{
	static const struct rule_text none;
	struct rule rules[2];

	memcpy((void *)&rules[0], (const void *)a_rule, sizeof(*a_rule));
	memcpy((void *)&rules[1], (const void *)b_rule, sizeof(*b_rule));
	for (int i = 0; i < 2; i++) {
		rules[i].source = 0;
		rules[i].line = 0;
		rules[i].program = rules[i].local.path = rules[i].remote.path = none;
	}
	return memcmp((const void *)&rules[0], (const void *)&rules[1], sizeof(rules[0])) == 0 &&
	       is_same_text(a, a_rule->program, b, b_rule->program) &&
	       is_same_text(a, a_rule->local.path, b, b_rule->local.path) &&
	       is_same_text(a, a_rule->remote.path, b, b_rule->remote.path);
}

#endif
