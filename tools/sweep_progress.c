/* SPDX-License-Identifier: MIT */
/* sweep_progress.c - see sweep_progress.h. */
#include "tools/sweep_progress.h"

#include <stdio.h>
#include <unistd.h>

#include "tools/sweep_child.h"
#include "tools/wording.h"

#define SECOND_NS ((uint64_t)1000 * 1000 * 1000)

enum { PLAIN_SECONDS = 10 };

struct sweep_progress sweep_progress_begin(const struct sweep_report *report, unsigned jobs,
                                           bool is_quiet)
{
	uint64_t now = sweep_now_ns();

	return (struct sweep_progress){
	        .is_quiet = is_quiet,
	        .is_terminal = isatty(STDERR_FILENO),
	        .jobs = jobs,
	        .started_ns = now,
	        .told_ns = now,
	        .before = report->done,
	};
}

/* As the runs so far went, 0 where there was none; to the second. */
static uint64_t estimate_ns(const struct sweep_progress *progress,
                            const struct sweep_report *report, uint64_t now)
{
	size_t done = report->done - progress->before;
	double each = done ? (double)(now - progress->started_ns) / (double)done : 0;

	return (uint64_t)(each * (double)(report->trials - report->done) / SECOND_NS) * SECOND_NS;
}

void sweep_progress_tell(struct sweep_progress *progress, const struct sweep_report *report)
{
	uint64_t now = sweep_now_ns(), left = estimate_ns(progress, report, now);
	bool is_due = progress->is_terminal || now - progress->told_ns >= PLAIN_SECONDS * SECOND_NS;

	if (progress->is_quiet || !is_due)
		return;
	progress->told_ns = now;
	fprintf(stderr, "%stcpshim sweep: %s of %s, %s bad", progress->is_terminal ? "\r" : "",
	        word_number(report->done), word_count(report->trials, "run"),
	        word_number(sweep_count_bad(report)));
	if (report->done > progress->before)
		fprintf(stderr, ", about %s left", left ? word_duration(left) : "1 s");
	fputs(progress->is_terminal ? "\033[K" : "\n", stderr);
}

void sweep_progress_end(const struct sweep_progress *progress)
{
	if (progress->is_terminal && !progress->is_quiet)
		fputs("\r\033[K", stderr);
}
