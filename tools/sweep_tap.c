/* SPDX-License-Identifier: MIT */
/* sweep_tap.c - the report of a sweep as TAP 14, testanything.org. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tools/memory.h"
#include "tools/site.h"
#include "tools/sweep_faults.h"
#include "tools/sweep_print.h"

/* A description: one line in which # and \ mean nothing. */
static void print_plain(FILE *out, const char *bytes)
{
	char buf[4 * RULE_TEXT_MAX];
	struct text text = text_on(buf, sizeof(buf));

	text_visible(&text, bytes, strlen(bytes));
	for (const char *at = buf; *at; at++) {
		if (*at == '#' || (*at == '\\' && at[1] != '\\'))
			fputc('\\', out);
		else if (*at == '\\') /* escaped already */
			fputc(*at++, out);
		fputc(*at, out);
	}
}

/* A string of YAML: one of JSON is. */
static void print_string(FILE *out, const char *before, const char *bytes)
{
	size_t len = strlen(bytes), size = 6 * len + 16;
	char *buf = memory_new(size);
	struct text text = text_on(buf, size);

	text_json(&text, bytes, len, 0);
	fprintf(out, "  %s %s\n", before, buf);
	free(buf);
}

static void print_sites(const struct sweep_report *report, FILE *out, const char *frames)
{
	fputs("  site:\n", out);
	while (*frames) {
		size_t len = strcspn(frames, "\n");
		char *name = site_name(report->sites, frames, len);

		print_string(out, "  -", name);
		free(name);
		frames += len + (frames[len] == '\n');
	}
}

static void print_details(const struct sweep_report *report, const struct sweep_trial *trial,
                          FILE *out)
{
	char *command = sweep_command(report, trial);

	fputs("  ---\n", out);
	print_string(out, "result:", sweep_did_name(trial->result.did));
	print_string(out, "message:", sweep_story(&trial->result));
	fprintf(out, "  duration_ms: %.3f\n", (double)trial->result.took_ns / 1e6);
	if (trial->frames && trial->frames[0])
		print_sites(report, out, trial->frames);
	print_string(out, "repeat:", command);
	fputs("  ...\n", out);
	free(command);
}

static void print_trial(const struct sweep_report *report, const struct sweep_trial *trial,
                        size_t number, FILE *out)
{
	bool is_ok = !sweep_did_badly(trial->result.did);

	fprintf(out, "%sok %zu - ", is_ok ? "" : "not ", number);
	print_plain(out, sweep_fault_text(report, trial));
	fprintf(out, " %s: %s", sweep_when(trial), sweep_did_name(trial->result.did));
	if (trial->result.did == SWEEP_UNFIRED)
		fputs(" # SKIP the program made fewer such calls", out);
	fputc('\n', out);
	if (trial->result.did != SWEEP_SAME)
		print_details(report, trial, out);
}

void sweep_print_tap(const struct sweep_report *report, FILE *out)
{
	size_t number = 0;

	fputs("TAP version 14\n", out);
	if (!report->interrupted)
		fprintf(out, "1..%zu\n", report->done);
	for (size_t i = 0; i < report->trials; i++)
		if (report->trial[i].is_done)
			print_trial(report, &report->trial[i], ++number, out);
	if (report->interrupted)
		fprintf(out, "Bail out! interrupted: %zu of %zu runs were made\n", report->done,
		        report->trials);
}
