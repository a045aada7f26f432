/* SPDX-License-Identifier: MIT */
/* test_session.c - the layout of a session and its lock-free appends. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/make_session.h"

enum { EVENTS = 4096, THREADS = 4 };

static struct made made;

static int open_made(void **state)
{
	(void)state;
	made = made_open(EVENTS);
	return 0;
}

static int close_made(void **state)
{
	(void)state;
	made_close(&made);
	return 0;
}

static void lays_out(void **state)
{
	(void)state;
	assert_null(session_problem(made.header, made.bytes));
	assert_int_equal(made.header->bytes, session_bytes(EVENTS));
	assert_int_equal(made.header->seed, 42);
	assert_int_equal(made.header->pages_used, SESSION_PAGES_FIRST);
	assert_int_equal(session_bytes(1) - session_bytes(0), SESSION_PAGE);
	assert_int_equal(session_bytes(SESSION_PAGE_LINES + 1) - session_bytes(0),
	                 2 * SESSION_PAGE);
}

static void tells_what_is_no_session(void **state)
{
	struct session_header *header = made.header;

	(void)state;
	assert_non_null(session_problem(header, 0));
	assert_non_null(session_problem(header, sizeof(*header) - 1));
	header->bytes += 1;
	assert_non_null(session_problem(header, made.bytes));
	header->bytes = 0;
	assert_non_null(session_problem(header, made.bytes));
	header->version++;
	assert_non_null(session_problem(header, made.bytes));
	header->magic[0] = 'T';
	assert_non_null(session_problem(header, made.bytes));
}

static uint32_t live(uint32_t pid)
{
	uint32_t slot = session_take_process(made.header, pid, made_touch);

	session_process(made.header, slot)->state = PROCESS_LIVE;
	return slot;
}

static void finds_a_process_by_its_pid(void **state)
{
	uint32_t home = session_process_home(4711);

	(void)state;
	assert_int_equal(session_find_process(made.header, 4711, made_touch), 0);
	assert_int_equal(live(4711), home);
	assert_int_equal(session_find_process(made.header, 4711, made_touch), home);
	session_process(made.header, home)->state = PROCESS_EXECED;
	assert_int_equal(session_find_process(made.header, 4711, made_touch), 0);
	assert_int_equal(live(4711), home + 1); /* what it became */
	assert_int_equal(session_find_process(made.header, 4711, made_touch), home + 1);
}

static void every_pid_has_a_slot_to_start_from(void **state)
{
	uint32_t last = SESSION_PROCESSES - 1;

	(void)state;
	for (uint32_t pid = 1; pid != 0; pid <<= 1) {
		assert_in_range(session_process_home(pid), 1, last);
		assert_in_range(session_process_home(pid - 1), 1, last);
	}
	assert_int_equal(live(last - 1), last);
	assert_int_equal(live(last - 1 + last), 1); /* the same home: on from the beginning */
	assert_int_equal(session_find_process(made.header, last - 1 + last, made_touch), 1);
}

static void a_search_ends_in_a_full_table(void **state)
{
	(void)state;
	for (uint32_t pid = 1; pid < SESSION_PROCESSES; pid++)
		assert_int_not_equal(live(pid), 0);
	assert_int_equal(session_find_process(made.header, SESSION_PROCESSES + 9, made_touch), 0);
	assert_int_equal(session_take_process(made.header, 1, made_touch), 0);
	assert_int_equal(made.header->processes_dropped, 1);
}

static bool no_touch(void *page)
{
	(void)page;
	return false;
}

static void touches_no_page_that_is_not_safe(void **state)
{
	(void)state;
	assert_int_equal(session_take_process(made.header, 7, no_touch), 0);
	assert_int_equal(made.header->processes_dropped, 1);
	assert_int_equal(live(7), session_process_home(7));
	assert_int_equal(session_find_process(made.header, 7, no_touch), 0);
}

static void a_span_keeps_its_size(void **state)
{
	const uint64_t day = UINT64_C(86400) * 2500000000;

	(void)state;
	for (uint64_t ticks = 1; ticks < day / 2; ticks = ticks * 3 / 2 + 1) {
		uint64_t kept = session_span(session_pack_span(ticks));

		assert_true(kept <= ticks && ticks - kept <= ticks / 32768);
	}
	assert_true(session_span(session_pack_span(INT64_MAX)) > day / 2);
	assert_int_equal(session_pack_span((uint64_t)-5), 0);
	assert_int_equal(session_span(session_pack_span(0x7fffffff)), 0x7fffffff);
}

static void gives_pages_until_full(void **state)
{
	uint32_t expected = SESSION_PAGES_FIRST, page;

	(void)state;
	while ((page = session_take_pages(made.header, made.bytes, 2))) {
		assert_int_equal(page, expected);
		expected += 4;
	}
	assert_int_equal(expected, made.bytes / SESSION_PAGE);
	assert_int_equal(made.header->pages_used, expected);
	assert_int_equal(session_take_pages(made.header, made.bytes, 0), 0);
}

static void gives_no_page_beyond_the_mapping(void **state)
{
	uint64_t mapped = session_bytes(0) + 3 * SESSION_PAGE;

	(void)state;
	assert_int_equal(session_take_pages(made.header, mapped, 2), 0);
	assert_int_equal(session_take_pages(made.header, mapped, 1), SESSION_PAGES_FIRST);
	assert_int_equal(session_take_pages(made.header, mapped, 1), 0);
	made.header->pages_used = 1; /* nonsense: the table is there */
	assert_int_equal(session_take_pages(made.header, mapped, 0), 0);
}

static void gives_the_lines_of_a_chunk(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct line *line;

	(void)state;
	assert_null(session_take_lines(made.header, &cursor, 1));
	cursor = SESSION_CURSOR_EMPTY;
	made_chunk(&made, &cursor, 0, 0, 7);
	line = session_take_lines(made.header, &cursor, 1);
	assert_int_equal(session_line_id(made.header, line),
	                 SESSION_PAGES_FIRST * SESSION_PAGE_LINES + 1);
	assert_ptr_equal(session_take_lines(made.header, &cursor, 61), line + 1);
	assert_null(session_take_lines(made.header, &cursor, 2)); /* one was left */
}

static void publishes_kind_and_start(void **state)
{
	struct line line = {.took = 0};

	(void)state;
	session_publish(&line, OP_CLOSE, 12345);
	assert_true(line.head == ((uint64_t)OP_CLOSE << 56 | 12345));
	session_publish(&line, OP_CLOSE, UINT64_MAX); /* before the epoch */
	assert_int_equal(line.head >> 56, OP_CLOSE);
}

/* Fill chunks until the file is full; mark each line that was given. */
static void *take_all(void *mark)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct session_chunk chunk = {.class = 1, .tid = *(uint32_t *)mark};
	struct line *line;
	uint32_t page;

	for (;;) {
		while ((line = session_take_lines(made.header, &cursor, 1)))
			line->sock += *(uint32_t *)mark;
		page = session_take_pages(made.header, made.bytes, chunk.class);
		if (!page)
			return NULL;
		session_open_chunk(made.header, &cursor, page, 0, &chunk);
	}
}

static void gives_each_line_once(void **state)
{
	uint32_t mark[THREADS], given = 0;
	struct line *line = (struct line *)made.header + session_bytes(0) / SESSION_LINE;
	pthread_t thread[THREADS];

	(void)state;
	for (uint32_t i = 0; i < THREADS; i++) {
		mark[i] = 1 + i;
		assert_int_equal(pthread_create(&thread[i], NULL, take_all, &mark[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 0; i < EVENTS; i += 2 * SESSION_PAGE_LINES) {
		const struct session_chunk *chunk = (const struct session_chunk *)(line + i);

		assert_int_equal(chunk->magic, SESSION_CHUNK_MAGIC);
		for (unsigned k = 1; k < 2 * SESSION_PAGE_LINES; k++, given++)
			assert_int_equal(line[i + k].sock, chunk->tid); /* by its owner, once */
	}
	assert_int_equal(given, EVENTS - EVENTS / (2 * SESSION_PAGE_LINES));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_made, close_made)
	static const struct CMUnitTest tests[] = {
	        TEST(lays_out),
	        TEST(tells_what_is_no_session),
	        TEST(finds_a_process_by_its_pid),
	        TEST(every_pid_has_a_slot_to_start_from),
	        TEST(a_search_ends_in_a_full_table),
	        TEST(touches_no_page_that_is_not_safe),
	        TEST(a_span_keeps_its_size),
	        TEST(gives_pages_until_full),
	        TEST(gives_no_page_beyond_the_mapping),
	        TEST(gives_the_lines_of_a_chunk),
	        TEST(publishes_kind_and_start),
	        TEST(gives_each_line_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
