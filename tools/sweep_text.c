/* SPDX-License-Identifier: MIT */
/* sweep_text.c - the report of a sweep as people read it. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tools/columns.h"
#include "tools/memory.h"
#include "tools/site.h"
#include "tools/sweep_faults.h"
#include "tools/sweep_print.h"
#include "tools/wording.h"

enum {
	ROWS = 100, /* of the table, its head too */
	COLUMNS = 6,
	CALLS_SIZE = 32,
	REPEATS = 10, /* commands */
};

/* Calls that went alike are one row of the table. */
struct row {
	const struct sweep_trial *trial; /* the first */
	const char *site;
	struct text calls; /* 1-3,5 */
	char calls_buf[CALLS_SIZE];
	uint32_t from, to; /* the calls that were not written yet */
	uint64_t took_ns;  /* the longest */
};

static void put_calls(struct row *row)
{
	text_put(&row->calls, row->calls.len ? "," : "");
	text_unsigned(&row->calls, row->from);
	if (row->to > row->from) {
		text_char(&row->calls, '-');
		text_unsigned(&row->calls, row->to);
	}
}

static void add_call(struct row *row, const struct sweep_trial *trial)
{
	if (trial->turn != row->to + 1 && row->to) {
		put_calls(row);
		row->to = 0;
	}
	row->from = row->to ? row->from : trial->turn;
	row->to = trial->turn;
	if (trial->result.took_ns > row->took_ns)
		row->took_ns = trial->result.took_ns;
}

static bool is_alike(const struct sweep_trial *a, const struct sweep_trial *b)
{
	return b->is_done && a->fault == b->fault && a->is_on == b->is_on &&
	       a->result.did == b->result.did && a->result.status == b->result.status &&
	       a->result.signal == b->result.signal &&
	       (a->result.did != SWEEP_LEAK || a->result.leaks == b->result.leaks) &&
	       a->result.vanished == b->result.vanished &&
	       strcmp(a->result.said, b->result.said) == 0;
}

/* What becomes of the rest of a fault's trials stands behind its first. */
static void gather(struct row *row, const struct sweep_report *report, char *const *site,
                   bool *is_told, size_t first)
{
	for (size_t i = first; i < report->trials; i++) {
		if (report->trial[i].fault != row->trial->fault)
			break;
		if (is_told[i] || !is_alike(row->trial, &report->trial[i]) ||
		    strcmp(site[i], row->site) != 0)
			continue;
		is_told[i] = true;
		add_call(row, &report->trial[i]);
	}
	put_calls(row);
}

/* "1-3,5 of 7, and on": which of the calls that the fault is for. */
static const char *which_calls(const struct sweep_report *report, const struct row *row)
{
	static char buf[CALLS_SIZE + 64];
	const struct sweep_fault *fault = &report->faults->fault[row->trial->fault];

	snprintf(buf, sizeof(buf), "%s%s of %llu%s", row->calls.buf, row->calls.cut ? "..." : "",
	         (unsigned long long)report->faults->probe[fault->probe].turns,
	         row->trial->is_on ? ", and on" : "");
	return buf;
}

static void add_row(struct columns *columns, const struct sweep_report *report,
                    const struct row *row)
{
	const struct sweep_result *result = &row->trial->result;
	const char *fault = sweep_fault_text(report, row->trial);

	columns_add(columns, sweep_did_name(result->did));
	columns_add(columns, word_text(fault, strlen(fault)));
	columns_add(columns, which_calls(report, row));
	columns_add(columns, row->site);
	columns_add(columns, word_duration(row->took_ns));
	columns_add(columns, result->did == SWEEP_SAME || result->did == SWEEP_OUTPUT
	                             ? "-"
	                             : sweep_story(result));
}

/* Returns how many rows there were, more than ROWS or not. */
static size_t add_rows(struct columns *columns, const struct sweep_report *report,
                       char *const *site, enum sweep_did did, bool *is_told)
{
	size_t rows = 0;

	for (size_t i = 0; i < report->trials; i++) {
		const struct sweep_trial *trial = &report->trial[i];
		struct row row = {.trial = trial, .site = site[i]};

		if (!trial->is_done || trial->result.did != did || is_told[i])
			continue;
		row.calls = text_on(row.calls_buf, sizeof(row.calls_buf));
		gather(&row, report, site, is_told, i);
		if (columns->count < (size_t)ROWS * COLUMNS)
			add_row(columns, report, &row);
		rows++;
	}
	return rows;
}

static void print_table(const struct sweep_report *report, FILE *out)
{
	static const char *const head[COLUMNS] = {"result",  "fault", "call",
	                                          "made in", "took",  "and more"};
	struct columns columns = columns_new("llllrl");
	bool *is_told = memory_new(report->trials * sizeof(*is_told));
	char **site = memory_new(report->trials * sizeof(*site));
	size_t rows = 0;

	for (size_t i = 0; i < report->trials; i++)
		site[i] = report->trial[i].frames
		                  ? site_first(report->sites, report->trial[i].frames)
		                  : memory_copy("-", 1);
	for (int i = 0; i < COLUMNS; i++)
		columns_add(&columns, head[i]);
	for (int did = 0; did < SWEEP_DIDS; did++)
		rows += add_rows(&columns, report, site, (enum sweep_did)did, is_told);
	columns_print(&columns, out, "", "");
	if (rows >= ROWS)
		fprintf(out, "  and %s more; --tap and --junit have them all\n",
		        word_number(rows - ROWS + 1));
	for (size_t i = 0; i < report->trials; i++)
		free(site[i]);
	free(site);
	free(is_told);
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
			fprintf(out, "%s  %s\n", shown++ ? "" : "\nTo see it again:\n", command);
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
