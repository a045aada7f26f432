/* SPDX-License-Identifier: MIT */
/* report_json_rules.c - the part of the JSON report that tells of rules.
 *
 *  verdicts       denied, failed, moved, assigned, limited, delayed: calls
 *  denied[]       call, proto, address (null: it names none), program, times, errno,
 *                 rule, set
 *  assigned[]     rule, set, calls, ports, low, high, failed{ERRNO: n}
 *  rule_sets[]    number, since, in_force, rules[]: number, rule, source, line, matched
 */
#include <stdlib.h>
#include <string.h>

#include "core/names.h"
#include "tools/json.h"
#include "tools/report.h"
#include "tools/rule_wording.h"
#include "tools/wording.h"

static void add_verdicts(cJSON *root, const struct report *report)
{
	cJSON *verdicts = json_object(root, "verdicts");

	for (unsigned i = VERDICT_PASSED + 1; i <= VERDICT_DELAYED; i++)
		json_number(verdicts, name_verdict((enum verdict_kind)i),
		            report->audit->verdicts.count[i]);
}

static const char *address_of(const struct denial *row, char *printed)
{
	if (!row->key.has_end)
		return NULL;
	if (row->key.place.family == FAMILY_UNIX)
		return row->key.place.path;
	if (row->key.call == OP_ACCEPT)
		addr_print(printed, &row->key.place.end.ip);
	else
		addr_print_endpoint(printed, &row->key.place.end);
	return printed;
}

static void add_denial(cJSON *list, const struct denial *row)
{
	cJSON *item = cJSON_CreateObject();
	char printed[ADDR_TEXT_MAX];

	json_push(list, item);
	json_string(item, "call", name_op((enum op_kind)row->key.call));
	json_string(item, "proto", word_proto(&row->key.place));
	json_string(item, "address", address_of(row, printed));
	json_string(item, "program", row->key.program->name);
	json_number(item, "times", row->count);
	json_string(item, "errno", name_errno(row->error));
	json_known(item, "rule", row->key.rule);
	json_known(item, "set", row->key.set);
}

static void add_assignment(cJSON *list, const struct assignment *row)
{
	cJSON *item = cJSON_CreateObject();

	json_push(list, item);
	json_known(item, "rule", row->key.rule);
	json_known(item, "set", row->key.set);
	json_number(item, "calls", row->count);
	json_number(item, "ports", HASH_COUNT(row->ports));
	json_known(item, "low", row->low);
	json_known(item, "high", row->high);
	report_json_errors(item, "failed", &row->failed);
}

static void add_source(cJSON *item, const struct rules *rules, const struct rule *rule)
{
	bool is_known = rule->source < rules->sources && rule->source < RULES_SOURCES_MAX;
	size_t len = 0;
	const char *name = is_known ? rules_text(rules, rules->source[rule->source], &len) : "";
	char *copy = memory_copy(name, len < RULE_PRINT_MAX ? len : RULE_PRINT_MAX);

	json_string(item, "source", copy);
	free(copy);
}

static void add_rule(cJSON *list, const struct rules *rules, uint32_t i)
{
	const struct rule *rule = &rules->rule[i];
	cJSON *item = cJSON_CreateObject();
	char words[RULE_PRINT_MAX];

	json_push(list, item);
	json_number(item, "number", (uint64_t)i + 1);
	rule_print(words, sizeof(words), rules, rule);
	json_string(item, "rule", words);
	add_source(item, rules, rule);
	json_number(item, "line", rule->line);
	json_number(item, "matched", rule->matched);
}

static void add_set(cJSON *list, const struct ruleset *set, bool is_in_force)
{
	cJSON *item = cJSON_CreateObject(), *rules;

	json_push(list, item);
	json_number(item, "number", set->number);
	json_time(item, "since", set->since_ns);
	json_bool(item, "in_force", is_in_force);
	rules = json_array(item, "rules");
	for (uint32_t i = 0; i < set->rules->count; i++)
		add_rule(rules, set->rules, i);
}

void report_json_rules(const struct report *report, cJSON *root)
{
	const struct assignment *assignment = report->audit->verdicts.assignments;
	const struct rulesets *sets = report->rules;
	cJSON *list;

	add_verdicts(root, report);
	list = json_array(root, "denied");
	for (size_t i = 0; i < report->denial_count; i++)
		add_denial(list, report->denials[i]);
	list = json_array(root, "assigned");
	for (; assignment; assignment = assignment->hh.next)
		add_assignment(list, assignment);
	list = json_array(root, "rule_sets");
	for (size_t i = 0; i < sets->count; i++)
		add_set(list, &sets->set[i], i == sets->count - 1);
}
