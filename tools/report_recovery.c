/* SPDX-License-Identifier: MIT */
/* report_recovery.c - whether programs got over the failures that they were given, in three
 * views: for people, as JSON, and in a line each for the summary of a run.
 *
 *  recovery[]     call, errno, proto and address or name (null: none), program, verdict (null: the
 *                 kernel itself), rule, set, failures, episodes, tries, pause_shortest_ns,
 *                 pause_median_ns, pause_longest_ns, spin, spin_ns, recovered, recovery_ns,
 *                 nobody_waiting, pending, closed, reconnected, exited, exit_status, exit_ns,
 *                 ended, open, open_ns
 *  short          of a destination, and bind_short: calls that found no port, and how things stood
 * at the first: calls, open, closed_first, closed_unknown, ports, low, high, rule */
#include <string.h>

#include "core/names.h"
#include "tools/json.h"
#include "tools/page.h"
#include "tools/port_range.h"
#include "tools/recovery_words.h"
#include "tools/report.h"
#include "tools/wording.h"

enum { SUMMARY_SHOWN = 8 };

/* "rule 2"; for what the kernel was out of, nothing. */
static const char *cause_of(const struct report *report, const struct trouble *row)
{
	uint32_t set, rule = trouble_rule(report->audit, row, &set);

	return rule ? report_rule_name(report, rule, set) : "";
}

/* "accept failed 3 times with EMFILE (rule 2) at 0.0.0.0:80, server" */
static void print_what(FILE *out, const struct report *report, const struct trouble *row)
{
	const char *place = trouble_place(row), *cause = cause_of(report, row);
	bool has_place = strcmp(place, "-") != 0;
	bool is_aim = row->key.call == OP_CONNECT || row->key.call == OP_SEND;

	fprintf(out, "%s failed %s with %s%s%s%s%s%s, %s", name_op((enum op_kind)row->key.call),
	        word_count(row->failures, "time"), trouble_error(report->audit, row),
	        *cause ? " (" : "", cause, *cause ? ")" : "",
	        !has_place                    ? ""
	        : row->key.call == OP_RESOLVE ? " for "
	        : is_aim                      ? " to "
	                                      : " at ",
	        has_place ? place : "", word_process(row->key.program->name, 0));
}

void report_recovery(const struct report *report, const struct page *page)
{
	char words[RECOVERY_WORDS_MAX];

	if (report->trouble_count == 0)
		return;
	page_heading(page, "RECOVERY");
	for (size_t i = 0; i < report->trouble_count && i < PAGE_ROWS; i++) {
		const struct trouble *row = report->troubles[i];

		fprintf(page->out, "  %s", trouble_spins(row) ? page->yellow : "");
		print_what(page->out, report, row);
		fprintf(page->out, "%s\n", trouble_spins(row) ? page->off : "");
		if (*trouble_words(words, row))
			page_paragraph(page, 6, words);
	}
	page_more(page, report->trouble_count, PAGE_ROWS);
	if (report->audit->recovery.dropped)
		fprintf(page->out, "  %sof %s more, what followed was not looked at%s\n", page->dim,
		        word_count(report->audit->recovery.dropped, "failure"), page->off);
}

void report_recovery_lines(const struct report *report, FILE *out)
{
	char words[RECOVERY_WORDS_MAX];

	for (size_t i = 0; i < report->trouble_count && i < SUMMARY_SHOWN; i++) {
		const struct trouble *row = report->troubles[i];

		fputs("tcpshim: ", out);
		print_what(out, report, row);
		trouble_words(words, row);
		fprintf(out, "%s%s\n", *words ? ": " : "", words);
	}
	if (report->trouble_count > SUMMARY_SHOWN)
		fprintf(out, "tcpshim: and %s of other kinds\n",
		        word_count(report->trouble_count - SUMMARY_SHOWN, "failure"));
}

static void add_place(cJSON *item, const struct trouble *row)
{
	const char *place = trouble_place(row);
	bool is_name = row->key.call == OP_RESOLVE;

	if (row->key.place.family != FAMILY_OTHER)
		json_string(item, "proto", word_proto(&row->key.place));
	if (strcmp(place, "-") == 0)
		place = NULL;
	else if (row->key.place.path[0])
		place = row->key.place.path;
	json_string(item, is_name ? "name" : "address", place);
}

static void add_pauses(cJSON *item, const struct pauses *pauses)
{
	json_known(item, "pause_shortest_ns", pauses->shortest_ns);
	json_known(item, "pause_median_ns", pauses_median(pauses));
	json_known(item, "pause_longest_ns", pauses->longest_ns);
}

static void add_outcomes(cJSON *item, const struct trouble *row)
{
	json_number(item, "recovered", row->recovered);
	json_known(item, "recovery_ns", row->recovery_ns);
	json_number(item, "nobody_waiting", row->idle);
	json_number(item, "pending", row->pending);
	json_number(item, "closed", row->closed);
	json_number(item, "reconnected", row->reconnected);
	json_number(item, "exited", row->exited);
	json_add(item, "exit_status",
	         row->exited && row->status >= 0 ? cJSON_CreateNumber(row->status)
	                                         : cJSON_CreateNull());
	json_known(item, "exit_ns", row->exit_ns);
	json_number(item, "ended", row->died);
	json_number(item, "open", row->open);
	json_known(item, "open_ns", row->open ? row->idle_ns : 0);
}

void report_json_shortage(const struct report *report, cJSON *object, const char *name,
                          const struct shortage *shortage)
{
	struct port_range range = port_range_short(report->audit, shortage);
	cJSON *item;

	if (shortage->count == 0 || range.is_other) {
		json_add(object, name, cJSON_CreateNull());
		return;
	}
	item = json_object(object, name);
	json_number(item, "calls", shortage->count);
	json_number(item, "open", shortage->open);
	json_number(item, "closed_first", shortage->closed);
	json_number(item, "closed_unknown", shortage->closed_unknown);
	json_known(item, "ports", range.count);
	json_known(item, "low", range.low);
	json_known(item, "high", range.high);
	json_known(item, "rule", range.rule);
}

void report_json_recovery(const struct report *report, cJSON *root)
{
	cJSON *list = json_array(root, "recovery");

	for (size_t i = 0; i < report->trouble_count; i++) {
		const struct trouble *row = report->troubles[i];
		uint32_t set, rule = trouble_rule(report->audit, row, &set);
		cJSON *item = cJSON_CreateObject();

		json_push(list, item);
		json_string(item, "call", name_op((enum op_kind)row->key.call));
		json_string(item, "errno", trouble_error(report->audit, row));
		add_place(item, row);
		json_string(item, "program", row->key.program->name);
		json_string(item, "verdict",
		            row->key.verdict == VERDICT_PASSED
		                    ? NULL
		                    : name_verdict((enum verdict_kind)row->key.verdict));
		json_known(item, "rule", rule);
		json_known(item, "set", set);
		json_number(item, "failures", row->failures);
		json_number(item, "episodes", row->episodes);
		json_number(item, "tries", row->tries);
		add_pauses(item, &row->pauses);
		json_number(item, "spin", row->spin);
		json_number(item, "spin_ns", row->spin_ns);
		add_outcomes(item, row);
	}
}
