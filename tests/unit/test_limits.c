/* SPDX-License-Identifier: MIT */
/* test_limits.c - which limit holds for a program, and the count of sockets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/limits.h"
#include "tests/unit/compile_rules.h"

static struct flight flight;
static socket_count tree;

/* Valid until the next. */
static const struct rules *compiled(const char *text)
{
	static struct made *made;

	if (made)
		free_rules(made);
	made = make_rules(text);
	assert_int_equal(made->errors, 0);
	return made->rules;
}

static uint32_t rule_of(const char *text, enum limit_kind kind, const char *name)
{
	return limits_rule(compiled(text), kind, name, "/usr/bin/app");
}

static void first_with_a_name_else_first_without(void **state)
{
	const char *text = "limit fds 1\nlimit fds 2\nlimit fds 3 in app\nlimit fds 4 in a*\n"
	                   "limit sockets 5 tree\nlimit sockets 6\n";

	(void)state;
	assert_int_equal(rule_of(text, LIMIT_FDS, "other"), 1);
	assert_int_equal(rule_of(text, LIMIT_FDS, "app"), 3);
	assert_int_equal(rule_of(text, LIMIT_FDS, "abc"), 4);
	assert_int_equal(rule_of(text, LIMIT_SOCKETS, "app"), 6);
	assert_int_equal(rule_of(text, LIMIT_BACKLOG, "app"), 0);
	assert_int_equal(rule_of("limit fds 9 in /usr/bin/*", LIMIT_FDS, "x"), 1);
	assert_int_equal(rule_of("limit fds 9 in /usr/lib/*", LIMIT_FDS, "x"), 0);
}

static void least_of_the_trees(void **state)
{
	const struct rules *rules = compiled("limit sockets 1\nlimit sockets 9 tree\n"
	                                     "limit sockets 5 tree\nlimit sockets 7 tree\n"
	                                     "limit sockets 2 tree in other\n");

	(void)state;
	assert_int_equal(limits_tree_rule(rules, "app", "/app"), 3);
	assert_int_equal(limits_tree_rule(rules, "other", "/other"), 5);
	assert_int_equal(limits_tree_rule(compiled("limit sockets 1"), "app", "/app"), 0);
}

static void a_count_takes_no_more_than_there_is(void **state)
{
	socket_count count = 0;
	uint64_t was;

	(void)state;
	assert_false(count_is_known(count));
	assert_true(count_take(&count, 2, 3, &was));
	assert_false(count_take(&count, 2, 3, &was));
	assert_true(count_take(&count, 1, 3, &was));
	assert_false(count_take(&count, 1, 3, &was));
	assert_false(count_take(&count, UINT32_MAX, UINT32_MAX, &was));
	assert_int_equal(count_open(count), 3);
	count_change(&count, -5);
	assert_int_equal(count_open(count), 0);
}

static void a_count_settles_only_if_nothing_happened(void **state)
{
	socket_count count = 0;
	uint64_t before, was;

	(void)state;
	assert_true(count_take(&count, 1, 9, &was));
	before = count;
	count_change(&count, 1);
	count_change(&count, -1); /* as many as before */
	assert_false(count_settle(&count, before, 7));
	assert_false(count_was_settled(&count, was));
	assert_true(count_settle(&count, count, 7));
	assert_true(count_is_known(count));
	assert_true(count_was_settled(&count, was));
	assert_int_equal(count_open(count), 7);
	count_doubt(&count);
	assert_false(count_is_known(count));
	assert_int_equal(count_open(count), 7);
}

/* ---- through the engine ---- */

static struct engine *engine_that_counts(void)
{
	static struct sock socks[32];
	static struct engine engine;

	memset(socks, 0, sizeof(socks));
	engine = (struct engine){.sockets = {.at = socks,
	                                     .capacity = 32,
	                                     .counted = COUNT_OWN | COUNT_TREE,
	                                     .flight = &flight,
	                                     .tree = &tree}};
	tree = 0;
	flight.making = flight.closing = 0;
	return &engine;
}

static void made(struct engine *engine, int result, uint16_t held)
{
	struct call call = {.op = {.kind = OP_SOCKET, .fd = -1, .family = FAMILY_INET},
	                    .verdict = {.held = held},
	                    .outcome = {.result = result}};

	engine_after(engine, OP_SOCKET, &call, NULL);
}

static void closed(struct engine *engine, int fd, int result)
{
	struct call call = {.op = {.kind = OP_CLOSE, .fd = fd}, .outcome = {.result = result}};

	if (sockets_take(&engine->sockets, fd, &call.sock))
		engine_after(engine, OP_CLOSE, &call, NULL);
}

static void expect(struct engine *engine, uint32_t open)
{
	assert_int_equal(count_open(engine->sockets.own), open);
	assert_int_equal(count_open(tree), open);
	assert_int_equal(flight.closing, 0);
}

static void births_and_closes_are_counted(void **state)
{
	struct engine *engine = engine_that_counts();

	(void)state;
	made(engine, 3, 0);
	made(engine, 4, 0);
	expect(engine, 2);
	closed(engine, 3, 0);
	closed(engine, 3, 0);
	expect(engine, 1);
	closed(engine, 4, -EIO); /* closed all the same */
	expect(engine, 0);
	made(engine, 4, 0);
	closed(engine, 4, -EBADF); /* long ago: who counted since did not find it */
	expect(engine, 1);
}

static void a_place_that_was_taken_is_kept_or_given_back(void **state)
{
	struct engine *engine = engine_that_counts();
	struct sockets *sockets = &engine->sockets;
	uint64_t was;

	(void)state;
	count_take(&sockets->own, 2, 9, &was);
	count_take(sockets->tree, 2, 9, &was);
	flight.making = 2;
	made(engine, 3, 1);
	expect(engine, 2);
	assert_int_equal(flight.making, 1);
	made(engine, -EMFILE, 1);
	expect(engine, 1);
	assert_int_equal(flight.making, 0);
}

static void ended(struct engine *engine, enum op_kind kind, int result, uint16_t age)
{
	struct call call = {.op = {.kind = kind, .fd = 3},
	                    .verdict = {.place = 1, .age = age},
	                    .outcome = {.result = result}};

	limits_ended(engine, kind, &call);
}

/* In the upper byte: how often connections were counted. */
static void a_connection_that_came_to_nothing_gives_its_place_back(void **state)
{
	struct engine *engine = engine_that_counts();
	struct made *made = make_rules("limit connections 5");
	struct rule *rule = &made->rules->rule[0];

	(void)state;
	engine->rules = made->rules;
	rule->open[0] = rule->open[1] = 2 << 24 | 3;
	ended(engine, OP_CONNECT, 0, 2);
	ended(engine, OP_CONNECT, -EINPROGRESS, 2);
	ended(engine, OP_ACCEPT, 7, 2);
	assert_int_equal(rule->open[0], 2 << 24 | 3);
	assert_int_equal(rule->open[1], 2 << 24 | 3);
	ended(engine, OP_CONNECT, -ECONNREFUSED, 2);
	ended(engine, OP_ACCEPT, -EAGAIN, 2);
	assert_int_equal(rule->open[0], 2 << 24 | 2);
	assert_int_equal(rule->open[1], 2 << 24 | 2);
	ended(engine, OP_CONNECT, -ECONNREFUSED, 1); /* counted since, without it */
	ended(engine, OP_ACCEPT, -EAGAIN, 1);
	assert_int_equal(rule->open[0], 2 << 24 | 2);
	assert_int_equal(rule->open[1], 2 << 24 | 2);
	ended(engine, OP_ACCEPT, 7, 1);
	assert_int_equal(rule->open[1], 2 << 24 | 3);
	rule->open[1] = 0; /* other rules, not counted yet */
	ended(engine, OP_ACCEPT, 7, 1);
	assert_int_equal(rule->open[1], 0);
	free_rules(made);
}

static void what_has_other_descriptors_is_not_given_back(void **state)
{
	struct engine *engine = engine_that_counts();
	struct call dup = {.op = {.kind = OP_DUP, .fd = 3}, .outcome = {.result = 5}};

	(void)state;
	made(engine, 3, 0);
	sockets_get(&engine->sockets, 3, &dup.sock);
	engine_after(engine, OP_DUP, &dup, NULL);
	closed(engine, 5, 0);
	expect(engine, 1);
	made(engine, 6, 0);
	sockets_share(&engine->sockets); /* a fork */
	closed(engine, 6, 0);
	expect(engine, 2);
}

static void what_was_not_closed_stays(void **state)
{
	struct engine *engine = engine_that_counts();
	struct sock copy;

	(void)state;
	made(engine, 3, 0);
	assert_true(sockets_take(&engine->sockets, 3, &copy));
	assert_int_equal(flight.closing, 1);
	sockets_stay(&engine->sockets, &copy);
	assert_false(copy.word & SOCKET_LEAVING);
	expect(engine, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(first_with_a_name_else_first_without),
	        cmocka_unit_test(least_of_the_trees),
	        cmocka_unit_test(a_count_takes_no_more_than_there_is),
	        cmocka_unit_test(a_count_settles_only_if_nothing_happened),
	        cmocka_unit_test(births_and_closes_are_counted),
	        cmocka_unit_test(a_place_that_was_taken_is_kept_or_given_back),
	        cmocka_unit_test(a_connection_that_came_to_nothing_gives_its_place_back),
	        cmocka_unit_test(what_has_other_descriptors_is_not_given_back),
	        cmocka_unit_test(what_was_not_closed_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
