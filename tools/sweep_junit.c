/* SPDX-License-Identifier: MIT */
/* sweep_junit.c - the report of a sweep as JUnit XML, the dialect that CI systems share. */
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tools/memory.h"
#include "tools/site.h"
#include "tools/sweep_faults.h"
#include "tools/sweep_print.h"

/* Noncharacters of UTF-8 that XML cannot hold: U+FFFE, U+FFFF. */
static bool is_noncharacter(const char *at)
{
	return strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0;
}

/* Text that text_visible() has made. */
static void print_text(FILE *out, const char *text)
{
	static const struct {
		char c;
		const char *name;
	} named[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}};

	for (const char *at = text; *at; at++) {
		const char *name = NULL;

		for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
			name = *at == named[i].c ? named[i].name : name;
		if (name) {
			fputs(name, out);
		} else if (is_noncharacter(at)) {
			fputs("\xef\xbf\xbd", out);
			at += 2;
		} else {
			fputc(*at, out);
		}
	}
}

/* Any bytes. */
static void print_bytes(FILE *out, const char *bytes)
{
	size_t len = strlen(bytes), size = 4 * len + 16;
	char *buf = memory_new(size);
	struct text text = text_on(buf, size);

	text_visible(&text, bytes, len);
	print_text(out, buf);
	free(buf);
}

static void print_attribute(FILE *out, const char *name, const char *text)
{
	fprintf(out, " %s=\"", name);
	print_text(out, text);
	fputc('"', out);
}

static void print_sites(const struct sweep_report *report, FILE *out, const char *frames)
{
	while (frames && *frames) {
		size_t len = strcspn(frames, "\n");
		char *name = site_name(report->sites, frames, len);

		fputs("\n  ", out);
		print_text(out, name);
		free(name);
		frames += len + (frames[len] == '\n');
	}
}

/* What is bad is a failure, with where and how to see it again. */
static void print_outcome(const struct sweep_report *report, const struct sweep_trial *trial,
                          FILE *out)
{
	bool is_bad = sweep_did_badly(trial->result.did);
	const char *element = is_bad ? "failure" : "system-out";
	char *command;

	if (trial->result.did == SWEEP_UNFIRED) {
		fputs("<skipped message=\"the program made fewer such calls\"/>", out);
		return;
	}
	fprintf(out, "<%s", element);
	if (is_bad) {
		print_attribute(out, "type", sweep_did_name(trial->result.did));
		print_attribute(out, "message", sweep_story(&trial->result));
	}
	fputc('>', out);
	print_text(out, sweep_story(&trial->result));
	print_sites(report, out, trial->frames);
	command = sweep_command(report, trial);
	fputc('\n', out);
	print_text(out, command);
	free(command);
	fprintf(out, "</%s>", element);
}

static void print_trial(const struct sweep_report *report, const struct sweep_trial *trial,
                        FILE *out)
{
	fputs("  <testcase", out);
	fputs(" classname=\"", out);
	print_bytes(out, sweep_fault_text(report, trial));
	fputc('"', out);
	print_attribute(out, "name", sweep_when(trial));
	fprintf(out, " time=\"%.6f\">", (double)trial->result.took_ns / 1e9);
	print_outcome(report, trial, out);
	fputs("</testcase>\n", out);
}

static double time_of(const struct sweep_report *report)
{
	double time = 0;

	for (size_t i = 0; i < report->trials; i++)
		if (report->trial[i].is_done)
			time += (double)report->trial[i].result.took_ns / 1e9;
	return time;
}

void sweep_print_junit(const struct sweep_report *report, FILE *out)
{
	size_t tests = report->done + (report->interrupted ? 1 : 0);

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\""
	      "tcpshim sweep\"",
	      out);
	fprintf(out,
	        " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"%zu\" time=\"%.6f\">\n",
	        tests, sweep_count_bad(report), report->interrupted ? 1 : 0,
	        sweep_count(report, SWEEP_UNFIRED), time_of(report));
	for (size_t i = 0; i < report->trials; i++)
		if (report->trial[i].is_done)
			print_trial(report, &report->trial[i], out);
	if (report->interrupted)
		fprintf(out,
		        "  <testcase classname=\"tcpshim sweep\" name=\"all\"><error message=\""
		        "interrupted: %zu of %zu runs were made\"/></testcase>\n",
		        report->done, report->trials);
	fputs("</testsuite>\n</testsuites>\n", out);
}
