/* SPDX-License-Identifier: MIT */
/* test_sweep_state.c - results outlive a sweep; a file that was meddled with is refused. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/sweep_state.h"

static const struct command command = {.name = "sweep"};
static char path[] = "/tmp/test_sweep_state.XXXXXX";

static struct sweep_trial a_trial(uint32_t turn)
{
	struct sweep_trial trial = {.fault = 1, .turn = turn, .is_on = turn % 2, .is_done = true};

	trial.result = (struct sweep_result){.did = SWEEP_CRASH,
	                                     .status = -1,
	                                     .signal = 11,
	                                     .took_ns = UINT64_C(1) << 40,
	                                     .rate = 5,
	                                     .leaks = 6,
	                                     .vanished = 7,
	                                     .said = "a \"word\"\n\x01\xff end x"};
	return trial;
}

static struct sweep_state a_state(void)
{
	return (struct sweep_state){.path = path, .id = 0x1234, .seed = 42};
}

static void comes_back_as_it_was(void **unused)
{
	struct sweep_trial trial[3] = {a_trial(1), a_trial(2), a_trial(3)};
	struct sweep_state state = a_state(), back = a_state();

	(void)unused;
	trial[1].is_done = false;
	memset(trial[2].result.said, 'x', SWEEP_SAID_MAX);
	trial[2].result.said[SWEEP_SAID_MAX] = '\0';
	assert_int_equal(sweep_state_write(&state, trial, 3), 0);
	back.seed = 0;
	assert_int_equal(sweep_state_read(&back, &command), 0);
	assert_int_equal(back.seed, 42);
	assert_int_equal(back.count, 2);
	assert_null(sweep_state_find(&back, &trial[1]));
	for (int i = 2; i >= 0; i -= 2) {
		const struct sweep_result *result = sweep_state_find(&back, &trial[i]);

		assert_non_null(result);
		assert_int_equal(result->did, trial[i].result.did);
		assert_int_equal(result->status, -1);
		assert_int_equal(result->signal, 11);
		assert_int_equal(result->took_ns, UINT64_C(1) << 40);
		assert_int_equal(result->rate, 5);
		assert_int_equal(result->leaks, 6);
		assert_int_equal(result->vanished, 7);
		assert_string_equal(result->said, trial[i].result.said);
	}
	free(back.trial);
}

static void one_that_is_not_there_is_empty(void **unused)
{
	struct sweep_state state = a_state();

	(void)unused;
	unlink(path);
	assert_int_equal(sweep_state_read(&state, &command), 0);
	assert_int_equal(state.count, 0);
	assert_int_equal(state.seed, 42);
}

/* Bytes of the file, with one changed or the end cut off: refused, or read without harm. */
static void any_damage_is_survived(void **unused)
{
	struct sweep_trial trial[2] = {a_trial(1), a_trial(2)};
	struct sweep_state state = a_state();
	char bytes[2048];
	int fd, refused = 0;
	ssize_t len;

	(void)unused;
	assert_int_equal(sweep_state_write(&state, trial, 2), 0);
	fd = open(path, O_RDWR);
	len = read(fd, bytes, sizeof(bytes));
	assert_in_range(len, 100, sizeof(bytes) - 1);
	freopen("/dev/null", "w", stderr);
	for (ssize_t at = 0; at < len; at++) {
		for (unsigned change = 0; change < 4; change++) {
			static const char changes[] = {'\0', '9', ' ', '\n'};
			struct sweep_state damaged = a_state();
			char byte = bytes[at];

			bytes[at] = changes[change];
			assert_int_equal(pwrite(fd, bytes, (size_t)len, 0), len);
			refused += sweep_state_read(&damaged, &command) != 0;
			for (size_t i = 0; i < damaged.count; i++)
				assert_in_range(damaged.trial[i].result.did, 0, SWEEP_DIDS - 1);
			free(damaged.trial);
			bytes[at] = byte;
		}
	}
	assert_in_range(refused, len, 4 * len);
	for (ssize_t at = 0; at < len; at++) {
		struct sweep_state damaged = a_state();

		assert_int_equal(pwrite(fd, bytes, (size_t)len, 0), len);
		assert_int_equal(ftruncate(fd, at), 0);
		assert_int_not_equal(sweep_state_read(&damaged, &command), 0);
		free(damaged.trial);
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(comes_back_as_it_was),
	        cmocka_unit_test(one_that_is_not_there_is_empty),
	        cmocka_unit_test(any_damage_is_survived),
	};
	int fd = mkstemp(path);

	if (fd >= 0)
		close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
