/* SPDX-License-Identifier: MIT */
/* shadow.h - rules that can never decide, because rules before them decide every call
 * that they match.
 * Of allow, deny, move and assign: of these the first that matches decides. What is said
 * to be shadowed is; of names and paths with several * and ? not all that is, is found. */
#ifndef TOOLS_SHADOW_H
#define TOOLS_SHADOW_H

#include "core/rules.h"

/* The number (1..) of the first rule that by itself shadows the rule with this index;
 * 0 if none does. */
uint32_t shadow_of(const struct rules *rules, uint32_t index);

/* Is it shadowed by rules before it, by one or by several together? */
bool shadow_is_whole(const struct rules *rules, uint32_t index);

/* The number of a limit because of which the one with this index never holds, or is never
 * reached; 0: there is none. Of those that a process has once (descriptors, sockets, ports,
 * backlog) the first that names the program holds, else the first that names none; the others
 * (tree, connections) all hold. */
uint32_t shadow_of_limit(const struct rules *rules, uint32_t index);

/* A call that policy denies counts for no fault: does it deny all that this fault matches?
 * Not all that is so is found. Faults do not shadow each other: each counts turns of its own. */
bool shadow_is_denied(const struct rules *rules, uint32_t index);

/* Does a match every call that b matches? */
bool shadow_covers(const struct rules *rules, const struct rule *a, const struct rule *b);

/* A call that a rule matches, and as few others as can be: its names are none that people
 * give. It stays valid with its memory. */
struct shadow_witness {
	struct rule_query query;
	char path[1024], program[1024];
};

/* Returns false if there is no simple one. */
bool shadow_find_witness(struct shadow_witness *witness, const struct rules *rules,
                         const struct rule *rule);

#endif
