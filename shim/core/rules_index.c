/* SPDX-License-Identifier: MIT */
/* rules_index.c - builds the index of a set of rules. See rules.h. */
#include "core/rules.h"

size_t rules_index_room(size_t count)
{
	return 64 + count * 2048;
}

bool rules_index(struct rules *rules, size_t size)
{
	size_t at = ((size_t)rules->texts_at + rules->texts_bytes + 63) & ~(size_t)63;

	if (at + 64 > size)
		return false;
	rules->heads_at = rules->entries_at = (uint32_t)at;
	for (uint32_t i = 0; i < rules->count; i++) {
		rules->actions |= UINT32_C(1) << rules->rule[i].action;
		if (rules->rule[i].action <= ACTION_ASSIGN)
			rules->calls |= rules->rule[i].calls;
	}
	rules->bytes = (uint32_t)at + 64;
	return true;
}
