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

static struct session_chunk head(unsigned class, uint32_t tid)
{
	return (struct session_chunk){.class = class,
	                              .process = process.self->slot,
	                              .pid = process.self->pid,
	                              .tid = tid};
}

/* Take a chunk of whole pages, allocated and open, for a cursor. */
static bool take_chunk(session_cursor *cursor, unsigned class, uint32_t tid)
{
	struct session_header *session = process.engine.session;
	struct session_process *entry = process_entry();
	struct session_chunk chunk = head(class, tid);
	unsigned pages_log2 = class == SESSION_CHUNK_SHARED ? 0 : class;
	uint32_t page = session_take_pages(session, process.mapped_bytes, pages_log2);

	if (!page || record_allocate(page_address(page), (size_t)SESSION_PAGE << pages_log2) != 0) {
		process.is_sealed = true;
		return false;
	}
	if (entry)
		atomic_fetch_add_explicit(&entry->chunks, 1, memory_order_relaxed);
	session_open_chunk(session, cursor, page, 0, &chunk);
	return true;
}

/* A thread's first events go to a small chunk of a page that it shares with
 * others: many threads live for one connection. */
static bool take_small_chunk(void)
{
	struct session_header *session = process.engine.session;
	struct session_chunk chunk = head(SESSION_CHUNK_SMALL, thread.tid);
	struct line *at = session_take_lines(session, &process.self->shared, SESSION_SMALL_LINES);
	uint32_t id;

	if (!at && take_chunk(&process.self->shared, SESSION_CHUNK_SHARED, 0))
		at = session_take_lines(session, &process.self->shared, SESSION_SMALL_LINES);
	if (!at)
		return false;
	id = session_line_id(session, at);
	session_open_chunk(session, &thread.cursor, id / SESSION_PAGE_LINES,
	                   id % SESSION_PAGE_LINES, &chunk);
	return true;
}

/* Each chunk of a thread is larger than the one before. */
static bool take_next_chunk(void)
{
	static const uint8_t class[] = {SESSION_CHUNK_SMALL, 0, 2, SESSION_CHUNK_CLASS_MAX};
	unsigned step = thread.step;

	if (step == 0 ? !take_small_chunk() : !take_chunk(&thread.cursor, class[step], thread.tid))
		return false;
	if (step + 1 < sizeof(class))
		thread.step = step + 1; /* a signal handler may have done the same meanwhile */
	return true;
}

/* A full chunk stays in the file; our memory need not hold it. */
static void let_go(uint64_t cursor)
{
	const uint64_t lines = (uint64_t)SESSION_PAGE_LINES << SESSION_CHUNK_CLASS_MAX;

	if ((cursor >> 24 & 0xfff) == lines)
		raw3(SYS_madvise, page_address((uint32_t)(cursor >> 36)), lines * SESSION_LINE,
		     MADV_DONTNEED);
}

struct line *record_more_lines(unsigned n)
{
	struct session_header *session = process.engine.session;
	uint64_t old = atomic_load(&thread.cursor);
	struct line *line = NULL;

	if (process.is_sandboxed)
		line = session_take_lines(session, &process.self->reserve, n);
	while (!line && !process.is_sandboxed && !process.is_sealed && take_next_chunk())
		line = session_take_lines(session, &thread.cursor, n);
	let_go(old);
	if (!line)
		atomic_fetch_add_explicit(&session->events_dropped, 1, memory_order_relaxed);
	return line;
}

void record_reserve(void)
{
	take_chunk(&process.self->reserve, SESSION_CHUNK_CLASS_MAX, 0);
}

/* With a live log an event may be in no session: then it is made on the stack. */
void record_aloud(struct call *call, struct line *line)
{
	enum { LINES = 5 };
	struct line scratch[LINES];
	const size_t room = sizeof(scratch) - sizeof(scratch[0]);

	if (!line) {
		memset(scratch, 0, sizeof(scratch));
		line = scratch;
		if (call->outcome.text_len > room)
			call->outcome.text_len = room;
	}
	engine_after(&process.engine, call->op.kind, call, line);
	livelog_line(line, call->op.start, call->outcome.end);
}

void record(struct call *call)
{
	record_as(call->op.kind, call);
}

void record_note(const struct op *op, const struct outcome *outcome)
{
	struct call call = {.op = *op, .outcome = *outcome};

	record(&call);
}

void record_process(enum op_kind kind, const char *text)
{
	if (process.is_logging)
		livelog_process(kind, text);
}
