/* SPDX-License-Identifier: MIT */
/* test_sweep_judge.c - what a run did, from how it ended and what its session says. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/sweep_judge.h"

#define MS ((uint64_t)1000000)

static const struct sweep_normal normal = {.status = 0, .output = 7, .leaks = 1, .vanished = 1};

/* A run that went as without a fault. */
static const struct sweep_end fine = {.status = 0, .output = 7, .took_ns = 5 * MS, .busy_ns = MS};
static const struct sweep_seen fired = {.fired = 1, .leaks = 1, .vanished = 1};

static enum sweep_did did(const struct sweep_end *end, const struct sweep_seen *seen)
{
	return sweep_judge(&normal, end, seen).did;
}

static void ends_as_before(void **state)
{
	(void)state;
	assert_int_equal(did(&fine, &fired), SWEEP_SAME);
}

static void tells_how_it_ended(void **state)
{
	static const struct {
		int status;
		enum sweep_did did;
	} expected[] = {
	        {1, SWEEP_ERROR},    {125, SWEEP_ERROR},  {126, SWEEP_STATUS}, {127, SWEEP_STATUS},
	        {128, SWEEP_STATUS}, {129, SWEEP_CRASH},  {139, SWEEP_CRASH},  {159, SWEEP_CRASH},
	        {160, SWEEP_STATUS}, {255, SWEEP_STATUS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct sweep_end end = fine;

		end.status = expected[i].status;
		assert_int_equal(did(&end, &fired), expected[i].did);
	}
}

static void takes_the_expected_status_for_none_else(void **state)
{
	const struct sweep_normal other = {.status = 139, .output = 7};
	const struct sweep_seen seen = {.fired = 1};
	struct sweep_end end = fine;

	(void)state;
	end.status = 139;
	assert_int_equal(sweep_judge(&other, &end, &seen).did, SWEEP_SAME);
	end.status = 0;
	assert_int_equal(sweep_judge(&other, &end, &seen).did, SWEEP_STATUS);
}

static void names_the_signal(void **state)
{
	struct sweep_end end = fine;
	struct sweep_result result;

	(void)state;
	end.status = -1;
	end.signal = SIGABRT;
	result = sweep_judge(&normal, &end, &fired);
	assert_int_equal(result.did, SWEEP_CRASH);
	assert_int_equal(result.signal, SIGABRT);
	assert_int_equal(result.status, -1);
	end.signal = 0;
	end.status = 139;
	result = sweep_judge(&normal, &end, &fired);
	assert_int_equal(result.signal, SIGSEGV);
	assert_int_equal(result.status, 139);
}

static void tells_a_hang_from_a_spin(void **state)
{
	struct sweep_end end = {.status = -1, .signal = SIGTERM, .timed_out = true};

	(void)state;
	end.took_ns = 1000 * MS;
	end.busy_ns = 790 * MS;
	assert_int_equal(did(&end, &fired), SWEEP_HANG);
	end.busy_ns = 810 * MS;
	assert_int_equal(did(&end, &fired), SWEEP_SPIN);
}

static void knows_a_spin_by_its_calls(void **state)
{
	struct sweep_seen seen = fired;

	(void)state;
	seen.streak = 1000;
	seen.streak_ns = 500 * MS;
	assert_int_equal(did(&fine, &seen), SWEEP_SPIN);
	assert_int_equal(sweep_judge(&normal, &fine, &seen).rate, 2000);
	seen.streak_ns = 99 * MS; /* some quick attempts */
	assert_int_equal(did(&fine, &seen), SWEEP_SAME);
	seen.streak_ns = 1001 * MS; /* with pauses between them */
	assert_int_equal(did(&fine, &seen), SWEEP_SAME);
	seen.streak = 99;
	seen.streak_ns = 0;
	assert_int_equal(did(&fine, &seen), SWEEP_SAME);
}

static void a_crash_counts_more_than_a_spin(void **state)
{
	struct sweep_seen seen = fired;
	struct sweep_end end = fine;

	(void)state;
	seen.streak = 1000;
	seen.streak_ns = 500 * MS;
	end.status = -1;
	end.signal = SIGSEGV;
	assert_int_equal(did(&end, &seen), SWEEP_CRASH);
}

static void compares_with_the_runs_without_a_fault(void **state)
{
	struct sweep_seen seen = fired;
	struct sweep_end end = fine;
	struct sweep_normal unstable = normal;

	(void)state;
	seen.leaks = 3;
	assert_int_equal(did(&end, &seen), SWEEP_LEAK);
	assert_int_equal(sweep_judge(&normal, &end, &seen).leaks, 2);
	seen.vanished = 3;
	assert_int_equal(did(&end, &seen), SWEEP_CRASH);
	assert_int_equal(sweep_judge(&normal, &end, &seen).vanished, 2);
	end.status = 1; /* it has noticed */
	assert_int_equal(did(&end, &seen), SWEEP_ERROR);
	end = fine;
	end.output = 8;
	assert_int_equal(did(&end, &fired), SWEEP_OUTPUT);
	unstable.is_unstable = true;
	assert_int_equal(sweep_judge(&unstable, &end, &fired).did, SWEEP_SAME);
}

static void says_when_nothing_was_injected(void **state)
{
	struct sweep_seen seen = fired;
	struct sweep_end end = fine;

	(void)state;
	seen.fired = 0;
	assert_int_equal(did(&end, &seen), SWEEP_UNFIRED);
	end.signal = SIGSEGV; /* a crash is one, whatever it comes from */
	end.status = -1;
	assert_int_equal(did(&end, &seen), SWEEP_CRASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ends_as_before),
	        cmocka_unit_test(tells_how_it_ended),
	        cmocka_unit_test(takes_the_expected_status_for_none_else),
	        cmocka_unit_test(names_the_signal),
	        cmocka_unit_test(tells_a_hang_from_a_spin),
	        cmocka_unit_test(knows_a_spin_by_its_calls),
	        cmocka_unit_test(a_crash_counts_more_than_a_spin),
	        cmocka_unit_test(compares_with_the_runs_without_a_fault),
	        cmocka_unit_test(says_when_nothing_was_injected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
