/* SPDX-License-Identifier: MIT */
/* test_find.c - which session is the newest, and who of it still runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/make_session.h"
#include "tools/reader.h"

enum { EVENTS = 64, ERROR_SIZE = 512 };

static struct made made;
static char error[ERROR_SIZE];

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

/* Does the reader say that the session, with its one process, is live? */
static bool is_live(void)
{
	struct reader *reader;
	bool live;

	reader = reader_open(made.path, error, sizeof(error));
	assert_non_null(reader);
	live = reader_is_live(reader);
	reader_close(reader);
	return live;
}

static void knows_who_lives(void **state)
{
	uint32_t slot = made_process(&made, ORIGIN_ROOT, 0, "nobody", 0);
	struct session_process *process = session_process(made.header, slot);
	struct timespec now, pause = {.tv_nsec = 100000000};
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(0);
	clock_gettime(CLOCK_REALTIME, &now);
	made.header->real_ns = (uint64_t)now.tv_sec * 1000000000;
	assert_false(is_live()); /* pid 0 would be a group of processes */
	process->pid = UINT32_MAX;
	assert_false(is_live());
	process->pid = (uint32_t)getpid();
	assert_true(is_live());
	process->state = PROCESS_EXECED;
	assert_false(is_live());
	process->state = PROCESS_EXECING;
	assert_true(is_live());
	process->pid = (uint32_t)child;
	nanosleep(&pause, NULL);
	assert_false(is_live()); /* a zombie */
	waitpid(child, NULL, 0);
	assert_false(is_live());
}

static void knows_a_number_that_was_given_again(void **state)
{
	uint32_t slot = made_process(&made, ORIGIN_ROOT, (uint32_t)getpid(), "me", 0);

	(void)state;
	assert_int_equal(slot, 1);
	made.header->real_ns = 1000000000; /* in 1970 we did not run */
	assert_false(is_live());
}

static void finds_the_newest(void **state)
{
	char home[] = "/tmp/state-XXXXXX", dir[64], path[256], found[256];

	(void)state;
	assert_non_null(mkdtemp(home));
	assert_int_equal(setenv("XDG_STATE_HOME", home, 1), 0);
	assert_false(reader_newest(found, sizeof(found), error, sizeof(error)));
	assert_non_null(strstr(error, "No such file"));
	snprintf(dir, sizeof(dir), "%s/tcpshim", home);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_false(reader_newest(found, sizeof(found), error, sizeof(error)));
	snprintf(path, sizeof(path), "%s/fifo" SESSION_SUFFIX, dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/link" SESSION_SUFFIX, dir);
	assert_int_equal(symlink(made.path, path), 0);
	assert_false(reader_newest(found, sizeof(found), error, sizeof(error)));
	for (int i = 0; i < 3; i++) { /* the second is the newest */
		made.header->real_ns = MADE_REAL_NS + (i == 1 ? 2 : i == 2);
		snprintf(path, sizeof(path), "cp --sparse=always %s %s/%d" SESSION_SUFFIX,
		         made.path, dir, i);
		assert_int_equal(system(path), 0);
	}
	made.header->real_ns = MADE_REAL_NS + 9;
	snprintf(path, sizeof(path), "cp --sparse=always %s %s/other.name", made.path, dir);
	assert_int_equal(system(path), 0);
	assert_true(reader_newest(found, sizeof(found), error, sizeof(error)));
	snprintf(path, sizeof(path), "%s/1" SESSION_SUFFIX, dir);
	assert_string_equal(found, path);
	assert_false(reader_newest(found, strlen(path), error, sizeof(error))); /* too short */
	snprintf(path, sizeof(path), "rm -r %s", home);
	assert_int_equal(system(path), 0);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_made, close_made)
	static const struct CMUnitTest tests[] = {
	        TEST(knows_who_lives),
	        TEST(knows_a_number_that_was_given_again),
	        TEST(finds_the_newest),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
