/* SPDX-License-Identifier: MIT */
/* test_sweep_plan.c - from faults and calls to runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/sweep_plan.h"

static const struct command command = {.name = "sweep"};

static void add(struct sweep_faults *faults, const char *words)
{
	assert_int_equal(sweep_faults_add(faults, &command, words), 0);
}

static void place(struct sweep_faults *faults, uint32_t probe, uint64_t turn, const char *frames)
{
	sweep_probe_frames(&faults->probe[probe], turn, frames, strlen(frames));
}

static void errors_of_one_call_share_a_probe(void **state)
{
	struct sweep_faults faults = {.count = 0};

	(void)state;
	add(&faults, "connect tcp error ETIMEDOUT");
	add(&faults, "fail connect tcp error ECONNREFUSED");
	add(&faults, "connect udp error EACCES");
	add(&faults, "socket error EMFILE");
	add(&faults, "any error EINTR");
	assert_int_equal(faults.count, 5);
	assert_int_equal(faults.probes, 4);
	assert_int_equal(faults.fault[0].probe, faults.fault[1].probe);
	assert_string_equal(faults.fault[1].text, "fail connect tcp error ECONNREFUSED");
	assert_int_equal(faults.probe[0].round, 0);
	assert_int_equal(faults.probe[1].round, 1); /* it might match what the first matches */
	assert_int_equal(faults.probe[2].round, 0);
	assert_int_equal(faults.probe[3].round, 2);
	assert_int_equal(faults.rounds, 3);
	sweep_faults_free(&faults);
}

/* Three calls, the first two from one place, under two faults. */
static struct sweep_faults three_calls(void)
{
	struct sweep_faults faults = {.count = 0};

	add(&faults, "socket error EMFILE");
	add(&faults, "socket error ENOBUFS");
	faults.probe[0].turns = 3;
	place(&faults, 0, 1, "/a+0x1\n/a+0x2");
	place(&faults, 0, 2, "/a+0x1\n/a+0x2");
	place(&faults, 0, 3, "/a+0x1\n/a+0x3");
	return faults;
}

static void every_call_of_every_fault(void **state)
{
	struct sweep_faults faults = three_calls();
	struct sweep_plan plan =
	        sweep_plan(&faults, &(struct sweep_wish){.once = true, .on = true});

	(void)state;
	assert_int_equal(plan.count, 12);
	for (uint32_t i = 0; i < 12; i++) {
		assert_int_equal(plan.trial[i].fault, i / 6);
		assert_int_equal(plan.trial[i].turn, i % 6 / 2 + 1);
		assert_int_equal(plan.trial[i].is_on, i % 2);
		assert_int_equal(plan.trial[i].alike, i % 6 < 4 ? 2 : 1);
		assert_false(plan.trial[i].is_done);
	}
	assert_int_equal(plan.alike + plan.left_out, 0);
	free(plan.trial);
	sweep_faults_free(&faults);
}

static void one_call_of_each_place(void **state)
{
	struct sweep_faults faults = three_calls();
	struct sweep_plan plan =
	        sweep_plan(&faults, &(struct sweep_wish){.once = true, .is_unique = true});

	(void)state;
	assert_int_equal(plan.count, 4);
	assert_int_equal(plan.trial[0].turn, 1);
	assert_int_equal(plan.trial[1].turn, 3);
	assert_int_equal(plan.trial[2].turn, 1);
	assert_int_equal(plan.alike, 2);
	free(plan.trial);
	sweep_faults_free(&faults);
}

static void places_that_are_not_known_are_none(void **state)
{
	struct sweep_faults faults = three_calls();
	struct sweep_plan plan;

	(void)state;
	faults.probe[0].turns = 6; /* three more */
	plan = sweep_plan(&faults, &(struct sweep_wish){.on = true, .is_unique = true});
	assert_int_equal(plan.count, 2 * 5);
	assert_null(plan.trial[4].frames);
	assert_int_equal(plan.trial[4].alike, 0);
	free(plan.trial);
	sweep_faults_free(&faults);
}

static void the_first_of_each_place_comes_first(void **state)
{
	struct sweep_faults faults = three_calls();
	struct sweep_wish wish = {.once = true, .most = 4};
	struct sweep_plan plan = sweep_plan(&faults, &wish);

	(void)state;
	assert_int_equal(plan.count, 4);
	assert_int_equal(plan.left_out, 2);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(plan.trial[i].turn, i % 2 ? 3 : 1);
	free(plan.trial);
	wish.most = 5;
	plan = sweep_plan(&faults, &wish);
	assert_int_equal(plan.count, 5);
	assert_int_equal(plan.trial[1].turn, 2);
	assert_int_equal(plan.trial[1].fault, 0);
	free(plan.trial);
	wish.most = 1;
	plan = sweep_plan(&faults, &wish);
	assert_int_equal(plan.count, 1);
	free(plan.trial);
	sweep_faults_free(&faults);
}

static void has_an_end(void **state)
{
	struct sweep_faults faults = three_calls();
	struct sweep_plan plan;

	(void)state;
	faults.probe[0].turns = UINT64_MAX;
	plan = sweep_plan(&faults, &(struct sweep_wish){.once = true, .most = 10});
	assert_int_equal(plan.count, 10);
	free(plan.trial);
	sweep_faults_free(&faults);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(errors_of_one_call_share_a_probe),
	        cmocka_unit_test(every_call_of_every_fault),
	        cmocka_unit_test(one_call_of_each_place),
	        cmocka_unit_test(places_that_are_not_known_are_none),
	        cmocka_unit_test(the_first_of_each_place_comes_first),
	        cmocka_unit_test(has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
