/* SPDX-License-Identifier: MIT */
/* fuzz_rules.c - rules of any bytes through parser and printer.
 *
 * The input is the text of one source, or of two with a byte 0x1e between them. What is
 * told lies in its source and can be shown to a terminal; what compiles prints as rules
 * that compile to the same, and the index finds what a look at every rule finds. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/compile_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_shown(const struct rules_problem *problem)
{
	char buf[RULES_PROBLEM_MAX];
	size_t len = rules_print_problem(buf, sizeof(buf), problem);
	char small[16];

	assert(len == strlen(buf) && len + 1 < sizeof(buf) && buf[len - 1] == '\n');
	for (size_t i = 0; i < len; i++)
		assert(buf[i] == '\n' || ((unsigned char)buf[i] >= ' ' && buf[i] != 0x7f));
	assert(rules_print_problem(small, sizeof(small), problem) < sizeof(small));
}

/* The line and the column of the place that a problem tells. */
static void check_place(const struct rules_problem *problem)
{
	const struct rules_source *source = problem->source;
	unsigned line = 1;
	size_t start = 0;

	assert(problem->at <= source->len && problem->len <= source->len - problem->at);
	for (size_t i = 0; i < problem->at; i++) {
		if (source->text[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	assert(problem->line == line);
	assert(problem->column >= 1 && problem->column <= problem->at - start + 1);
}

static void report(void *context, const struct rules_problem *problem)
{
	unsigned *errors = context;

	*errors += !problem->is_warning;
	assert(problem->what[0]);
	check_place(problem);
	check_shown(problem);
}

static struct rules *compile(const struct rules_source *sources, unsigned n)
{
	size_t room = rules_room(sources, n);
	struct rules *rules = aligned_alloc(64, room);
	unsigned errors = 0, result;

	memset(rules, 0, room);
	result = rules_compile(rules, room, sources, n, report, &errors);
	assert(result == errors);
	if (errors == 0) {
		assert(rules->bytes <= room && rules_are_sound(rules, room));
		return rules;
	}
	free(rules);
	return NULL;
}

/* All rules of a set, a line each. */
static size_t print_all(char *buf, size_t size, const struct rules *rules)
{
	size_t len = 0;

	for (uint32_t i = 0; i < rules->count; i++) {
		len += rule_print(buf + len, size - len, rules, &rules->rule[i]);
		buf[len++] = '\n';
	}
	return len;
}

static void check_printed(const struct rules *rules, size_t size)
{
	size_t room = 4096 + 40 * size;
	char *text = malloc(room), *again = malloc(room);
	struct rules_source source = {"printed", text, print_all(text, room, rules)};
	struct rules *other = compile(&source, 1);

	assert(other && other->count == rules->count);
	for (uint32_t i = 0; i < rules->count; i++)
		assert(is_same_rule(rules, &rules->rule[i], other, &other->rule[i]));
	assert(print_all(again, room, other) == source.len);
	assert(memcmp(text, again, source.len) == 0);
	free(other);
	free(text);
	free(again);
}

/* The first rule behind `after` that matches: of policy, or a fault. */
static uint32_t find_slowly(const struct rules *rules, const struct rule_query *query,
                            uint32_t after, bool is_fault)
{
	for (uint32_t i = after; i < rules->count; i++)
		if ((is_fault ? rule_is_fault(&rules->rule[i])
		              : rules->rule[i].action <= ACTION_ASSIGN) &&
		    rule_mismatch(rules, &rules->rule[i], query) == MISMATCH_NONE)
			return i + 1;
	return 0;
}

static void check_found(const struct rules *rules, const struct rule_query *query)
{
	uint32_t number = 0, after;

	assert(rules_find(rules, query) == find_slowly(rules, query, 0, false));
	do {
		after = number;
		number = rules_next_fault(rules, query, after);
		assert(number == find_slowly(rules, query, after, true));
	} while (number);
}

/* Calls that name what a rule names. */
static void check_calls(const struct rules *rules, const struct rule *rule)
{
	struct rule_query query = {.proto = RULE_TCP, .name = "x", .program = "/a/x"};
	size_t len;

	query.has_local = query.has_remote = true;
	query.local = (struct endpoint){rule->local.ip, rule->local.port_high};
	query.remote = (struct endpoint){rule->remote.ip, rule->remote.port_low};
	if (rule->remote.flags & PATTERN_PATH) {
		query.proto = RULE_UNIX;
		query.path = rules_text(rules, rule->remote.path, &len);
		query.path_len = len;
	}
	for (unsigned call = OP_SOCKET; call <= OP_RESOLVE; call++) {
		query.call = (enum op_kind)call;
		check_found(rules, &query);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + !size); /* of exactly that size: nothing behind it is read */
	const char *cut;
	struct rules *rules;
	struct rules_source sources[2] = {{"first", text, size}, {"second", NULL, 0}};

	if (size)
		memcpy(text, data, size);
	cut = memchr(text, 0x1e, size);
	if (cut) {
		sources[0].len = (size_t)(cut - text);
		sources[1].text = cut + 1;
		sources[1].len = size - sources[0].len - 1;
	}
	rules = compile(sources, cut ? 2 : 1);
	for (uint32_t i = 0; rules && i < rules->count && i < 20; i++)
		check_calls(rules, &rules->rule[i]);
	if (rules)
		check_printed(rules, size);
	free(rules);
	free(text);
	return 0;
}
