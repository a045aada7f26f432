/* SPDX-License-Identifier: MIT */
/* rulesets.h - the sets of rules that a session has had, from the first to the
 * one in force. They are copies: what the file says later changes none. */
#ifndef TOOLS_RULESETS_H
#define TOOLS_RULESETS_H

#include "core/rules.h"
#include "tools/source.h"
#include "tools/ticks.h"

struct ruleset {
	struct rules *rules; /* sound, see rules_are_sound() */
	uint32_t page;
	uint32_t number;   /* 1 for the session's first */
	uint64_t since;    /* when it came into force, ticks since the epoch */
	uint64_t since_ns; /* the same as CLOCK_REALTIME */
};

struct rulesets {
	struct ruleset *set; /* the oldest first */
	size_t count;
	uint32_t page;    /* of the one that was in force at the last look; 0: none */
	uint64_t damaged; /* sets that make no sense: those before them are lost, too */
};

/* Read the set at a page and those before it anew. */
void rulesets_look(struct rulesets *sets, const struct source *source, uint32_t page,
                   const struct ticks *ticks);
void rulesets_free(struct rulesets *sets);

/* The set that was in force then (ticks since the epoch); NULL: none is known. */
const struct ruleset *rulesets_at(const struct rulesets *sets, uint64_t when);

/* The rule of a number, 1 for the first; NULL if there is none. */
const struct rule *ruleset_rule(const struct ruleset *set, uint32_t number);

/* How many of its rules have decided no call. */
size_t ruleset_idle(const struct ruleset *set);

#endif
