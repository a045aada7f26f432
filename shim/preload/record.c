/* SPDX-License-Identifier: MIT */
/* record.c - see record.h. */
#include "preload/record.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "preload/livelog.h"
#include "sys/clock.h"
#include "sys/raw.h"

long record_allocate(void *at, size_t size)
{
	long error = raw_populate(at, size);

	/* before Linux 5.14 nobody tells; then the risk is the page's own */
	return error == -EINVAL ? 0 : error;
}

static void *page_address(uint32_t page)
{
	return (char *)process.engine.session + (uint64_t)page * SESSION_PAGE;
}

/* Take a chunk, allocated and open, for a cursor. */
static bool take_chunk(session_cursor *cursor, unsigned class, uint32_t tid)
{
	struct session_header *session = process.engine.session;
	struct session_process *entry = process_entry();
	struct session_chunk chunk = {
	        .class = class, .process = process.slot, .pid = process.pid, .tid = tid};
	uint32_t page = session_take_pages(session, process.mapped_bytes, class);

	if (!page || record_allocate(page_address(page), (size_t)SESSION_PAGE << class) != 0) {
		process.is_sealed = true;
		return false;
	}
	if (entry)
		atomic_fetch_add_explicit(&entry->chunks, 1, memory_order_relaxed);
	session_open_chunk(session, cursor, page, &chunk);
	return true;
}

/* A full chunk stays in the file; our memory need not hold it. */
static void let_go(uint64_t cursor)
{
	uint32_t page = (uint32_t)(cursor >> 36);
	unsigned class = cursor >> 32 & 15;

	if (class == SESSION_CHUNK_CLASS_MAX)
		raw3(SYS_madvise, page_address(page), (size_t)SESSION_PAGE << class, MADV_DONTNEED);
}

static __attribute__((noinline)) struct line *take_more_lines(unsigned n)
{
	struct session_header *session = process.engine.session;
	uint64_t old = atomic_load(&thread.cursor);
	struct line *line = NULL;

	if (process.is_sandboxed) {
		line = session_take_lines(session, &process.reserve, n);
	} else if (!process.is_sealed && take_chunk(&thread.cursor, thread.class, thread.tid)) {
		/* small at first, for the many threads that make few calls */
		thread.class = thread.class + 2 < SESSION_CHUNK_CLASS_MAX ? thread.class + 2
		                                                           : SESSION_CHUNK_CLASS_MAX;
		let_go(old);
		line = session_take_lines(session, &thread.cursor, n);
	}
	if (!line)
		atomic_fetch_add_explicit(&session->events_dropped, 1, memory_order_relaxed);
	return line;
}

static inline struct line *take_lines(unsigned n)
{
	struct line *line = session_take_lines(process.engine.session, &thread.cursor, n);

	return LIKELY(line != NULL) ? line : take_more_lines(n);
}

void record_reserve(void)
{
	take_chunk(&process.reserve, SESSION_CHUNK_CLASS_MAX, 0);
}

/* With a live log: an event may be in no session, then it is made on the stack. */
static __attribute__((noinline)) void record_aloud(const struct op *op, const struct sock *before,
                                                   const struct verdict *verdict,
                                                   const struct outcome *outcome, struct line *line)
{
	enum { LINES = 5 };
	struct line scratch[LINES];
	struct outcome cut = *outcome;

	if (!line) {
		memset(scratch, 0, sizeof(scratch));
		line = scratch;
		if (cut.text_len > sizeof(scratch) - sizeof(scratch[0]))
			cut.text_len = sizeof(scratch) - sizeof(scratch[0]);
	}
	engine_after(&process.engine, op, before, verdict, &cut, line);
	livelog_line(line, op->start, outcome->end);
}

void record(const struct op *op, const struct sock *before, const struct verdict *verdict,
            const struct outcome *outcome)
{
	struct line *line = NULL;

	if (LIKELY(process.is_recording))
		line = take_lines(engine_lines(op, outcome));
	if (UNLIKELY(process.is_logging))
		record_aloud(op, before, verdict, outcome, line);
	else
		engine_after(&process.engine, op, before, verdict, outcome, line);
	if (UNLIKELY(outcome->end >= process.clock_due))
		process_renew_clock();
}

void record_note(const struct op *op, const struct outcome *outcome)
{
	static const struct sock none;
	static const struct verdict passed;

	record(op, &none, &passed, outcome);
}

void record_process(enum op_kind kind, const char *text)
{
	if (process.is_logging)
		livelog_process(kind, text);
}

bool record_open_log(void)
{
	return livelog_open();
}
