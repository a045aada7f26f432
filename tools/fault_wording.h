/* SPDX-License-Identifier: MIT */
/* fault_wording.h - what limits and faults do, in plain words. For rule_wording.c. */
#ifndef TOOLS_FAULT_WORDING_H
#define TOOLS_FAULT_WORDING_H

#include "core/rules.h"
#include "core/text.h"

/* "200 ms late", "ETIMEDOUT": to a call whose turn it is. */
void fault_put_effect(struct text *text, const struct rule *rule);

/* "calls 1 to 3", "every second call from call 2 on, with a chance of 5%". */
void fault_put_turns(struct text *text, const struct rule *rule);

/* The same without the turns; nothing, or ", while ..." */
void fault_put_conditions(struct text *text, const struct rule *rule);

/* "at most 64 sockets a process, then EMFILE". What ports and connections it is about is told
 * by the caller: where, behind the number. */
void limit_put_effect(struct text *text, const struct rule *rule, const char *where);

#endif
