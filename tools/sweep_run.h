/* SPDX-License-Identifier: MIT */
/* sweep_run.h - the runs of a sweep: first without a fault, then one a trial. */
#ifndef TOOLS_SWEEP_RUN_H
#define TOOLS_SWEEP_RUN_H

#include "tools/library.h"
#include "tools/sweep_plan.h"
#include "tools/sweep_pool.h"
#include "tools/sweep_progress.h"
#include "tools/sweep_state.h"

struct sweep_run {
	const struct command *command;
	char **argv;
	char library[LIBRARY_MAX];
	char dir[PATH_MAX]; /* for sessions */
	const struct rules_input *input;
	uint32_t base_rules; /* how many input has */
	struct sweep_faults *faults;
	uint64_t seed;
	uint64_t timeout_ns; /* SWEEP_NEVER: none */
	unsigned jobs;
	bool is_quiet;

	struct sweep_normal normal; /* status: expected */
	uint64_t slowest_ns;        /* of the runs without a fault */
	size_t baselines;           /* made so far */

	struct sweep_report report;
	struct sweep_progress progress;
	struct sweep_state *state; /* path NULL: none */
	size_t next;               /* trial */

	int status;      /* of ours, when something went wrong, and was said; else 0 */
	int interrupted; /* by this signal */
};

/* Run without a fault, often enough to know each probe's calls and whether the output is the
 * same each time. On failure run->status or run->interrupted is set. Returns success. */
bool sweep_run_baselines(struct sweep_run *run);

/* Make those runs of report.trial that are not done. The same on failure; an interruption
 * is told in the report. */
bool sweep_run_trials(struct sweep_run *run);

#endif
