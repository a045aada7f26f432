/* SPDX-License-Identifier: MIT */
/* rules_find.c - the first rule that matches a call. See rules.h. */
#include "core/rules.h"

uint32_t rules_find(const struct rules *rules, const struct rule_query *query)
{
	for (uint32_t i = 0; i < rules->count; i++)
		if (rules->rule[i].action <= ACTION_ASSIGN &&
		    rule_mismatch(rules, &rules->rule[i], query) == MISMATCH_NONE)
			return i + 1;
	return 0;
}
