/* SPDX-License-Identifier: MIT */
/* findings_spin.c - how programs took a failure, where they should not have: without a
 * pause, with their end, or for good. */
#include <stdio.h>

#include "core/names.h"
#include "tools/findings_look.h"
#include "tools/recovery_words.h"
#include "tools/wording.h"

enum {
	SPIN_MIN = 10, /* failures of accept in a row */
	RETRY_MIN = 5, /* failures of connect in a row */
	CALLS_MIN =
	        100, /* of another call: a few may be asked for at once, by nobody who retries */
};

/* So long without accept is more than a pause. */
#define STOPPED_NS ((uint64_t)1000000000)

/* And so long is a loop. */
#define SPINNING_NS ((uint64_t)100000000)

/* Who does what where: "server[812] accept at 0.0.0.0:80". */
static const char *subject_of(const struct audit *audit, const struct trouble *row)
{
	const struct process *process = audit->process[row->slot];
	const char *place = trouble_place(row);
	bool is_nowhere = place[0] == '-' && !place[1];
	static char text[256];

	snprintf(text, sizeof(text), "%s %s%s%s",
	         word_process(row->key.program->name, process ? process->info.pid : 0),
	         name_op((enum op_kind)row->key.call), is_nowhere ? "" : " ",
	         is_nowhere ? "" : place);
	return text;
}

void look_accept_spin(const struct audit *audit, struct findings *findings)
{
	const struct listener *row;

	for (row = audit->ledger.listeners; row; row = row->hh.next)
		if (row->spinning.best >= SPIN_MIN)
			findings_add(findings, row->spinning.best, findings_listener(audit, row),
			             "accept failed %s in a row within %s: %s a second (%s in all)",
			             word_count(row->spinning.best, "time"),
			             word_duration(row->spinning.best_ns),
			             word_rate(row->spinning.best, row->spinning.best_ns),
			             word_errors(&row->failed));
}

void look_connect_retry(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	(void)audit;
	for (row = audit->ledger.destinations; row; row = row->hh.next)
		if (row->retries.best >= RETRY_MIN)
			findings_add(findings, row->retries.best, findings_call(row),
			             "connect failed %s in a row within %s, less than 10 ms apart: "
			             "%s a second (%s in all)",
			             word_count(row->retries.best, "time"),
			             word_duration(row->retries.best_ns),
			             word_rate(row->retries.best, row->retries.best_ns),
			             word_errors(&row->failed));
}

void look_call_spin(const struct audit *audit, struct findings *findings)
{
	const struct trouble *row;

	for (row = audit->recovery.rows; row; row = row->hh.next) {
		if (row->key.call == OP_ACCEPT || row->key.call == OP_CONNECT ||
		    row->spin < CALLS_MIN || row->spin_ns < SPINNING_NS)
			continue;
		findings_add(findings, row->spin, subject_of(audit, row),
		             "%s failed %s in a row within %s: %s a second (%s)",
		             name_op((enum op_kind)row->key.call), word_count(row->spin, "time"),
		             word_duration(row->spin_ns), word_rate(row->spin, row->spin_ns),
		             trouble_error(audit, row));
	}
}

void look_last_words(const struct audit *audit, struct findings *findings)
{
	const struct trouble *row;

	for (row = audit->recovery.rows; row; row = row->hh.next)
		if (row->last_words)
			findings_add(
			        findings, row->last_words, subject_of(audit, row),
			        "%s of %s failed with %s: the last that was seen of %s, which "
			        "did not exit",
			        word_number(row->failures), word_count(row->failures, "such call"),
			        trouble_error(audit, row), word_count(row->last_words, "process"));
}

void look_accept_stopped(const struct audit *audit, struct findings *findings)
{
	const struct trouble *row;

	for (row = audit->recovery.rows; row; row = row->hh.next)
		if (row->key.call == OP_ACCEPT && row->open && row->idle_ns >= STOPPED_NS)
			findings_add(
			        findings, row->open, subject_of(audit, row),
			        "accept failed %s with %s; for %s, until the end of the record, no "
			        "other accept was over (it may be waiting in one)",
			        word_count(row->failures, "time"), trouble_error(audit, row),
			        word_duration(row->idle_ns));
}
