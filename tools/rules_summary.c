/* SPDX-License-Identifier: MIT */
/* rules_summary.c - see rules_summary.h. */
#include "tools/rules_summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tools/memory.h"
#include "tools/rule_wording.h"
#include "tools/wording.h"

enum { MATCHED_SHOWN = 10, IDLE_SHOWN = 3 };

static uint64_t matches(const struct rule *rule)
{
	return atomic_load_explicit(&rule->matched, memory_order_relaxed);
}

/* Policy matches, a fault fires, a limit is reached; that of descriptors the kernel holds,
 * and here is known for how many processes. */
static const char *verb(const struct rule *rule)
{
	if (rule_is_fault(rule))
		return "fired";
	if (rule->action != ACTION_LIMIT)
		return "matched";
	return rule->limit == LIMIT_FDS ? "held" : "reached";
}

static void print_rule(const struct rules *rules, const struct rule *rule, FILE *out)
{
	char place[RULE_PLACE_MAX], words[RULE_PRINT_MAX];

	fprintf(out, "tcpshim: %s%s%s%s, %s: %s\n", matches(rule) ? "" : "never ", verb(rule),
	        matches(rule) ? rule->limit == LIMIT_FDS ? " for " : " " : "",
	        matches(rule)
	                ? word_count(matches(rule), rule->limit == LIMIT_FDS ? "process" : "time")
	                : "",
	        rule_place(place, rules, rule), rule_words(words, rules, rule));
}

/* Those that matched, or those that did not; a few of them. */
static void print_some(const struct rules *rules, bool matched, unsigned few, FILE *out)
{
	unsigned more = 0, shown = 0;

	for (uint32_t i = 0; i < rules->count; i++) {
		if ((matches(&rules->rule[i]) > 0) != matched)
			continue;
		if (shown < few) {
			print_rule(rules, &rules->rule[i], out);
			shown++;
		} else {
			more++;
		}
	}
	if (more)
		fprintf(out, "tcpshim: %smatched, %s\n", matched ? "" : "never ",
		        word_count(more, "more rule"));
}

void rules_summary(const struct rulesets *sets, uint64_t seed, FILE *out)
{
	if (sets->damaged)
		fprintf(out, "tcpshim: the rules in the session are damaged\n");
	for (size_t i = 0; i < sets->count; i++) {
		const struct ruleset *set = &sets->set[i];

		if (i == 0)
			fprintf(out, "tcpshim: %s, seed 0x%" PRIx64 "\n",
			        word_count(set->rules->count, "rule"), seed);
		else
			fprintf(out, "tcpshim: then, while it ran, %s\n",
			        set->rules->count ? word_count(set->rules->count, "rule")
			                          : "no rules");
		print_some(set->rules, true, MATCHED_SHOWN, out);
		print_some(set->rules, false, IDLE_SHOWN, out);
	}
}

bool rules_denied(const struct rulesets *sets, FILE *out)
{
	const struct rules *first = NULL;
	char place[RULE_PLACE_MAX], words[RULE_PRINT_MAX];
	uint32_t which = 0;
	uint64_t others = 0;

	for (size_t i = 0; i < sets->count; i++) {
		const struct rules *rules = sets->set[i].rules;

		for (uint32_t j = 0; j < rules->count; j++) {
			if (rules->rule[j].action != ACTION_DENY || matches(&rules->rule[j]) == 0)
				continue;
			others += first != NULL;
			which = first ? which : j;
			first = first ? first : rules;
		}
	}
	if (!first)
		return false;
	fprintf(out, "tcpshim: --strict: denied %s, %s: %s",
	        word_count(matches(&first->rule[which]), "time"),
	        rule_place(place, first, &first->rule[which]),
	        rule_words(words, first, &first->rule[which]));
	if (others)
		fprintf(out, "; and by %s", word_count(others, "other rule"));
	return true;
}

/* Has the same rule fired as part of another set? */
static bool has_fired(const struct rulesets *sets, const char *words)
{
	char *other = memory_new(RULE_PRINT_MAX);
	bool found = false;

	for (size_t i = 0; i < sets->count && !found; i++) {
		const struct rules *rules = sets->set[i].rules;

		for (uint32_t j = 0; j < rules->count && !found; j++)
			found = rule_is_fault(&rules->rule[j]) && matches(&rules->rule[j]) > 0 &&
			        strcmp(rule_words(other, rules, &rules->rule[j]), words) == 0;
	}
	free(other);
	return found;
}

bool rules_unfired(const struct rulesets *sets, FILE *out)
{
	char place[RULE_PLACE_MAX], *words = memory_new(RULE_PRINT_MAX);
	uint64_t count = 0;

	for (size_t i = 0; i < sets->count; i++) {
		const struct rules *rules = sets->set[i].rules;

		for (uint32_t j = 0; j < rules->count; j++) {
			const struct rule *rule = &rules->rule[j];

			if (!rule_is_fault(rule) || matches(rule) > 0 ||
			    (sets->count > 1 && has_fired(sets, rule_words(words, rules, rule))))
				continue;
			if (count++ == 0)
				fprintf(out, "tcpshim: --strict: never fired, %s: %s",
				        rule_place(place, rules, rule),
				        rule_words(words, rules, rule));
		}
	}
	free(words);
	if (count > 1)
		fprintf(out, "; nor did %s", word_count(count - 1, "other rule"));
	return count > 0;
}
