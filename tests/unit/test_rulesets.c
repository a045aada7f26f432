/* SPDX-License-Identifier: MIT */
/* test_rulesets.c - the sets of rules of a session: in order, with the events that
 * they decided; and those that make no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/make_sets.h"
#include "tests/unit/read_session.h"

enum { RULES = 40 }; /* more than a page of them */

static struct rules *put_set(uint32_t count, uint64_t since)
{
	return made_enforce(&made, made_rules(count), since);
}

static uint32_t page_of(const struct rules *at)
{
	return (uint32_t)(((const char *)at - (const char *)made.header) / SESSION_PAGE);
}

static struct session_chunk *head_of(struct rules *at)
{
	return (struct session_chunk *)((char *)at - SESSION_LINE);
}

static void put_decided(session_cursor *cursor, uint16_t rule, uint64_t start)
{
	struct line *line = made_line(&made, cursor, 3, 0);

	line->rule = rule;
	made_publish(line, OP_BIND, start, 0);
}

static void none_without_rules(void **state)
{
	(void)state;
	open_reader();
	assert_int_equal(reader_rules(reader)->count, 0);
	assert_null(rulesets_at(reader_rules(reader), 0));
	assert_int_equal(damaged(), 0);
}

static void tells_which_set_decided(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	static const uint32_t expected[] = {1, 0, 1, 2, 3};
	const struct rulesets *sets;

	(void)state;
	put_set(2, 10);
	put_set(RULES, 20);
	put_set(1, 30);
	made_chunk(&made, &cursor, 0, 0, 1);
	put_decided(&cursor, 1, 5); /* the clock of its CPU lagged */
	put_decided(&cursor, 0, 12);
	put_decided(&cursor, 1, 19);
	put_decided(&cursor, RULES, 20);
	put_decided(&cursor, 1, 31);
	open_reader();
	for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		assert_int_equal(next_event().set, expected[i]);
	assert_end();
	sets = reader_rules(reader);
	assert_int_equal(sets->count, 3);
	assert_int_equal(sets->set[0].rules->count, 2);
	assert_int_equal(sets->set[1].rules->count, RULES);
	assert_int_equal(sets->set[2].number, 3);
	assert_true(sets->set[1].since_ns == MADE_REAL_NS + 20);
	assert_null(ruleset_rule(&sets->set[0], 0));
	assert_null(ruleset_rule(&sets->set[0], 3));
	assert_int_equal(ruleset_rule(&sets->set[0], 2)->line, 2);
	assert_int_equal(damaged(), 0);
}

static void has_the_counters_of_now(void **state)
{
	struct rules *at = put_set(3, 0);

	(void)state;
	at->rule[1].matched = 5;
	open_reader();
	assert_int_equal(reader_rules(reader)->set[0].rules->rule[1].matched, 5);
	assert_int_equal(ruleset_idle(&reader_rules(reader)->set[0]), 2);
	at->rule[0].matched = 1;
	assert_int_equal(ruleset_idle(&reader_rules(reader)->set[0]), 1);
}

static void meets_a_set_that_comes_while_it_follows(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;

	(void)state;
	put_set(1, 0);
	made_chunk(&made, &cursor, 0, 0, 1);
	put_decided(&cursor, 1, 5);
	open_reader();
	assert_int_equal(next_event().set, 1);
	assert_end();
	put_set(1, 10);
	put_decided(&cursor, 1, 15);
	reader_refresh(reader);
	assert_int_equal(next_event().set, 2);
	assert_end();
	assert_int_equal(damaged(), 0);
}

/* What is read of three sets, the newest of which, or the one before, is damaged. */
static void assert_read(size_t count)
{
	open_reader();
	assert_int_equal(reader_rules(reader)->count, count);
	assert_true(damaged() > 0);
	reader_close(reader);
	reader = NULL;
}

static void refuses_heads_that_lie(void **state)
{
	struct session_chunk *head, good;

	(void)state;
	put_set(1, 0);
	head = head_of(put_set(RULES, 1));
	put_set(1, 2);
	good = *head;
	head->pages = 0;
	assert_read(1);
	head->pages = good.pages - 1; /* the set is cut */
	assert_read(1);
	head->pages = good.pages + 1; /* into the next */
	assert_read(1);
	head->pages = UINT32_MAX;
	assert_read(1);
	head->pages = good.pages;
	head->class = 0;
	assert_read(1);
	head->class = good.class;
	head->magic++;
	assert_read(1);
	*head = good;
	open_reader();
	assert_int_equal(reader_rules(reader)->count, 3);
	assert_int_equal(damaged(), 0);
}

static void refuses_sets_that_lie(void **state)
{
	struct rules *at, good;

	(void)state;
	put_set(1, 0);
	at = put_set(RULES, 1);
	memcpy(&good, at, sizeof(good));
#define TRY(field, value)                                                                          \
	at->field = (value);                                                                       \
	assert_read(0);                                                                            \
	at->field = good.field;
	TRY(magic[0], 'x');
	TRY(bytes, 0);
	TRY(bytes, UINT32_MAX);
	TRY(bytes, good.bytes + SESSION_PAGE);
	TRY(bytes, good.bytes - SESSION_PAGE);
	TRY(count, RULES_MAX);
	TRY(count, UINT32_MAX);
	TRY(texts_at, UINT32_MAX);
	TRY(texts_bytes, UINT32_MAX);
	TRY(sources, UINT32_MAX);
#undef TRY
	open_reader();
	assert_int_equal(reader_rules(reader)->count, 2);
	assert_int_equal(damaged(), 0);
}

/* Head and set agree with each other, and not with the place that there is. */
static void refuses_a_set_that_reaches_into_the_next(void **state)
{
	struct rules *at;

	(void)state;
	at = put_set(RULES, 0);
	put_set(1, 1);
	head_of(at)->pages++;
	at->bytes += SESSION_PAGE;
	assert_read(1);
	at->bytes -= SESSION_PAGE;
	assert_read(1);
}

/* There is place, but the set does not fill what its head says. */
static void refuses_a_head_that_says_too_much(void **state)
{
	struct rules *at;

	(void)state;
	at = put_set(RULES, 0);
	assert_int_not_equal(session_take_pages(made.header, made.bytes, 0), 0);
	put_set(1, 1);
	head_of(at)->pages++;
	assert_read(1);
}

static void ends_with_chains_that_do_not(void **state)
{
	struct rules *one = put_set(1, 0), *other = put_set(RULES, 1), *newest = put_set(1, 2);

	(void)state;
	newest->before = page_of(newest);
	assert_read(1);
	newest->before = page_of(other);
	other->before = page_of(newest);
	assert_read(2);
	other->before = page_of(other);
	assert_read(2);
	other->before = page_of(one);
	one->before = page_of(other);
	assert_read(3);
	one->before = UINT32_MAX;
	assert_read(3);
	one->before = 1; /* in the table of processes */
	assert_read(3);
	one->before = 0;
	made.header->rules_page = UINT32_MAX;
	assert_read(0);
	made.header->rules_page = 1;
	assert_read(0);
	made.header->rules_page = page_of(other) + 1; /* within a set */
	assert_read(0);
}

static void refuses_a_set_that_the_file_has_not_whole(void **state)
{
	struct rules *at;
	uint64_t end;

	(void)state;
	put_set(1, 0);
	at = put_set(RULES, 1);
	end = (uint64_t)(page_of(at) + head_of(at)->pages) * SESSION_PAGE;
	assert_int_equal(ftruncate(made.fd, (off_t)end - SESSION_PAGE), 0);
	assert_read(0);
	assert_int_equal(ftruncate(made.fd, (off_t)end - 1), 0);
	assert_read(0);
	assert_int_equal(ftruncate(made.fd, (off_t)made.bytes), 0);
}

/* A set that says it is longer than it is would hide the events behind it. */
static void hides_no_events_behind_a_damaged_head(void **state)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct rules *at = put_set(RULES, 0);

	(void)state;
	made_chunk(&made, &cursor, 0, 0, 1);
	put_decided(&cursor, 1, 5);
	head_of(at)->pages = UINT32_MAX;
	open_reader();
	assert_int_equal(next_event().rule, 1);
	assert_end();
	assert_int_equal(damaged(), 2); /* to the walk, and as a set */
	reader_close(reader);
	head_of(at)->pages = session_rules_pages(at->bytes);
	at->bytes = UINT32_MAX;
	open_reader();
	assert_int_equal(next_event().rule, 1);
	assert_end();
	reader_close(reader);
	at->magic[0] = 0;
	open_reader();
	assert_int_equal(next_event().rule, 1);
}

static void tells_numbers_where_older_sets_are_lost(void **state)
{
	struct rules *lost = put_set(1, 0);

	(void)state;
	put_set(1, 1);
	put_set(1, 2);
	lost->magic[0] = 0;
	open_reader();
	assert_int_equal(reader_rules(reader)->count, 2);
	assert_int_equal(reader_rules(reader)->set[0].number, 2);
	assert_int_equal(reader_rules(reader)->set[1].number, 3);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_made, close_made)
	static const struct CMUnitTest tests[] = {
	        TEST(none_without_rules),
	        TEST(tells_which_set_decided),
	        TEST(has_the_counters_of_now),
	        TEST(meets_a_set_that_comes_while_it_follows),
	        TEST(refuses_heads_that_lie),
	        TEST(refuses_sets_that_lie),
	        TEST(refuses_a_set_that_reaches_into_the_next),
	        TEST(refuses_a_head_that_says_too_much),
	        TEST(ends_with_chains_that_do_not),
	        TEST(refuses_a_set_that_the_file_has_not_whole),
	        TEST(hides_no_events_behind_a_damaged_head),
	        TEST(tells_numbers_where_older_sets_are_lost),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
