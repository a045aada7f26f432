/* SPDX-License-Identifier: MIT */
/* report.h - everything that a report shows, in the order in which it is shown.
 * The text and the JSON are two views of it. */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H

#include <stdio.h>

#include "tools/coverage.h"
#include "tools/findings.h"

struct report {
	struct reader_info info;
	bool is_live;
	struct audit *audit;
	struct findings findings;
	struct unseen *unseen;
	size_t unseen_count;
	size_t blind_count;              /* of them: processes of which nothing is seen */
	const struct program **programs; /* those with the most sockets first */
	size_t program_count;
	const struct listener *
	        *listeners; /* by protocol and port; ports that the kernel chose last */
	size_t listener_count;
	const struct destination **destinations; /* the most used first */
	size_t destination_count;
	const struct leak **leaks; /* the most first */
	size_t leak_count;
	const struct rulesets *rules;  /* count 0: there were none */
	const struct denial **denials; /* the most first */
	size_t denial_count;
	const struct trouble **troubles; /* those of rules first, then the most */
	size_t trouble_count;
	const struct destination *tightest; /* where the fewest ports were left, or NULL */
	uint64_t made, failed, accepted;
};

/* Read a session to its end. For report_free(), before the reader is closed. */
struct report report_of(struct reader *reader);
void report_free(struct report *report);

/* How many connections a destination can have at once, 0: unknown. */
uint64_t report_capacity(const struct report *report, const struct destination *destination);

/* What happened to a socket that was never closed: "connected", "accepted"... */
const char *report_use(enum use use);

/* The set of rules of a number; NULL if it is not known. */
const struct ruleset *report_set(const struct report *report, uint32_t number);

/* "rule 3", and of which set where there were several. As in wording.h. */
const char *report_rule_name(const struct report *report, uint32_t rule, uint32_t set);

/* What was asked for of a place that calls were moved to; NULL: nothing else. */
const struct move *report_asked_there(const struct report *report, const struct listener *row);
const struct move *report_asked_of(const struct report *report, const struct destination *row);

struct page;

/* The first part of report_text(). */
void report_head(const struct report *report, const struct page *page);

/* The part of it that tells of rules. */
void report_rules(const struct report *report, const struct page *page);

/* The part of it that tells how failures were taken; and the same in a line each. */
void report_recovery(const struct report *report, const struct page *page);
void report_recovery_lines(const struct report *report, FILE *out);

struct cJSON;

/* The same for the JSON report; how failures were taken; and a count of errors, as it has them
 * everywhere. */
void report_json_rules(const struct report *report, struct cJSON *root);
void report_json_recovery(const struct report *report, struct cJSON *root);
void report_json_shortage(const struct report *report, struct cJSON *object, const char *name,
                          const struct shortage *shortage);
void report_json_errors(struct cJSON *object, const char *name, const struct errors *errors);

/* For people, with colours if asked for. */
void report_text(const struct report *report, FILE *out, bool colour);

/* The same as JSON. Returns false if it cannot be written. */
bool report_json(const struct report *report, FILE *out);

#endif
