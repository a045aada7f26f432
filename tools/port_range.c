/* SPDX-License-Identifier: MIT */
/* port_range.c - see port_range.h. */
#include "tools/port_range.h"

#include <string.h>

static struct port_range host_range(const struct audit *audit)
{
	return (struct port_range){
	        .count = audit_port_count(audit), .low = audit->port_low, .high = audit->port_high};
}

static bool is_meant(const struct audit *audit, const struct ruleset *set, const struct rule *rule,
                     const struct program *program)
{
	const struct process *process = program ? audit->process[program->slot] : NULL;
	size_t len;
	const char *pattern = rules_text(set->rules, rule->program, &len);
	const char *path = process ? process->info.program : "";

	if (!(rule->flags & RULE_PROGRAM))
		return true;
	if (!program)
		return false;
	return rule_glob(pattern, len, program->name, strlen(program->name)) ||
	       rule_glob(pattern, len, path, strlen(path));
}

/* The limit of a kind that holds for a program: one that names it comes first. */
static const struct rule *find_limit(const struct audit *audit, const struct ruleset *set,
                                     enum limit_kind kind, const struct program *program,
                                     uint32_t *number)
{
	const struct rule *found = NULL;

	for (uint32_t i = 0; i < set->rules->count; i++) {
		const struct rule *rule = &set->rules->rule[i];
		bool is_named = rule->flags & RULE_PROGRAM;

		if (rule->action != ACTION_LIMIT || rule->limit != kind ||
		    !is_meant(audit, set, rule, program) || (found && !is_named))
			continue;
		found = rule;
		*number = i + 1;
		if (is_named)
			break;
	}
	return found;
}

/* The ports that a rule gives: those that were chosen for it, those that it names, or just
 * so many. */
static struct port_range range_of_rule(const struct rule *rule)
{
	uint32_t chosen = rule->ports;
	bool is_limit = rule->action == ACTION_LIMIT;
	struct port_range range = {.low = rule->low, .high = rule->high};

	if (is_limit && chosen)
		range = (struct port_range){.low = (uint16_t)(chosen >> 16),
		                            .high = (uint16_t)chosen};
	if (range.low == 0 || range.high < range.low)
		range = (struct port_range){.count = is_limit ? rule->amount : 0};
	else
		range.count = range.high - range.low + 1u;
	range.is_limit = is_limit && rule->limit == LIMIT_PORTS;
	range.is_other = is_limit && rule->limit != LIMIT_PORTS;
	return range;
}

struct port_range port_range_of(const struct audit *audit, const struct program *program)
{
	const struct rulesets *sets = audit->rules;

	for (size_t i = sets ? sets->count : 0; i > 0; i--) {
		const struct ruleset *set = &sets->set[i - 1];
		struct port_range range;
		uint32_t number = 0;
		const struct rule *rule = find_limit(audit, set, LIMIT_PORTS, program, &number);

		if (!rule)
			continue;
		range = range_of_rule(rule);
		range.rule = number;
		range.set = set->number;
		return range;
	}
	return host_range(audit);
}

struct port_range port_range_to(const struct audit *audit, const struct destination *row)
{
	return port_range_of(audit, row->programs.count ? row->programs.list[0] : NULL);
}

struct port_range port_range_short(const struct audit *audit, const struct shortage *shortage)
{
	const struct rulesets *sets = audit->rules;

	for (size_t i = 0; sets && shortage->rule && i < sets->count; i++) {
		const struct ruleset *set = &sets->set[i];
		const struct rule *rule =
		        set->number == shortage->set ? ruleset_rule(set, shortage->rule) : NULL;
		struct port_range range;

		if (!rule)
			continue;
		range = range_of_rule(rule);
		range.rule = shortage->rule;
		range.set = set->number;
		return range;
	}
	return port_range_of(audit, shortage->program);
}

uint64_t port_range_capacity(const struct audit *audit, const struct destination *row)
{
	unsigned locals = row->locals ? row->locals : 1;

	return (uint64_t)port_range_to(audit, row).count * locals;
}

uint32_t port_range_fds_rule(const struct audit *audit, const struct program *program,
                             uint32_t *set)
{
	const struct rulesets *sets = audit->rules;
	uint32_t number;

	for (size_t i = 0; sets && i < sets->count; i++) {
		if (!find_limit(audit, &sets->set[i], LIMIT_FDS, program, &number))
			continue;
		*set = sets->set[i].number;
		return number;
	}
	return 0;
}
