/* SPDX-License-Identifier: MIT */
/* summary.c - see summary.h. */
#include "tools/summary.h"

#include <stdio.h>

#include "tools/rules_summary.h"
#include "tools/wording.h"

enum {
	EXIT_DENIED = 3,
	EXIT_NOT_FIRED = 4,
	EXIT_NOT_COVERED = 5,
	UNSEEN_SHOWN = 5,
	FINDINGS_SHOWN = 5
};

static void summarize_unseen(const struct report *report)
{
	for (size_t i = 0; i < report->unseen_count && i < UNSEEN_SHOWN; i++)
		fprintf(stderr, "tcpshim: %s: %s: %s\n",
		        report->unseen[i].is_partial ? "seen in part" : "not seen",
		        word_unseen(&report->unseen[i]), report->unseen[i].why);
	if (report->unseen_count > UNSEEN_SHOWN)
		fprintf(stderr, "tcpshim: and %s more\n",
		        word_number(report->unseen_count - UNSEEN_SHOWN));
}

/* The gravest, but not what is a note. */
static void summarize_findings(const struct report *report)
{
	for (size_t i = 0; i < report->findings.count && i < FINDINGS_SHOWN; i++) {
		const struct finding *finding = &report->findings.list[i];

		if (finding->kind->severity != SEVERITY_NOTE)
			fprintf(stderr, "tcpshim: %s: %s: %s\n",
			        findings_severity(finding->kind->severity), finding->kind->title,
			        finding->subject);
	}
}

void summary_print(const struct report *report, const char *session)
{
	const struct audit *audit = report->audit;

	fprintf(stderr, "tcpshim: %s%s; sockets: %s tcp, %s udp, %s unix\n",
	        word_count(audit->processes, "process"),
	        audit->running ? ", some still running" : "", word_number(audit->sockets_tcp),
	        word_number(audit->sockets_udp), word_number(audit->sockets_unix));
	fprintf(stderr, "tcpshim: %s made, %s failed; %s accepted at %s; %s\n",
	        word_count(report->made, "connection"), word_number(report->failed),
	        word_number(report->accepted), word_count(report->listener_count, "place"),
	        word_count(report->findings.count, "finding"));
	if (report->info.events_dropped)
		fprintf(stderr, "tcpshim: %s lost: the session was full, or its disk\n",
		        word_count(report->info.events_dropped, "event"));
	rules_summary(report->rules, report->info.seed, stderr);
	report_recovery_lines(report, stderr);
	summarize_findings(report);
	summarize_unseen(report);
	fprintf(stderr, "tcpshim: recorded; read it with: tcpshim report %s\n", session);
}

/* A deny rule, or a move that the socket could not make. */
static bool tell_denied(const struct report *report)
{
	uint64_t denied = report->audit->verdicts.count[VERDICT_DENIED];

	if (rules_denied(report->rules, stderr))
		return true;
	if (denied)
		fprintf(stderr, "tcpshim: --strict: %s denied", word_count(denied, "call"));
	return denied > 0;
}

int summary_judge(const struct report *report, bool is_missing, int status)
{
	if (status != 0)
		return status;
	if (report && tell_denied(report)) {
		fprintf(stderr, ": exit status %d\n", EXIT_DENIED);
		return EXIT_DENIED;
	}
	if (report && rules_unfired(report->rules, stderr)) {
		fprintf(stderr, ": exit status %d\n", EXIT_NOT_FIRED);
		return EXIT_NOT_FIRED;
	}
	if (report && report->unseen_count > 0)
		fprintf(stderr, "tcpshim: --strict: %s was not seen (%s): exit status %d\n",
		        word_unseen(&report->unseen[0]), report->unseen[0].what, EXIT_NOT_COVERED);
	else if (is_missing)
		fprintf(stderr, "tcpshim: --strict: the program was not seen: exit status %d\n",
		        EXIT_NOT_COVERED);
	else
		return status;
	return EXIT_NOT_COVERED;
}
