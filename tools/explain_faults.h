/* SPDX-License-Identifier: MIT */
/* explain_faults.h - which limits and faults a call meets, and whether it is their turn. */
#ifndef TOOLS_EXPLAIN_FAULTS_H
#define TOOLS_EXPLAIN_FAULTS_H

#include "tools/explain.h"

/* Does a limit or a fault speak of the call? */
bool explain_meets_faults(const struct explain *explain, const struct call *call);

/* Print what they do to it. It counts as one: the same call again has the next turn. */
void explain_faults(const struct explain *explain, const struct call *call);

/* "rule 3, web.rules:3: deny bind tcp :1-1023" */
void explain_where(const struct explain *explain, uint32_t number);

#endif
