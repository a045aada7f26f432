/* SPDX-License-Identifier: MIT */
/* findings.h - what in an audit is worth a person's time, and what to do about it.
 * One table of kinds; each looks at the rows of a finished audit. */
#ifndef TOOLS_FINDINGS_H
#define TOOLS_FINDINGS_H

#include "tools/audit.h"

enum severity {
	SEVERITY_PROBLEM, /* something has failed */
	SEVERITY_WARNING, /* something will, with more load or less luck */
	SEVERITY_NOTE,    /* worth knowing */
	SEVERITIES,
};

struct findings;

struct finding_kind {
	const char *id; /* stable: the JSON report has it */
	enum severity severity;
	const char *title, *advice;
	void (*look)(const struct audit *audit, struct findings *findings);
};

struct finding {
	const struct finding_kind *kind;
	uint64_t weight;    /* how much there is of it; the heaviest of a kind come first */
	char subject[256];  /* what it is about: printable */
	char evidence[512]; /* what was seen: printable */
};

struct findings {
	struct finding *list;
	size_t count, room;
	const struct finding_kind *kind; /* whose look() is running */
};

/* All findings of a finished audit, the gravest first. For findings_free(). */
struct findings findings_of(const struct audit *audit);
void findings_free(struct findings *findings);

/* How many there are of a severity. */
size_t findings_count(const struct findings *findings, enum severity severity);

/* "problem", "warning", "note". */
const char *findings_severity(enum severity severity);

#endif
