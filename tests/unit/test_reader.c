/* SPDX-License-Identifier: MIT */
/* test_reader.c - reading sessions: in order, while they grow, and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/read_session.h"

enum { SECOND = 1000000000 };

/* A process that lives: this one. */
static uint32_t put_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	made.header->real_ns = (uint64_t)now.tv_sec * SECOND;
	return made_process(&made, ORIGIN_ROOT, (uint32_t)getpid(), "us", 0);
}

static void tells_about_the_session(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct reader_info info;

	(void)state;
	made_chunk(&made, &cursor, 1, 0, 1);
	made.header->events_dropped = 3;
	made.header->peers_dropped = 4;
	memset(made.header->host, 'h', sizeof(made.header->host));
	open_reader();
	reader_info(reader, &info);
	assert_string_equal(info.path, made.path);
	assert_int_equal(info.bytes, made.bytes);
	assert_int_equal(info.capacity_lines, EVENTS);
	assert_int_equal(info.used_lines, 2 * SESSION_PAGE_LINES);
	assert_int_equal(info.seed, 42);
	assert_true(info.start_ns == MADE_REAL_NS);
	assert_int_equal(info.events_dropped, 3);
	assert_int_equal(info.peers_dropped, 4);
	assert_int_equal(info.damaged, 0);
	assert_int_equal(info.port_low, 32768);
	assert_int_equal(info.port_high, 60999);
	assert_int_equal(strlen(info.host), 64);
	assert_string_equal(info.kernel, "6.1.0");
	reader_close(reader);
	open_reader();
	reader_info(reader, &info);
}

static void gives_an_event_whole(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	uint32_t slot = made_process(&made, ORIGIN_ROOT, 812, "nginx", 0);
	struct line *line;
	struct event event;

	(void)state;
	made_chunk(&made, &cursor, 0, slot, 815);
	line = made_line(&made, &cursor, 6, 9);
	line->flags = LINE_REMOTE;
	line->remote = made_ip(10, 0, 0, 1);
	line->remote_port = 443;
	made_publish(line, OP_ACCEPT, 1500, 20);
	open_reader();
	assert_int_equal(next_event().kind, OP_START);
	event = next_event();
	assert_int_equal(event.kind, OP_ACCEPT);
	assert_true(event.time_ns == MADE_REAL_NS + 1500);
	assert_int_equal(event.took_ns, 20);
	assert_int_equal(event.pid, 812);
	assert_int_equal(event.tid, 815);
	assert_int_equal(event.process, slot);
	assert_string_equal(event.program, "nginx");
	assert_int_equal(event.remote.port, 443);
	assert_end();
	assert_int_equal(damaged(), 0);
}

/* An accept that waited long ends before the socket that it made is closed. */
static void orders_by_the_end_of_calls(void **state)
{
	session_cursor one = SESSION_CURSOR_EMPTY, other = SESSION_CURSOR_EMPTY;

	(void)state;
	made_chunk(&made, &one, 0, 0, 1);
	made_chunk(&made, &other, 0, 0, 2);
	made_event(&made, &one, OP_ACCEPT, 3, 100, SECOND); /* began first, ended third */
	made_event(&made, &one, OP_CLOSE, 6, SECOND + 900, 10);
	made_event(&made, &other, OP_SOCKET, 1, 200, 10);
	made_event(&made, &other, OP_CONNECT, 2, 300, SECOND - 250);
	made_event(&made, &other, OP_CLOSE, 4, SECOND + 200, 10);
	made_event(&made, &other, OP_CLOSE, 5, SECOND + 300, 10);
	open_reader();
	for (int fd = 1; fd <= 6; fd++)
		assert_int_equal(next_event().fd, fd);
	assert_end();
}

/* A signal handler's calls come between a call's clock and its line, and a
 * duration that does not fit is the least it can be: lines keep their order. */
static void keeps_the_order_of_a_thread(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;

	(void)state;
	made_chunk(&made, &cursor, 0, 0, 1);
	made_event(&made, &cursor, OP_CLOSE, 1, 5000, 50);
	made_event(&made, &cursor, OP_CLOSE, 2, 4000, 50);
	made_event(&made, &cursor, OP_ACCEPT, 3, 0, UINT32_MAX);
	made_event(&made, &cursor, OP_CLOSE, 4, 6000, 1);
	open_reader();
	for (int fd = 1; fd <= 4; fd++)
		assert_int_equal(next_event().fd, fd);
	assert_end();
}

/* Many threads, chunks of every size, each event once and in order. */
static void merges_many_chunks(void **state)
{
	enum { THREADS = 20, EACH = 150 };
	session_cursor cursor[THREADS];
	struct event event;
	uint64_t last = 0;
	int count = 0;

	(void)state;
	made_close(&made);
	made = made_open(1 << 17);
	for (int i = 0; i < THREADS; i++)
		cursor[i] = SESSION_CURSOR_EMPTY;
	for (int i = 0; i < THREADS * EACH; i++) {
		session_cursor *at = &cursor[i * 7 % THREADS];
		struct line *line = session_take_lines(made.header, at, 1);

		if (!line) {
			made_chunk(&made, at, (unsigned)i % 5, 0, (uint32_t)i);
			line = session_take_lines(made.header, at, 1);
		}
		line->fd = i;
		made_publish(line, OP_DUP, (uint64_t)i * 10, 5);
	}
	open_reader();
	for (; reader_next(reader, &event); count++) {
		assert_int_equal(event.fd, count);
		assert_true(event.time_ns >= last);
		last = event.time_ns;
	}
	assert_int_equal(count, THREADS * EACH);
	assert_int_equal(damaged(), 0);
}

static void tells_starts_and_ends(void **state)
{
	uint32_t root = made_process(&made, ORIGIN_ROOT, 10, "sh", 0);
	uint32_t child = made_process(&made, ORIGIN_FORK, 11, "sh", 100);
	uint32_t curl = made_process(&made, ORIGIN_EXEC, 11, "curl", 200);
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct event event;

	(void)state;
	made_chunk(&made, &cursor, 0, curl, 11);
	made_event(&made, &cursor, OP_SOCKET, 3, 200, 0); /* at once, and until the end */
	made_event(&made, &cursor, OP_CLOSE, 3, 300, 0);
	made_exit(&made, curl, 300, 7);
	session_process(made.header, child)->state = PROCESS_EXECED;
	open_reader();
	event = next_event();
	assert_int_equal(event.kind, OP_START);
	assert_int_equal(event.process, root);
	assert_int_equal(event.text_len, strlen("/usr/bin/sh"));
	assert_memory_equal(event.text, "/usr/bin/sh", event.text_len);
	event = next_event();
	assert_int_equal(event.kind, OP_FORK);
	assert_int_equal(event.process, child);
	assert_int_equal(event.pid, 11);
	assert_int_equal(event.result, 11);
	assert_true(event.time_ns == MADE_REAL_NS + 100);
	event = next_event();
	assert_int_equal(event.kind, OP_EXEC);
	assert_string_equal(event.program, "curl");
	assert_int_equal(next_event().kind, OP_SOCKET);
	assert_int_equal(next_event().kind, OP_CLOSE);
	event = next_event();
	assert_int_equal(event.kind, OP_EXIT);
	assert_int_equal(event.result, 7);
	assert_end();
}

static void tells_about_processes(void **state)
{
	uint32_t slot = made_process(&made, ORIGIN_SPAWN, 12, "sh", 100), bad;
	struct session_process *entry = session_process(made.header, slot);
	struct reader_process process;

	(void)state;
	memset(entry->name, 'n', sizeof(entry->name));
	memset(entry->program, 'p', sizeof(entry->program));
	entry->coverage = COVERAGE_GO;
	entry->fd_peak = 17;
	entry->parent = UINT32_MAX;
	made_exit(&made, slot, 200, 1);
	bad = made_process(&made, ORIGIN_SPAWN, 13, "bad", 0);
	session_process(made.header, bad)->coverage = COVERAGES;
	bad = made_process(&made, ORIGIN_SPAWN, 14, "bad", 0);
	session_process(made.header, bad)->state = 99;
	made_process(&made, (enum process_origin)77, 15, "bad", 0);
	made_slot(&made, 16); /* taken, still free */
	open_reader();
	assert_int_equal(reader_process_count(reader), 5);
	assert_true(reader_process(reader, slot, &process));
	assert_int_equal(strlen(process.name), 31);
	assert_int_equal(strlen(process.program), 223);
	assert_int_equal(process.coverage, COVERAGE_GO);
	assert_int_equal(process.origin, ORIGIN_SPAWN);
	assert_int_equal(process.state, PROCESS_ENDED);
	assert_int_equal(process.fd_peak, 17);
	assert_int_equal(process.parent, 0);
	assert_true(process.start_ns == MADE_REAL_NS + 100);
	assert_true(process.end_ns == MADE_REAL_NS + 200);
	for (uint32_t i = 2; i <= 6; i++)
		assert_false(reader_process(reader, i, &process));
	assert_false(reader_process(reader, 0, &process));
	assert_false(reader_process(reader, UINT32_MAX, &process));
	assert_int_equal(damaged(), 3);
}

/* The rate comes from the pair that is farthest away; nonsense does not count. */
static void learns_the_rate_of_the_clock(void **state)
{
	uint32_t a = made_process(&made, ORIGIN_ROOT, 10, "a", 4000);
	uint32_t b = made_process(&made, ORIGIN_FORK, 11, "b", 4000);
	session_cursor cursor = SESSION_CURSOR_EMPTY;

	(void)state;
	made_chunk(&made, &cursor, 0, a, 10);
	made_event(&made, &cursor, OP_SOCKET, 3, 4000, 400);
	open_reader();
	next_event();
	assert_true(next_event().time_ns == MADE_REAL_NS + 4000); /* ticks are ns */
	reader_close(reader);

	made.header->flags = SESSION_TICKS_CPU;
	open_reader();
	assert_true(next_event().time_ns == MADE_REAL_NS + 1600); /* a guess: 2.5 GHz */
	reader_close(reader);

	session_process(made.header, a)->first =
	        (struct clock_pair){MADE_EPOCH + 100, MADE_EPOCH + 90};
	session_process(made.header, a)->last =
	        (struct clock_pair){MADE_EPOCH + 40000, MADE_EPOCH + 20000};
	session_process(made.header, b)->first =
	        (struct clock_pair){MADE_EPOCH - 5, MADE_EPOCH + SECOND};
	session_process(made.header, b)->last =
	        (struct clock_pair){UINT64_MAX, MADE_EPOCH + SECOND};
	open_reader();
	next_event();
	next_event();
	assert_true(next_event().took_ns == 200);
}

static void gives_text(void **state)
{
	static char longest[LINE_TEXT_MAX * SESSION_LINE + 1];
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct event event;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	made_chunk(&made, &cursor, 1, 0, 1);
	for (int i = 0; i < 12; i++) /* also across the reader's windows */
		made_publish(made_text(&made, &cursor, i, 0, longest), OP_BIND, (uint64_t)i, 0);
	made_publish(made_text(&made, &cursor, 99, 0, "/run/a"), OP_BIND, 100, 0);
	open_reader();
	for (int i = 0; i < 12; i++) {
		event = next_event();
		assert_int_equal(event.fd, i);
		assert_int_equal(event.text_len, sizeof(longest) - 1);
		assert_memory_equal(event.text, longest, event.text_len);
	}
	event = next_event();
	assert_int_equal(event.text_len, 6);
	assert_memory_equal(event.text, "/run/a", 6);
	assert_end();
}

/* What comes after the first look is found by the next, in every place. */
static void follows_a_session_that_grows(void **state)
{
	session_cursor one = SESSION_CURSOR_EMPTY, other = SESSION_CURSOR_EMPTY;
	uint32_t slot = put_us(), hole;
	struct session_chunk *chunk;

	(void)state;
	made_chunk(&made, &one, 0, slot, 1);
	hole = session_take_pages(made.header, made.bytes, 1);
	open_reader();
	reader_refresh(reader); /* not at the end: nothing happens */
	assert_int_equal(next_event().kind, OP_START);
	assert_end();
	made_event(&made, &one, OP_SOCKET, 1, 10, 0); /* in an empty chunk */
	assert_end();
	reader_refresh(reader);
	assert_int_equal(next_event().fd, 1);
	assert_end();

	made_event(&made, &one, OP_CLOSE, 3, 30, 0); /* behind it, */
	made_chunk(&made, &other, 0, slot, 2);
	made_event(&made, &other, OP_CLOSE, 2, 20, 0); /* and in a new chunk */
	reader_refresh(reader);
	assert_int_equal(next_event().fd, 2);
	assert_int_equal(next_event().fd, 3);
	assert_end();

	chunk = (struct session_chunk *)((char *)made.header + (uint64_t)hole * SESSION_PAGE);
	chunk->class = 1; /* the pages that were taken, and not begun */
	chunk->magic = SESSION_CHUNK_MAGIC;
	other = (uint64_t)hole << 36 | (uint64_t)1 << 32 | 1;
	made_event(&made, &other, OP_CLOSE, 4, 40, 0);
	made_exit(&made, slot, 50, 0);
	reader_refresh(reader);
	assert_int_equal(next_event().fd, 4);
	assert_int_equal(next_event().kind, OP_EXIT);
	assert_end();
	reader_refresh(reader);
	assert_end();
	assert_int_equal(damaged(), 0);
}

static void waits_once_for_an_unwritten_line(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	uint32_t slot = put_us();
	struct line *line[2];

	(void)state;
	made_chunk(&made, &cursor, 0, slot, 1);
	open_reader();
	assert_int_equal(next_event().kind, OP_START);
	assert_end();
	assert_true(reader_is_live(reader));
	line[0] = made_line(&made, &cursor, 1, 0);
	line[1] = made_line(&made, &cursor, 3, 0);
	made_event(&made, &cursor, OP_CLOSE, 2, 20, 0);
	reader_refresh(reader);
	assert_end(); /* the first may still come */
	made_publish(line[0], OP_CLOSE, 10, 0);
	reader_refresh(reader);
	assert_int_equal(next_event().fd, 1);
	assert_end(); /* so may the second */
	reader_refresh(reader);
	assert_int_equal(next_event().fd, 2); /* it did not */
	assert_end();
}

/* A thread's first chunk, in a page that it shares. */
static void small_chunk(session_cursor *shared, session_cursor *cursor, uint32_t slot, uint32_t tid)
{
	struct session_chunk chunk = {.class = SESSION_CHUNK_SMALL, .process = slot, .tid = tid};
	struct line *at = session_take_lines(made.header, shared, SESSION_SMALL_LINES);
	uint32_t id;

	assert_non_null(at);
	id = session_line_id(made.header, at);
	session_open_chunk(made.header, cursor, id / SESSION_PAGE_LINES, id % SESSION_PAGE_LINES,
	                   &chunk);
}

static void reads_small_chunks_as_they_come(void **state)
{
	session_cursor shared, first, second, full;
	struct session_chunk chunk = {.class = SESSION_CHUNK_SHARED};
	uint32_t slot = put_us();

	(void)state;
	session_open_chunk(made.header, &shared, session_take_pages(made.header, made.bytes, 0), 0,
	                   &chunk);
	small_chunk(&shared, &first, slot, 101);
	made_event(&made, &first, OP_CLOSE, 1, 10, 0);
	open_reader();
	assert_int_equal(next_event().kind, OP_START);
	assert_int_equal(next_event().tid, 101);
	assert_end();
	small_chunk(&shared, &second, slot, 102); /* taken since */
	for (int i = 0; i < 8; i++)
		made_event(&made, &second, OP_CLOSE, 2, 20, 0);
	assert_null(session_take_lines(made.header, &second, 1));
	for (int i = 2; i < 7; i++)
		small_chunk(&shared, &full, slot, 103);
	assert_null(session_take_lines(made.header, &shared, SESSION_SMALL_LINES));
	made_event(&made, &full, OP_CLOSE, 3, 30, 0);
	reader_refresh(reader);
	for (int i = 0; i < 8; i++)
		assert_int_equal(next_event().tid, 102);
	assert_int_equal(next_event().tid, 103);
	assert_end();
	assert_int_equal(damaged(), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_made, close_made)
	static const struct CMUnitTest tests[] = {
	        TEST(tells_about_the_session),
	        TEST(gives_an_event_whole),
	        TEST(orders_by_the_end_of_calls),
	        TEST(keeps_the_order_of_a_thread),
	        TEST(merges_many_chunks),
	        TEST(tells_starts_and_ends),
	        TEST(tells_about_processes),
	        TEST(learns_the_rate_of_the_clock),
	        TEST(gives_text),
	        TEST(follows_a_session_that_grows),
	        TEST(waits_once_for_an_unwritten_line),
	        TEST(reads_small_chunks_as_they_come),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
