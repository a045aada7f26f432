/* SPDX-License-Identifier: MIT */
/* test_text.c - text in a buffer, and the names of numbers. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/names.h"
#include "core/text.h"

/* Everything that is appended lands here. */
static char buf[256];
static struct text text;

static int start(void **state)
{
	(void)state;
	memset(buf, '#', sizeof(buf));
	text = text_on(buf, sizeof(buf));
	return 0;
}

static void appends(void **state)
{
	(void)state;
	assert_string_equal(buf, "");
	text_put(&text, "a");
	text_char(&text, 'b');
	text_bytes(&text, "cde", 2);
	text_put(&text, "");
	assert_string_equal(buf, "abcd");
	assert_int_equal(text.len, 4);
	assert_false(text.cut);
}

static void prints_numbers(void **state)
{
	(void)state;
	text_unsigned(&text, 0);
	text_char(&text, ' ');
	text_unsigned(&text, UINT64_MAX);
	text_char(&text, ' ');
	text_signed(&text, INT64_MIN);
	text_char(&text, ' ');
	text_signed(&text, -7);
	text_char(&text, ' ');
	text_hex(&text, 0);
	text_char(&text, ' ');
	text_hex(&text, UINT64_MAX);
	text_char(&text, ' ');
	text_digits(&text, 42, 6);
	text_char(&text, ' ');
	text_digits(&text, 1234567, 3);
	assert_string_equal(buf, "0 18446744073709551615 -9223372036854775808 -7 0 "
	                         "ffffffffffffffff 000042 1234567");
}

static void prints_every_width(void **state)
{
	char expected[32];

	(void)state;
	for (uint64_t value = 1, i = 0; i < 19; i++, value = value * 10 + i % 10) {
		for (unsigned width = 0; width < 22; width++) {
			start(state);
			text_digits(&text, value, width);
			snprintf(expected, sizeof(expected), "%0*llu",
			         (int)(width > 20 ? 20 : width), (unsigned long long)value);
			assert_string_equal(buf, expected);
		}
	}
}

static void prints_time_as_strftime_does(void **state)
{
	char expected[64];

	(void)state;
	for (uint64_t second = 0; second < UINT64_MAX / 1000000000; second += 86400 * 11 + 4567) {
		time_t seconds = (time_t)second;

		start(state);
		text_time(&text, second * 1000000000 + 7);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000007Z",
		         gmtime(&seconds));
		assert_string_equal(buf, expected);
	}
}

static void remembers_overflow(void **state)
{
	(void)state;
	text = text_on(buf, 4);
	text_put(&text, "abc");
	assert_false(text.cut);
	text_char(&text, 'd');
	assert_true(text.cut);
	assert_string_equal(buf, "abc");
	text = text_on(buf, 4);
	text_put(&text, "abcdef");
	text_put(&text, "x");
	assert_true(text.cut);
	assert_string_equal(buf, "abc");
	assert_int_equal(buf[4], '#');
	text = text_on(buf, 1);
	text_unsigned(&text, 1);
	assert_true(text.cut);
	assert_string_equal(buf, "");
}

static void escapes_json(void **state)
{
	static const char bytes[] =
	        "\"\\/\n\t\x1b\x7f\0é€😀\xc2\x9b\xff\xc0\x80\xed\xa0\x80\xe2\x82";

	(void)state;
	text_json(&text, bytes, sizeof(bytes) - 1, 0);
	assert_string_equal(buf, "\"\\\"\\\\/\\u000a\\u0009\\u001b\\u007f\\u0000é€😀\\u009b"
	                         "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"");
}

static void cuts_json_between_characters(void **state)
{
	(void)state;
	for (size_t size = 3 + 4; size < 24; size++) {
		start(state);
		text = text_on(buf, size);
		text_json(&text, "\n€\n€", 8, 4);
		assert_false(text.cut);
		assert_int_equal(buf[text.len - 1], '"');
		assert_true(text.len + 4 < size || text.len == 2);
		text_put(&text, "1234");
		assert_false(text.cut);
		assert_true(text.len == 6 || text.len == 12 || text.len == 15 || text.len == 21 ||
		            text.len == 24);
	}
}

static void shows_bytes_to_a_terminal(void **state)
{
	static const char bytes[] = "a\\b\n\t\x1b[2J\x7f\0é\xc2\x9b\xff";

	(void)state;
	text_visible(&text, bytes, sizeof(bytes) - 1);
	assert_string_equal(buf, "a\\\\b\\n\\t\\x1b[2J\\x7f\\x00é\\xc2\\x9b\\xff");
}

/* Whatever the bytes, no control character and no broken UTF-8 comes out. */
static void lets_nothing_through(void **state)
{
	(void)state;
	srand(3);
	for (int i = 0; i < 20000; i++) {
		char bytes[16];
		size_t len = (size_t)rand() % sizeof(bytes);

		for (size_t k = 0; k < len; k++)
			bytes[k] = (char)rand();
		start(state);
		if (i % 2)
			text_visible(&text, bytes, len);
		else
			text_json(&text, bytes, len, 0);
		assert_false(text.cut);
		assert_int_not_equal(mbstowcs(NULL, buf, 0), (size_t)-1);
		for (size_t k = 0; k < text.len; k++) {
			assert_true((unsigned char)buf[k] >= 0x20 && buf[k] != 0x7f);
			if ((unsigned char)buf[k] == 0xc2)
				assert_true((unsigned char)buf[k + 1] >= 0xa0);
		}
	}
}

static void names_errnos(void **state)
{
	(void)state;
	assert_string_equal(name_errno(EMFILE), "EMFILE");
	assert_string_equal(name_errno(EAGAIN), "EAGAIN");
	assert_string_equal(name_errno(EHWPOISON), "EHWPOISON");
	assert_null(name_errno(0));
	assert_null(name_errno(-1));
	assert_null(name_errno(41)); /* a hole in Linux's numbers */
	assert_null(name_errno(4095));
	for (int i = 1; i < 200; i++) {
		const char *name = name_errno(i), *libc = strerrorname_np(i);

		assert_true(!name == !libc);
		if (!name)
			continue;
		assert_int_equal(name_to_errno(name, strlen(name)), i);
		assert_string_equal(name, strcmp(libc, "ENOTSUP") == 0 ? "EOPNOTSUPP" : libc);
	}
	assert_int_equal(name_to_errno("EWOULDBLOCK", 11), EAGAIN);
	assert_int_equal(name_to_errno("ENOTSUP", 7), EOPNOTSUPP);
	assert_int_equal(name_to_errno("EMFILEX", 7), 0);
	assert_int_equal(name_to_errno("EMFILEX", 6), EMFILE);
	assert_int_equal(name_to_errno("emfile", 6), 0);
	assert_int_equal(name_to_errno("", 0), 0);
}

static void names_everything_else(void **state)
{
	(void)state;
	for (int kind = OP_NONE + 1; kind < OP_KINDS; kind++) {
		const char *name = name_op((enum op_kind)kind);

		assert_int_equal(name_to_op(name, strlen(name)), kind);
	}
	assert_string_equal(name_op(OP_RESOLVE), "getaddrinfo");
	assert_string_equal(name_op(OP_NONE), "?");
	assert_string_equal(name_op(OP_KINDS), "?");
	assert_int_equal(name_to_op("nonsense", 8), OP_NONE);
	assert_string_equal(name_family(FAMILY_INET6), "inet6");
	assert_string_equal(name_proto(PROTO_STREAM), "stream");
	assert_string_equal(name_verdict(VERDICT_DELAYED), "delayed");
	assert_string_equal(name_verdict((enum verdict_kind)15), "?");
	assert_string_equal(name_coverage(COVERAGE_GO), "go");
	assert_string_equal(name_coverage_reason(COVERAGE_SEEN), "its calls are recorded");
	assert_string_equal(name_coverage(COVERAGES), "?");
	assert_string_equal(name_eai(-2), "EAI_NONAME");
	assert_null(name_eai(0));
	assert_string_equal(name_shutdown(2), "SHUT_RDWR");
	assert_null(name_shutdown(-1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup(appends, start),
	        cmocka_unit_test_setup(prints_numbers, start),
	        cmocka_unit_test_setup(prints_every_width, start),
	        cmocka_unit_test_setup(prints_time_as_strftime_does, start),
	        cmocka_unit_test_setup(remembers_overflow, start),
	        cmocka_unit_test_setup(escapes_json, start),
	        cmocka_unit_test_setup(cuts_json_between_characters, start),
	        cmocka_unit_test_setup(shows_bytes_to_a_terminal, start),
	        cmocka_unit_test_setup(lets_nothing_through, start),
	        cmocka_unit_test(names_errnos),
	        cmocka_unit_test(names_everything_else),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
