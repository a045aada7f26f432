/* SPDX-License-Identifier: MIT */
/* rules_summary.h - what the rules of a session did, in a few lines. */
#ifndef TOOLS_RULES_SUMMARY_H
#define TOOLS_RULES_SUMMARY_H

#include <stdio.h>

#include "tools/rulesets.h"

/* Print how often each rule matched, and the seed; nothing if there were no rules. */
void rules_summary(const struct rulesets *sets, uint64_t seed, FILE *out);

/* Did a rule deny something? Then print which one and how often, a line without its
 * end, and return true. */
bool rules_denied(const struct rulesets *sets, FILE *out);

/* Did a rule that fails or delays calls never do so? Then print which one, a line without its
 * end, and return true. */
bool rules_unfired(const struct rulesets *sets, FILE *out);

#endif
