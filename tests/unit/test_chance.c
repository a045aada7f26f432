/* SPDX-License-Identifier: MIT */
/* test_chance.c - what faults draw. Chance comes from fixed seeds: what fails once fails
 * always. */
#include "tests/unit/meet_faults.h"

enum { DRAWS = 2000, SEEDS = 200 };

/* How many of DRAWS calls fail by rule 1, with this seed. */
static unsigned count_failures(uint64_t seed)
{
	unsigned count = 0;

	engine.seed = seed;
	atomic_store(&rule(1)->turns, 0);
	for (unsigned i = 0; i < DRAWS; i++)
		count += meet(OP_SOCKET).kind == VERDICT_FAILED;
	return count;
}

/* Each count is binomial: within 5 deviations of its mean, and all of them together about as
 * far from it as they should be (chi-square with SEEDS degrees of freedom, 5 deviations). */
static void check_binomial(const char *text, double p)
{
	double mean = DRAWS * p, variance = mean * (1 - p), sum = 0, square = 0;

	rules(text);
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		double off = count_failures(seed * 0x10001) - mean;

		assert_true(off * off <= 25 * variance);
		sum += off;
		square += off * off / variance;
	}
	assert_true(sum * sum <= 25 * variance * SEEDS);
	assert_true(square > SEEDS - 5 * 20 && square < SEEDS + 5 * 20); /* sqrt(2 * 200) */
}

static void test_probability_is_binomial(void **state)
{
	(void)state;
	check_binomial("fail socket error ENOBUFS probability 50%", 0.5);
	check_binomial("fail socket error ENOBUFS probability 5%", 0.05);
	check_binomial("fail socket error ENOBUFS probability 0.01 in app", 0.01);
	check_binomial("fail socket error ENOBUFS probability 93.75%", 0.9375);
	rules("fail socket error ENOBUFS probability 0%");
	assert_int_equal(count_failures(1), 0);
	rules("fail socket error ENOBUFS probability 100%");
	assert_int_equal(count_failures(1), DRAWS);
}

/* Which of 64 calls fail by a rule, each call once met. */
static uint64_t pattern_of(unsigned number)
{
	uint64_t pattern = 0;

	for (unsigned i = 0; i < made->rules->count; i++)
		atomic_store(&rule(i + 1)->turns, 0);
	for (unsigned i = 0; i < 64; i++)
		pattern |= (uint64_t)(meet(OP_SOCKET).rule == number) << i;
	return pattern;
}

static void test_a_seed_repeats(void **state)
{
	uint64_t first;

	(void)state;
	rules("fail socket error ENOBUFS probability 50%");
	first = pattern_of(1);
	assert_true(pattern_of(1) == first);
	engine.seed = 2;
	assert_false(pattern_of(1) == first);
	engine.seed = 1;
	rules("# the same rule\n\n  fail  socket any  error ENOBUFS probability 0.5");
	assert_true(pattern_of(1) == first);
	rules("fail socket error ENOBUFS probability 50% in app");
	assert_false(pattern_of(1) == first);
}

static void test_draws_know_nothing_of_other_rules(void **state)
{
	uint64_t alone;

	(void)state;
	rules("fail socket error ENOBUFS probability 50%");
	alone = pattern_of(1);
	rules("deny bind :80\nfail bind error EINTR probability 50%\nlimit fds 100\n"
	      "delay socket by 1ms jitter 1ms probability 50%\n"
	      "fail socket error ENOBUFS probability 50%\nfail socket error EMFILE probability 3%");
	assert_true(pattern_of(5) == alone);
}

/* A turn has its draw, whatever other calls are made in between. */
static void test_draws_know_nothing_of_other_calls(void **state)
{
	uint64_t alone, pattern = 0;

	(void)state;
	rules("fail socket error ENOBUFS probability 50%\nfail bind error EINTR probability 50%");
	alone = pattern_of(1);
	atomic_store(&rule(1)->turns, 0);
	for (unsigned i = 0; i < 64; i++) {
		for (unsigned n = 0; n < i % 3; n++)
			meet(OP_BIND);
		pattern |= (uint64_t)(meet(OP_SOCKET).rule == 1) << i;
	}
	assert_true(pattern == alone);
}

/* Rule 2's pattern is told by when its delay is there: both are met by each call. */
static unsigned count_equal_draws(unsigned calls)
{
	unsigned equal = 0;

	for (unsigned i = 0; i < calls; i++) {
		uint64_t one = matched(1), two = matched(2);

		meet(OP_SOCKET);
		equal += matched(1) - one == matched(2) - two;
	}
	return equal;
}

static void test_equal_rules_draw_differently(void **state)
{
	char *text = malloc(3000 * 64), *at = text;

	(void)state;
	rules("delay socket by 1ms jitter 1ms probability 50%\n"
	      "delay socket by 1ms jitter 1ms probability 50%");
	assert_in_range(count_equal_draws(1000), 500 - 80, 500 + 80); /* 5 deviations */
	for (unsigned i = 0; i < 3000; i++) /* far apart, too, with others between them */
		at += sprintf(at,
		              i % 5 ? "fail socket error ENOBUFS\n" : "fail bind error EINTR\n");
	rules(text);
	for (unsigned i = 1; i < 3000; i++)
		for (unsigned j = i + 1; j <= 3000; j++)
			assert_true(rule(i)->salt != rule(j)->salt);
	free(text);
}

/* Of two equal rules, the one's jitter has nothing to do with whether the other is drawn. */
static void test_jitter_and_probability_are_two_draws(void **state)
{
	unsigned agree = 0, count = 0;

	(void)state;
	/* of a million, as the probability */
	rules("delay socket by 100us jitter 899999ns probability 50%\n"
	      "delay socket by 100us jitter 899999ns probability 50%");
	for (unsigned i = 0; i < 8000; i++) {
		uint64_t one = matched(1), two = matched(2), ns;

		atomic_store(&rule(1)->turns, i);
		atomic_store(&rule(2)->turns, i);
		rule(2)->delay_ns = rule(2)->jitter_ns = 0; /* whatever it draws: 0 */
		ns = meet(OP_SOCKET).delay_ns;
		if (matched(1) == one)
			continue;
		count++;
		agree += (ns < MS / 2) == (matched(2) > two);
	}
	assert_in_range(count, 4000 - 225, 4000 + 225);
	assert_in_range(agree, count / 2 - 160, count / 2 + 160); /* 5 deviations */
}

static void test_jitter_keeps_its_bounds(void **state)
{
	uint64_t least = UINT64_MAX, most = 0, sum = 0;

	(void)state;
	rules("delay socket by 200ms jitter 50ms");
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t ns = meet(OP_SOCKET).delay_ns;

		assert_in_range(ns, 150 * MS, 250 * MS);
		least = ns < least ? ns : least;
		most = ns > most ? ns : most;
		sum += ns;
	}
	assert_true(least < 151 * MS && most > 249 * MS);
	assert_in_range(sum / 10000, 1985 * MS / 10, 2015 * MS / 10); /* 5 deviations */
	rules("delay socket by 1ns jitter 1ns");                      /* whole numbers, all alike */
	for (unsigned i = 0, seen[3] = {0}; i < 3000; i++) {
		uint64_t ns = meet(OP_SOCKET).delay_ns;

		assert_in_range(ns, 0, 2);
		seen[ns]++;
		assert_true(i < 2999 || (seen[0] > 800 && seen[1] > 800 && seen[2] > 800));
	}
	rules("delay socket by 1ms jitter 3ms"); /* never before now */
	for (unsigned i = 0; i < 1000; i++)
		assert_in_range(meet(OP_SOCKET).delay_ns, 0, 4 * MS);
	rules("delay socket by 7ms jitter 0s");
	assert_int_equal(meet(OP_SOCKET).delay_ns, 7 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_probability_is_binomial, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_seed_repeats, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_draws_know_nothing_of_other_rules, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_draws_know_nothing_of_other_calls, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_equal_rules_draw_differently, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_jitter_and_probability_are_two_draws, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_jitter_keeps_its_bounds, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
