/* SPDX-License-Identifier: MIT */
/* check_json.c - see check_json.h. Names are stable; unknown values are null.
 *
 *  format       1
 *  rules[]      number, source, line, action, rule, effect, shadowed_by (a number);
 *               null if there are errors
 *  problems[]   severity (error, warning), source, line, column, message, note, instead
 */
#include "tools/check_json.h"

#include <stdlib.h>

#include "tools/json.h"
#include "tools/memory.h"
#include "tools/rule_wording.h"
#include "tools/shadow.h"

static void add_source(cJSON *object, const struct rules *rules, const struct rule *rule)
{
	size_t len;
	const char *name = rules_text(rules, rules->source[rule->source], &len);
	char *copy = memory_copy(name, len);

	json_string(object, "source", copy);
	free(copy);
}

static cJSON *rule_json(const struct rules *rules, uint32_t index, const struct host *host)
{
	const struct rule *rule = &rules->rule[index];
	cJSON *object = cJSON_CreateObject();
	char buf[RULE_PRINT_MAX];

	json_number(object, "number", index + 1);
	add_source(object, rules, rule);
	json_number(object, "line", rule->line);
	json_string(object, "action", name_action((enum action)rule->action));
	rule_print(buf, sizeof(buf), rules, rule);
	json_string(object, "rule", buf);
	json_string(object, "effect", rule_effect(buf, rules, rule, host));
	json_known(object, "shadowed_by", shadow_of(rules, index));
	return object;
}

static cJSON *problem_json(const struct rules_problem *problem)
{
	cJSON *object = cJSON_CreateObject();

	json_string(object, "severity", problem->is_warning ? "warning" : "error");
	json_string(object, "source", problem->source->name);
	json_number(object, "line", problem->line);
	json_number(object, "column", problem->column);
	json_string(object, "message", problem->what);
	json_string(object, "note", problem->expected);
	json_string(object, "instead", problem->instead);
	return object;
}

void check_json(const struct rules_input *input, const struct rules *rules, const struct host *host,
                FILE *out)
{
	cJSON *root = cJSON_CreateObject(), *array;
	char *printed;

	json_number(root, "format", 1);
	if (rules) {
		array = json_array(root, "rules");
		for (uint32_t i = 0; i < rules->count; i++)
			json_push(array, rule_json(rules, i, host));
	} else {
		json_string(root, "rules", NULL);
	}
	array = json_array(root, "problems");
	for (size_t i = 0; i < input->problems; i++)
		json_push(array, problem_json(&input->problem[i].problem));
	printed = cJSON_Print(root);
	if (!printed)
		memory_gone();
	fprintf(out, "%s\n", printed);
	free(printed);
	cJSON_Delete(root);
}
