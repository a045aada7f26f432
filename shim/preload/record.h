/* SPDX-License-Identifier: MIT */
/* record.h - where events go: into the session's chunks, and as JSON into the
 * live log. */
#ifndef PRELOAD_RECORD_H
#define PRELOAD_RECORD_H

#include "preload/entry.h"

/* The slow halves of record(): a thread's chunk is full; there is a live log; a
 * process's clock pair is due. */
struct line *record_more_lines(unsigned n);
void record_aloud(struct call *call, struct line *line);

/* Report a call of this kind to the engine and record it. What is done seldom gets a copy, so
 * that the compiler can keep the call in registers. */
HOT void record_as(enum op_kind kind, struct call *call)
{
	struct line *line = NULL;
	unsigned lines = engine_has_text(kind) ? engine_lines(&call->outcome) : 1;

	if (LIKELY(process.is_recording)) {
		line = session_take_lines(process.engine.session, &thread.cursor, lines);
		if (UNLIKELY(!line))
			line = record_more_lines(lines);
	}
	if (UNLIKELY(process.is_logging)) {
		struct call copy = *call;

		record_aloud(&copy, line);
	} else {
		engine_after(&process.engine, kind, call, line);
	}
	if (UNLIKELY(call->outcome.end >= process.self->clock_due))
		entry_renew_clock();
}

/* The same where it is not hot. */
void record(struct call *call);

/* Record something that is not a socket call: BLIND, LIMIT, RESOLVE. */
void record_note(const struct op *op, const struct outcome *outcome);

/* Starts, forks, execs and ends stand in the table of processes; only the live
 * log is told of them. text may be NULL. */
void record_process(enum op_kind kind, const char *text);

/* Make the kernel allocate whole pages of the session. Returns 0, or -errno
 * where touching them would kill us. */
long record_allocate(void *at, size_t size);

/* Take a chunk for all threads to use once no system call can be made. */
void record_reserve(void);

#endif
