/* SPDX-License-Identifier: MIT */
/* report_head.c - what a person reads first: what is missing, three lines that
 * say it all, who was not seen, and the findings. */
#include "core/names.h"
#include "tools/page.h"
#include "tools/port_range.h"
#include "tools/report.h"
#include "tools/wording.h"

enum { FINDINGS_SHOWN = 5, NAMES_SHOWN = 4 };

static void missing(const struct page *page, uint64_t count, const char *thing, const char *why)
{
	if (count > 0)
		fprintf(page->out, "%sincomplete: %s %s%s\n", page->red, word_count(count, thing),
		        why, page->off);
}

static void print_missing(const struct page *page, const struct report *report)
{
	const struct reader_info *info = &report->info;

	missing(page, info->events_dropped, "event",
	        "lost: the session was full, or its disk (tcpshim run --capacity)");
	missing(page, info->damaged, "part", "of the file made no sense and was left out");
	missing(page, info->processes_dropped, "process record", "lost: the table was full");
	missing(page, info->peers_dropped, "UDP peer", "not recorded: too many for one socket");
	missing(page, report->audit->life.names_dropped, "descriptor",
	        "of forked processes not followed: too many");
}

static void print_unseen(const struct page *page, const struct report *report)
{
	for (size_t i = 0; i < report->unseen_count && i < PAGE_ROWS; i++) {
		const struct unseen *unseen = &report->unseen[i];

		fprintf(page->out, "%s%s: %s%s\n      %s\n", page->yellow,
		        unseen->is_partial ? "seen in part" : "not seen", word_unseen(unseen),
		        page->off, unseen->why);
	}
	page_more(page, report->unseen_count, PAGE_ROWS);
}

/* ---- the three lines ---- */

static void print_programs_line(const struct page *page, const struct report *report)
{
	const struct audit *audit = report->audit;
	size_t i;

	if (audit->processes == 0) {
		fprintf(page->out, "%snothing seen:%s the library came up in no process\n",
		        page->bold, page->off);
		return;
	}
	fputs(page->bold, page->out);
	for (i = 0; i < report->program_count && i < NAMES_SHOWN; i++)
		fprintf(page->out, "%s%s", i ? ", " : "",
		        word_process(report->programs[i]->name, 0));
	if (i < report->program_count)
		fprintf(page->out, " and %s",
		        word_count(report->program_count - i, "other program"));
	fprintf(page->out, "%s: %s in %s, ", page->off, word_count(audit->processes, "process"),
	        word_duration(audit->now_ns > audit->first_ns ? audit->now_ns - audit->first_ns
	                                                      : 0));
	if (report->blind_count)
		fprintf(page->out, "%s not seen", word_number(report->blind_count));
	else
		fputs(report->unseen_count ? "some seen in part" : "all seen", page->out);
	fputs(report->is_live ? ", still running\n" : "\n", page->out);
}

static void print_traffic_line(const struct page *page, const struct report *report)
{
	size_t listening = 0;

	for (size_t i = 0; i < report->listener_count; i++)
		listening += report->listeners[i]->key.place.proto != PROTO_UDP;
	if (listening)
		fprintf(page->out, "%s listened on, %s accepted", word_count(listening, "port"),
		        word_count(report->accepted, "connection"));
	else
		fputs("listens nowhere", page->out);
	if (report->destination_count)
		fprintf(page->out, "; %s made to %s, %s failed\n",
		        word_count(report->made, "connection"),
		        word_count(report->destination_count, "destination"),
		        word_number(report->failed));
	else
		fputs("; calls nobody\n", page->out);
}

static void print_findings_line(const struct page *page, const struct report *report)
{
	const char *comma = "";

	for (int severity = 0; severity < SEVERITIES; severity++) {
		size_t count = findings_count(&report->findings, (enum severity)severity);

		if (count == 0)
			continue;
		fprintf(page->out, "%s%s", comma,
		        word_count(count, findings_severity((enum severity)severity)));
		comma = ", ";
	}
	if (report->findings.count == 0)
		fputs("nothing found that needs attention", page->out);
	if (report->tightest && report_capacity(report, report->tightest))
		fprintf(page->out, "; at most %s of %s ephemeral ports in use to one destination",
		        word_number(report->tightest->connected.peak),
		        word_number(report_capacity(report, report->tightest)));
	fputc('\n', page->out);
}

/* Calls that the kernel has failed where a rule limits the descriptors. */
static uint64_t no_fd_by_limit(const struct report *report)
{
	uint64_t count = 0;
	uint32_t set;

	for (size_t i = 0; i < report->program_count; i++) {
		const struct program *program = report->programs[i];

		if (port_range_fds_rule(report->audit, program, &set))
			count += program->no_fd - program->no_fd_by_rule;
	}
	return count;
}

/* Of the rules in force at the end. */
static void print_rules_line(const struct page *page, const struct report *report)
{
	const struct verdicts *verdicts = &report->audit->verdicts;
	const struct rulesets *sets = report->rules;
	const struct ruleset *set = sets->count > 0 ? &sets->set[sets->count - 1] : NULL;
	const char *comma = "";

	if (!set && verdicts_total(verdicts) == 0)
		return;
	if (set)
		fputs(word_count(set->rules->count, "rule"), page->out);
	if (set && ruleset_idle(set))
		fprintf(page->out, ", %s never matched", word_number(ruleset_idle(set)));
	if (set)
		fputs("; ", page->out);
	for (unsigned i = VERDICT_PASSED + 1; i <= VERDICT_DELAYED; i++) {
		if (verdicts->count[i] == 0)
			continue;
		fprintf(page->out, "%s%s %s",
		        *comma ? comma : "calls: ", word_number(verdicts->count[i]),
		        name_verdict((enum verdict_kind)i));
		comma = ", ";
	}
	if (no_fd_by_limit(report))
		fprintf(page->out, "%s%s without a descriptor",
		        *comma ? comma : "calls: ", word_number(no_fd_by_limit(report)));
	else if (!*comma)
		fputs("no call was changed by a rule", page->out);
	fputc('\n', page->out);
}

static void print_finding(const struct page *page, const struct finding *finding)
{
	fprintf(page->out, "    %s\n", finding->subject);
	page_paragraph(page, 6, finding->evidence);
}

static void print_findings(const struct page *page, const struct report *report)
{
	const struct findings *findings = &report->findings;

	if (findings->count == 0)
		return;
	page_heading(page, "FINDINGS");
	for (size_t i = 0, next; i < findings->count; i = next) {
		const struct finding_kind *kind = findings->list[i].kind;
		size_t shown = 0;

		fprintf(page->out, "  %s%s%s: %s\n",
		        kind->severity == SEVERITY_PROBLEM   ? page->red
		        : kind->severity == SEVERITY_WARNING ? page->yellow
		                                             : page->bold,
		        findings_severity(kind->severity), page->off, kind->title);
		for (next = i; next < findings->count && findings->list[next].kind == kind; next++)
			if (++shown <= FINDINGS_SHOWN)
				print_finding(page, &findings->list[next]);
		page_more(page, next - i, FINDINGS_SHOWN);
		fputs(page->dim, page->out);
		page_paragraph(page, 4, kind->advice);
		fputs(page->off, page->out);
	}
}

void report_head(const struct report *report, const struct page *page)
{
	print_missing(page, report);
	print_programs_line(page, report);
	print_traffic_line(page, report);
	print_findings_line(page, report);
	print_rules_line(page, report);
	print_unseen(page, report);
	print_findings(page, report);
}
