/* SPDX-License-Identifier: MIT */
/* test_site.c - names of places in programs; frames that make no sense stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/site.h"

static struct site_names *names;

/* A frame as the library writes it: here, of this very program. */
static void frame_of(char *frame, size_t size, const void *address)
{
	extern const char __executable_start;
	char path[1024] = "";
	uintptr_t offset = (uintptr_t)address - (uintptr_t)&__executable_start;

	assert_in_range(readlink("/proc/self/exe", path, sizeof(path) - 1), 1, sizeof(path) - 2);
	snprintf(frame, size, "%s+0x%lx", path, (unsigned long)offset);
}

static __attribute__((noinline)) const void *here(void)
{
	return __builtin_return_address(0);
}

static void names_function_and_line(void **state)
{
	char frame[2048], frames[2100], expected[64];
	char *name;

	(void)state;
	snprintf(expected, sizeof(expected), "names_function_and_line at test_site.c:%d",
	         __LINE__ + 1);
	frame_of(frame, sizeof(frame), here());
	name = site_name(names, frame, strlen(frame));
	assert_string_equal(name, expected);
	free(name);
	snprintf(frames, sizeof(frames), "%s\n/nothing+0x1", frame);
	name = site_first(names, frames);
	assert_string_equal(name, expected);
	free(name);
}

static void leaves_alone_what_it_cannot_read(void **state)
{
	static const char *const frames[] = {
	        "",
	        "+0x",
	        "+0x10",
	        "/+0x10",
	        "/etc/passwd+0x10",
	        "/dev/zero+0x10",
	        "/nosuchfile+0x10",
	        "relative+0x10",
	        "/bin/sh",
	        "/bin/sh+0x",
	        "/bin/sh+0xz",
	        "/bin/sh+0x10 ",
	        "/bin/sh+0x0",
	        "/bin/sh+0xffffffffffffffff",
	        "/bin/sh+0xfffffffffffffffffffff",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		char *name = site_name(names, frames[i], strlen(frames[i]));

		assert_string_equal(name, frames[i]);
		free(name);
	}
}

static void waits_for_no_pipe(void **state)
{
	char dir[] = "/tmp/test_site.XXXXXX", path[64], frame[80], *name;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/pipe", dir);
	snprintf(frame, sizeof(frame), "%s+0x10", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	name = site_name(names, frame, strlen(frame));
	alarm(0);
	assert_string_equal(name, frame);
	free(name);
	unlink(path);
	rmdir(dir);
}

static void escapes_and_cuts(void **state)
{
	char frame[10000], *name = site_name(names, "/a\x1b[2J+0x10", 11);

	(void)state;
	assert_string_equal(name, "/a\\x1b[2J+0x10");
	free(name);
	memset(frame, '\x01', sizeof(frame));
	name = site_name(names, frame, sizeof(frame));
	assert_in_range(strlen(name), 100, sizeof(frame));
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(names_function_and_line),
	        cmocka_unit_test(leaves_alone_what_it_cannot_read),
	        cmocka_unit_test(waits_for_no_pipe),
	        cmocka_unit_test(escapes_and_cuts),
	};
	int failed;

	names = site_names_new();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	site_names_free(names);
	return failed;
}
