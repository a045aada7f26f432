/* SPDX-License-Identifier: MIT */
/* sweep_plan.h - from the calls that a run without faults makes to the runs that are to
 * be made. */
#ifndef TOOLS_SWEEP_PLAN_H
#define TOOLS_SWEEP_PLAN_H

#include "tools/sweep_faults.h"

struct sweep_wish {
	bool once, on;  /* fail a call alone; it and all that follow */
	bool is_unique; /* of calls from one place, the first */
	size_t most;    /* runs; 0: no end */
};

struct sweep_plan {
	struct sweep_trial *trial; /* for free() */
	size_t count;
	size_t alike;    /* calls that have the place of another */
	size_t left_out; /* runs beyond most */
};

/* Fault by fault, call by call; where not all can be made, those of the first call of each
 * place come before the others. */
struct sweep_plan sweep_plan(const struct sweep_faults *faults, const struct sweep_wish *wish);

#endif
