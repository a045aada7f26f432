/* SPDX-License-Identifier: MIT */
/* sweep_progress.h - how far a sweep is, on stderr: one line that is written over on a
 * terminal, else a line now and then. */
#ifndef TOOLS_SWEEP_PROGRESS_H
#define TOOLS_SWEEP_PROGRESS_H

#include "tools/sweep.h"

struct sweep_progress {
	bool is_quiet, is_terminal;
	unsigned jobs;
	uint64_t started_ns, told_ns; /* CLOCK_MONOTONIC */
	size_t before;                /* runs that were done before we began */
};

struct sweep_progress sweep_progress_begin(const struct sweep_report *report, unsigned jobs,
                                           bool is_quiet);
void sweep_progress_tell(struct sweep_progress *progress, const struct sweep_report *report);

/* Leave the line for whoever writes next. */
void sweep_progress_end(const struct sweep_progress *progress);

#endif
