/* SPDX-License-Identifier: MIT */
/* test_damage.c - sessions that nobody should have written: no crash, no lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/make_sets.h"
#include "tests/unit/read_session.h"
#include "tools/rule_wording.h"

enum { FILLED = 63 };

static void passes_over_text_beyond_its_chunk(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct line *line;

	(void)state;
	made_chunk(&made, &cursor, 0, 0, 1);
	for (int i = 0; i < 61; i++)
		made_event(&made, &cursor, OP_DUP, i, (uint64_t)i, 0);
	line = made_line(&made, &cursor, 61, 0); /* one line is left, it says seven */
	line->flags = 7 << LINE_TEXT_SHIFT;
	made_publish(line, OP_BIND, 61, 0);
	made_event(&made, &cursor, OP_CLOSE, 62, 62, 0);
	open_reader();
	for (int i = 0; i < 61; i++)
		assert_int_equal(next_event().fd, i);
	assert_int_equal(next_event().fd, 62);
	assert_end();
	assert_int_equal(damaged(), 1);
}

/* A line whose writer was killed: not damage, and neither is its text. */
static void passes_over_unwritten_lines(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;

	(void)state;
	made_chunk(&made, &cursor, 0, 0, 1);
	made_text(&made, &cursor, 1, 0, "some text that makes no sense as a line, being none");
	made_event(&made, &cursor, OP_CLOSE, 2, 10, 0);
	made_line(&made, &cursor, 3, 0);
	made_event(&made, &cursor, OP_CLOSE, 4, 20, 0);
	open_reader();
	assert_int_equal(next_event().fd, 2);
	assert_int_equal(next_event().fd, 4);
	assert_end();
	assert_int_equal(damaged(), 0);
}

static void passes_over_pages_without_chunk(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	uint32_t hole = session_take_pages(made.header, made.bytes, 2), bad;
	struct session_chunk *chunk;

	(void)state;
	assert_int_equal(hole, SESSION_PAGES_FIRST);
	made_chunk(&made, &cursor, 0, 0, 1);
	made_event(&made, &cursor, OP_CLOSE, 1, 10, 0);
	bad = session_take_pages(made.header, made.bytes, 0);
	chunk = (struct session_chunk *)((char *)made.header + (uint64_t)bad * SESSION_PAGE);
	chunk->magic = SESSION_CHUNK_MAGIC;
	chunk->class = SESSION_CHUNK_CLASS_MAX + 1;
	bad = session_take_pages(made.header, made.bytes, 0);
	memset((char *)made.header + (uint64_t)bad * SESSION_PAGE, 0x55, SESSION_PAGE);
	made_chunk(&made, &cursor, 0, 0, 1);
	made_event(&made, &cursor, OP_CLOSE, 3, 30, 0);
	bad = (uint32_t)(cursor >> 36);
	chunk = (struct session_chunk *)((char *)made.header + (uint64_t)bad * SESSION_PAGE);
	chunk->magic = 0; /* as if it had not begun, but it has */
	made_chunk(&made, &cursor, 0, 0, 1);
	made_event(&made, &cursor, OP_CLOSE, 2, 20, 0);
	open_reader();
	assert_int_equal(next_event().fd, 1);
	assert_int_equal(next_event().fd, 2);
	assert_end();
	assert_int_equal(damaged(), 3);
}

static void assert_cannot_open(const char *path, const char *why)
{
	assert_null(reader_open(path, error, sizeof(error)));
	assert_non_null(strstr(error, why));
	assert_null(strchr(error, '\n'));
}

static void refuses_what_is_no_session(void **state)
{
	char path[80];

	(void)state;
	assert_cannot_open("/proc/none", "No such file");
	assert_cannot_open("/tmp", "not a regular file");
	assert_cannot_open("/dev/null", "not a regular file");
	assert_cannot_open("/proc/self/status", "shorter than a session's header");
	snprintf(path, sizeof(path), "%s.link", made.path);
	assert_int_equal(symlink(made.path, path), 0);
	assert_cannot_open(path, "symbolic link");
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_cannot_open(path, "not a regular file"); /* and does not wait for a writer */
	unlink(path);
	made.header->version++;
	assert_cannot_open(made.path, "another version");
	made.header->magic[0] = 'x';
	assert_cannot_open(made.path, "not a tcpshim session");
}

/* Some of everything, FILLED events, for the tests that break it. */
static void fill(void)
{
	session_cursor one = SESSION_CURSOR_EMPTY, other = SESSION_CURSOR_EMPTY;
	uint32_t slot = made_process(&made, ORIGIN_ROOT, 1, "sh\x1b[2J", 0);

	made_process(&made, ORIGIN_FORK, 2, "sh", 5);
	made_exit(&made, slot, 1000, 0);
	made_chunk(&made, &one, 1, slot, 1);
	made_enforce(&made, made_rules(3), 0);
	made_chunk(&made, &other, 0, slot, 2);
	made_enforce(&made, made_rules(20), 100);
	for (int i = 0; i < 30; i++) {
		made_event(&made, i % 3 ? &one : &other, OP_SOCKET, i, (uint64_t)i * 10, 5);
		made_publish(made_text(&made, &one, i, 0,
		                       "/run/some/socket/with/a/name/of/some/"
		                       "length/that/is/longer/than/a/line"),
		             OP_BIND, (uint64_t)i * 10, 6);
	}
}

static void read_rules(void)
{
	const struct rulesets *sets = reader_rules(reader);
	char words[RULE_PRINT_MAX], place[RULE_PLACE_MAX];

	for (size_t i = 0; i < sets->count; i++) {
		const struct rules *rules = sets->set[i].rules;

		for (uint32_t k = 0; k < rules->count; k++) {
			rule_words(words, rules, &rules->rule[k]);
			rule_place(place, rules, &rules->rule[k]);
		}
	}
}

/* Read all there is, twice, through every function. Returns the events. */
static unsigned read_everything(void)
{
	struct reader_process process;
	struct reader_info info;
	char json[EVENT_JSON_MAX];
	unsigned count = 0;
	struct event event;

	reader = reader_open(made.path, error, sizeof(error));
	if (!reader)
		return 0;
	for (int i = 0; i < 2; i++) {
		for (; reader_next(reader, &event); count++)
			assert_true(event_json(json, sizeof(json), &event) > 0);
		reader_refresh(reader);
	}
	for (uint32_t i = 0; i <= reader_process_count(reader); i++)
		reader_process(reader, i, &process);
	reader_is_live(reader);
	read_rules();
	reader_info(reader, &info);
	assert_true(info.used_lines <= info.capacity_lines);
	reader_close(reader);
	reader = NULL;
	return count;
}

static void says_that_it_was_cut(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(made.fd, (off_t)made.bytes - 1), 0);
	open_reader();
	assert_end();
	assert_int_equal(damaged(), 1);
}

static void ends_with_a_file_that_ends_in_a_gap(void **state)
{
	uint32_t gap = session_take_pages(made.header, made.bytes, 2);

	(void)state;
	assert_int_equal(ftruncate(made.fd, (off_t)gap * SESSION_PAGE + SESSION_PAGE + 100), 0);
	open_reader();
	assert_end();
	assert_int_equal(damaged(), 1);
}

/* Cut the file, read it, and make it whole again. Returns the events read. */
static unsigned read_cut(uint64_t bytes, const char *good, uint64_t good_bytes)
{
	char *now = (char *)made.header;
	uint64_t table_end = SESSION_HEADER_BYTES + 4 * SESSION_PROCESS_BYTES;
	unsigned count;

	assert_int_equal(ftruncate(made.fd, (off_t)bytes), 0);
	count = read_everything();
	assert_int_equal(ftruncate(made.fd, (off_t)made.bytes), 0);
	memcpy(now, good, table_end);
	memcpy(now + session_bytes(0), good + session_bytes(0), good_bytes - session_bytes(0));
	return count;
}

static void survives_being_cut_anywhere(void **state)
{
	uint64_t used;
	unsigned count, last = 0;
	char *good;

	(void)state;
	fill();
	used = (uint64_t)made.header->pages_used * SESSION_PAGE;
	good = malloc(used);
	memcpy(good, made.header, used);
	for (uint64_t bytes = session_bytes(0) - 500; bytes <= used; bytes += 37) {
		count = read_cut(bytes, good, used);
		assert_true(count >= last && count <= FILLED); /* the longer, the more */
		last = count;
	}
	assert_int_equal(read_cut(used, good, used), FILLED);
	for (uint64_t bytes = SESSION_HEADER_BYTES; bytes < SESSION_HEADER_BYTES + 2048;
	     bytes += 64)
		assert_true(read_cut(bytes, good, used) <= 3);
	for (uint64_t bytes = 0; bytes < session_bytes(0); bytes = bytes * 3 / 2 + 1)
		assert_true(read_cut(bytes, good, used) <= 3); /* starts and ends */
	free(good);
}

static void survives_flipped_bits(void **state)
{
	uint64_t first = session_bytes(0);
	size_t events, table = 4 * SESSION_PROCESS_BYTES;
	char *bytes = (char *)made.header, *good;

	(void)state;
	srand(5);
	fill();
	made.header->processes_used = 200;
	events = (size_t)made.header->pages_used * SESSION_PAGE - first;
	good = malloc(first + events);
	memcpy(good, bytes, first + events);
	for (int i = 0; i < 3000; i++) {
		for (int k = rand() % 8; k >= 0; k--) {
			size_t in_events = first + (size_t)rand() % events;
			size_t in_table = SESSION_HEADER_BYTES + (size_t)rand() % table;
			size_t in_header = 8 + (size_t)rand() % 400;
			size_t at = k % 4 == 0 ? in_header : k % 4 == 1 ? in_table : in_events;

			bytes[at] = (char)(bytes[at] ^ 1 << rand() % 8);
		}
		read_everything();
		memcpy(bytes, good, SESSION_PAGE);
		memcpy(bytes + SESSION_HEADER_BYTES, good + SESSION_HEADER_BYTES, table);
		memcpy(bytes + first, good + first, events);
	}
	assert_int_equal(read_everything(), FILLED);
	free(good);
}

static void survives_huge_counters(void **state)
{
	(void)state;
	fill();
	made.header->pages_used = UINT32_MAX;
	made.header->processes_used = UINT32_MAX;
	made.header->events_dropped = UINT64_MAX;
	assert_int_equal(read_everything(), FILLED);
	made.header->pages_used = 0;
	assert_int_equal(read_everything(), 3);
	made.header->processes_used = 0;
	assert_int_equal(read_everything(), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_made, close_made)
	static const struct CMUnitTest tests[] = {
	        TEST(passes_over_text_beyond_its_chunk),
	        TEST(passes_over_unwritten_lines),
	        TEST(passes_over_pages_without_chunk),
	        TEST(refuses_what_is_no_session),
	        TEST(says_that_it_was_cut),
	        TEST(ends_with_a_file_that_ends_in_a_gap),
	        TEST(survives_being_cut_anywhere),
	        TEST(survives_flipped_bits),
	        TEST(survives_huge_counters),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
