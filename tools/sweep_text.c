/* SPDX-License-Identifier: MIT */
/* sweep_text.c - the report of a sweep as people read it. */
#include <stdlib.h>
#include <string.h>

#include "tools/columns.h"
#include "tools/memory.h"
#include "tools/site.h"
#include "tools/sweep_faults.h"
#include "tools/sweep_print.h"
#include "tools/wording.h"

enum {
	ROWS = 100,   /* of the table */
	REPEATS = 10, /* commands */
};

/* "3 of 7, and on": which of the calls that the fault is for. */
static const char *which_call(const struct sweep_report *report, const struct sweep_trial *trial)
{
	static char buf[64];
	const struct sweep_fault *fault = &report->faults->fault[trial->fault];

	snprintf(buf, sizeof(buf), "%u of %llu%s", trial->turn,
	         (unsigned long long)report->faults->probe[fault->probe].turns,
	         trial->is_on ? ", and on" : "");
	return buf;
}

static void add_row(struct columns *columns, const struct sweep_report *report,
                    const struct sweep_trial *trial)
{
	char *site = trial->frames ? site_first(report->sites, trial->frames) : memory_copy("-", 1);
	const struct sweep_result *result = &trial->result;

	columns_add(columns, sweep_did_name(result->did));
	columns_add(columns, word_text(sweep_fault_text(report, trial),
	                               strlen(sweep_fault_text(report, trial))));
	columns_add(columns, which_call(report, trial));
	columns_add(columns, site);
	columns_add(columns, word_duration(result->took_ns));
	columns_add(columns, result->did == SWEEP_SAME || result->did == SWEEP_OUTPUT
	                             ? "-"
	                             : sweep_story(result));
	free(site);
}

static void print_table(const struct sweep_report *report, FILE *out)
{
	static const char *const head[] = {"result",  "fault", "call",
	                                   "made in", "took",  "and more"};
	struct columns columns = columns_new("llllrl");
	size_t rows = 0;

	for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
		columns_add(&columns, head[i]);
	for (int did = 0; did < SWEEP_DIDS; did++)
		for (size_t i = 0; i < report->trials; i++)
			if (report->trial[i].is_done && (int)report->trial[i].result.did == did &&
			    rows++ < ROWS)
				add_row(&columns, report, &report->trial[i]);
	columns_print(&columns, out, "", "");
	if (rows > ROWS)
		fprintf(out, "  and %s more; --tap and --junit have them all\n",
		        word_number(rows - ROWS));
}

static void print_sums(const struct sweep_report *report, FILE *out)
{
	const char *between = ": ";

	fprintf(out, "\n%s%s", word_count(report->done, "run"),
	        report->done < report->trials ? " of " : "");
	if (report->done < report->trials)
		fputs(word_number(report->trials), out);
	for (int did = 0; did < SWEEP_DIDS; did++) {
		size_t count = sweep_count(report, (enum sweep_did)did);

		if (count == 0)
			continue;
		fprintf(out, "%s%s %s", between, word_number(count),
		        sweep_did_name((enum sweep_did)did));
		between = ", ";
	}
	fprintf(out, "; seed 0x%llx\n", (unsigned long long)report->seed);
}

static void print_notes(const struct sweep_report *report, FILE *out)
{
	if (report->is_unstable)
		fputs("The program does not print the same each time, so its output was not "
		      "compared.\n",
		      out);
	if (report->alike)
		fprintf(out, "%s left out that come from the same place as one that was tried.\n",
		        word_count(report->alike, "call"));
	if (report->left_out)
		fprintf(out, "%s left out by --max.\n", word_count(report->left_out, "run"));
	if (report->interrupted)
		fputs("Interrupted: the rest was not tried.\n", out);
}

static void print_repeats(const struct sweep_report *report, FILE *out)
{
	size_t shown = 0;

	for (int did = 0; did < SWEEP_DIDS; did++) {
		for (size_t i = 0; i < report->trials && sweep_did_badly((enum sweep_did)did);
		     i++) {
			const struct sweep_trial *trial = &report->trial[i];
			char *command;

			if (!trial->is_done || (int)trial->result.did != did || shown == REPEATS)
				continue;
			command = sweep_command(report, trial);
			fprintf(out, "%s  %s\n", shown++ ? "" : "\nTo see it again:\n",
			        word_text(command, strlen(command)));
			free(command);
		}
	}
}

void sweep_print_text(const struct sweep_report *report, FILE *out)
{
	if (report->done)
		print_table(report, out);
	print_sums(report, out);
	print_notes(report, out);
	print_repeats(report, out);
}
