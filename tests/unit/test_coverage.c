/* SPDX-License-Identifier: MIT */
/* test_coverage.c - who was not seen, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/coverage.h"

static struct unseen list[COVERAGE_MAX];

static struct reader_process process(enum process_state state)
{
	return (struct reader_process){
	        .slot = 1, .pid = 100, .state = state, .program = "/bin/a", .next = "/bin/b"};
}

static void test_seen(void **state)
{
	struct reader_process live = process(PROCESS_LIVE), ended = process(PROCESS_ENDED);

	(void)state;
	assert_int_equal(coverage_of(&live, false, list), 0);
	assert_int_equal(coverage_of(&ended, false, list), 0);
}

static void test_uncovered(void **state)
{
	struct reader_process info = process(PROCESS_LIVE);

	(void)state;
	info.coverage = COVERAGE_GO;
	assert_int_equal(coverage_of(&info, false, list), 1);
	assert_string_equal(list[0].program, "/bin/a");
	assert_string_equal(list[0].what, "go");
	assert_false(list[0].is_partial);
}

static void test_exec_of_the_uncovered(void **state)
{
	struct reader_process info = process(PROCESS_EXECING);

	(void)state;
	info.next_coverage = COVERAGE_STATIC;
	assert_int_equal(coverage_of(&info, true, list), 1);
	assert_string_equal(list[0].program, "/bin/b");
	assert_string_equal(list[0].what, "static");
	info.state = PROCESS_EXECED; /* it came up all the same */
	assert_int_equal(coverage_of(&info, false, list), 0);
}

static void test_silent(void **state)
{
	struct reader_process info = process(PROCESS_EXECING);

	(void)state;
	assert_int_equal(coverage_of(&info, true, list), 0); /* perhaps it comes yet */
	assert_int_equal(coverage_of(&info, false, list), 1);
	assert_string_equal(list[0].what, "silent");
}

static void test_partly_blind(void **state)
{
	struct reader_process info = process(PROCESS_LIVE);

	(void)state;
	info.blind = BLIND_URING | BLIND_DEEPBIND | BLIND_DLMOPEN;
	info.coverage = COVERAGE_UNREACHABLE;
	assert_int_equal(coverage_of(&info, false, list), COVERAGE_MAX);
	assert_false(list[0].is_partial);
	assert_true(list[1].is_partial && list[2].is_partial && list[3].is_partial);
	assert_string_equal(list[1].what, "io_uring");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_seen),
	        cmocka_unit_test(test_uncovered),
	        cmocka_unit_test(test_exec_of_the_uncovered),
	        cmocka_unit_test(test_silent),
	        cmocka_unit_test(test_partly_blind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
