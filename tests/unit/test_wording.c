/* SPDX-License-Identifier: MIT */
/* test_wording.c - numbers, times and names as people read them; tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/columns.h"
#include "tools/page.h"
#include "tools/wording.h"

#define S UINT64_C(1000000000)

static void test_numbers(void **state)
{
	(void)state;
	assert_string_equal(word_number(0), "0");
	assert_string_equal(word_number(999), "999");
	assert_string_equal(word_number(1000), "1,000");
	assert_string_equal(word_number(1002003), "1,002,003");
	assert_string_equal(word_number(UINT64_MAX), "18,446,744,073,709,551,615");
	assert_string_equal(word_count(0, "port"), "0 ports");
	assert_string_equal(word_count(1, "process"), "1 process");
	assert_string_equal(word_count(2000, "process"), "2,000 processes");
}

static void test_durations(void **state)
{
	(void)state;
	assert_string_equal(word_duration(0), "0 ns");
	assert_string_equal(word_duration(999), "999 ns");
	assert_string_equal(word_duration(1000), "1 us");
	assert_string_equal(word_duration(1290), "1.2 us");
	assert_string_equal(word_duration(850000), "850 us");
	assert_string_equal(word_duration(S), "1 s");
	assert_string_equal(word_duration(90 * S), "90 s");
	assert_string_equal(word_duration(120 * S), "2 min");
	assert_string_equal(word_duration(3600 * S), "1 h");
	assert_non_null(strstr(word_duration(UINT64_MAX), " h"));
}

static void test_percents(void **state)
{
	(void)state;
	assert_string_equal(word_percent(0, 100), "0.0 %");
	assert_string_equal(word_percent(1, 28232), "<0.1 %");
	assert_string_equal(word_percent(1, 30), "3.3 %");
	assert_string_equal(word_percent(50, 100), "50 %");
	assert_string_equal(word_percent(995, 1000), "99.5 %");
	assert_string_equal(word_percent(28231, 28232), ">99.9 %");
	assert_string_equal(word_percent(7, 7), "100 %");
	assert_string_equal(word_percent(0, 0), "0.0 %");
}

static void test_names(void **state)
{
	struct program curl = {.name = "curl"}, evil = {.name = "\033[2J"};
	struct programs programs = {.list = {&curl, &evil}, .count = 2, .more = true};
	struct errors errors = {.other = 2};

	(void)state;
	assert_string_equal(word_process("a\nb", 7), "a\\nb[7]");
	assert_string_equal(word_process("a", 0), "a");
	assert_string_equal(word_programs(&programs), "curl, \\x1b[2J and others");
	errors_add(&errors, EMFILE);
	errors_add(&errors, EMFILE);
	errors_add(&errors, 4000);
	assert_string_equal(word_errors(&errors), "EMFILE 2, 4000 1, others 2");
}

static void test_moves(void **state)
{
	struct endpoint end = {{{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}}, 80};
	struct move move = {.askeds = 1, .asked = {{{{[10] = 0xff, [11] = 0xff}}, 80}}};

	(void)state;
	assert_string_equal(word_moved("a:1", NULL), "a:1");
	assert_string_equal(word_moved("a:1", &move), "a:1 (asked for :80)");
	move.asked[move.askeds++] = end;
	move.more = true;
	assert_string_equal(word_moved("a:1", &move),
	                    "a:1 (asked for :80, 127.0.0.1:80 and others)");
	assert_string_equal(word_rule(3, 0), "rule 3");
	assert_string_equal(word_rule(3, 2), "rule 3 of set 2");
}

static void test_many_errors(void **state)
{
	struct errors errors = {.total = 0};

	(void)state;
	for (int error = 1; error <= LEDGER_ERRORS + 3; error++)
		errors_add(&errors, error);
	assert_int_equal(errors.total, LEDGER_ERRORS + 3);
	assert_int_equal(errors.kinds, LEDGER_ERRORS);
	assert_int_equal(errors.other, 3);
}

/* What is written to a file in memory. */
static char *written;
static size_t written_len;

static FILE *open_out(void)
{
	free(written);
	return open_memstream(&written, &written_len);
}

static void test_columns(void **state)
{
	static const char *const cells[] = {"name", "count", "by", "x", "1,000",
	                                    "curl", "long",  "7",  "b"};
	struct columns columns = columns_new("lrl");
	FILE *out = open_out();

	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		columns_add(&columns, cells[i]);
	columns_print(&columns, out, "<", ">");
	columns_print(&columns, out, "<", ">"); /* empty now */
	fclose(out);
	assert_string_equal(written,
	                    "<  name  count  by>\n  x     1,000  curl\n  long      7  b\n");
	free(written);
	written = NULL;
}

static void test_paragraph(void **state)
{
	char text[400] = "";
	FILE *out = open_out();
	struct page page = page_on(out, false);

	(void)state;
	for (int i = 0; i < 30; i++)
		strcat(text, "word word ");
	strcat(text, "end");
	page_paragraph(&page, 4, text);
	fclose(out);
	for (char *line = strtok(written, "\n"); line; line = strtok(NULL, "\n")) {
		assert_true(strlen(line) <= PAGE_WIDTH);
		assert_memory_equal(line, "    w", 5);
	}
	free(written);
	written = NULL;
}

static void test_paragraph_of_one_long_word(void **state)
{
	char text[201];
	FILE *out = open_out();
	struct page page = page_on(out, false);

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	page_paragraph(&page, 0, text);
	fclose(out);
	assert_int_equal(written_len, sizeof(text));
	free(written);
	written = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_numbers),
	        cmocka_unit_test(test_durations),
	        cmocka_unit_test(test_percents),
	        cmocka_unit_test(test_names),
	        cmocka_unit_test(test_moves),
	        cmocka_unit_test(test_many_errors),
	        cmocka_unit_test(test_columns),
	        cmocka_unit_test(test_paragraph),
	        cmocka_unit_test(test_paragraph_of_one_long_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
