/* SPDX-License-Identifier: MIT */
/* rules_problem.c - a problem as people know it from compilers: place, line, underline.
 * Sources are anybody's bytes: what a terminal could obey is escaped, and of a long
 * line only the surroundings of the word are shown. */
#include <string.h>

#include "core/rules.h"
#include "core/text.h"

enum { BEFORE_MAX = 60, AFTER_MAX = 60, LINE_DIGITS = 5 };

/* The bytes of a source that are shown. */
struct excerpt {
	const char *from, *word, *word_end, *end;
	bool is_cut_before, is_cut_after;
};

static bool is_inside(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80; /* of a character of UTF-8 */
}

static struct excerpt excerpt_of(const struct rules_problem *problem)
{
	const char *text = problem->source->text, *text_end = text + problem->source->len;
	size_t len = problem->len < AFTER_MAX ? problem->len : AFTER_MAX;
	struct excerpt e = {.from = text + problem->at, .word = text + problem->at};

	while (e.from > text && e.from[-1] != '\n' && e.word - e.from < BEFORE_MAX)
		e.from--;
	e.is_cut_before = e.from > text && e.from[-1] != '\n';
	while (e.is_cut_before && e.from < e.word && is_inside(*e.from))
		e.from++;
	e.word_end = e.word + len;
	while (len < problem->len && e.word_end > e.word + 1 && is_inside(*e.word_end))
		e.word_end--;
	e.end = e.word_end;
	while (e.end < text_end && *e.end != '\n' && e.end - e.word < AFTER_MAX)
		e.end++;
	e.is_cut_after = e.end < text_end && *e.end != '\n';
	while (e.is_cut_after && e.end > e.word_end && is_inside(*e.end))
		e.end--;
	if (!e.is_cut_after && e.end > e.word_end && e.end[-1] == '\r')
		e.end--;
	return e;
}

/* Bytes as text_visible() has them, but backslashes as they are and tabs as blanks. */
static void put_bytes(struct text *text, const char *bytes, const char *end)
{
	while (bytes < end) {
		const char *stop = bytes;

		while (stop < end && *stop != '\\' && *stop != '\t')
			stop++;
		text_visible(text, bytes, (size_t)(stop - bytes));
		if (stop < end)
			text_char(text, *stop == '\t' ? ' ' : '\\');
		bytes = stop + 1;
	}
}

static void put_string(struct text *text, const char *string)
{
	put_bytes(text, string, string + strlen(string));
}

/* The number of characters from a place of a text on. */
static size_t width_from(const struct text *text, size_t from)
{
	size_t width = 0;

	for (size_t i = from; i < text->len; i++)
		width += !is_inside(text->buf[i]);
	return width;
}

static void put_times(struct text *text, char c, size_t n)
{
	while (n-- > 0)
		text_char(text, c);
}

static void put_place(struct text *text, const struct rules_problem *problem)
{
	put_string(text, problem->source->name);
	text_char(text, ':');
	text_unsigned(text, problem->line);
	text_char(text, ':');
	text_unsigned(text, problem->column);
	text_put(text, problem->is_warning ? ": warning: " : ": error: ");
	put_string(text, problem->what);
	text_char(text, '\n');
}

static void put_margin(struct text *text)
{
	put_times(text, ' ', LINE_DIGITS);
	text_put(text, " | ");
}

/* The line; returns how wide it is up to the word, and the word itself. */
static size_t put_line(struct text *text, const struct rules_problem *problem, size_t *word_width)
{
	struct excerpt e = excerpt_of(problem);
	unsigned digits = 1;
	size_t from, width;

	for (unsigned n = problem->line; n >= 10; n /= 10)
		digits++;
	put_times(text, ' ', digits < LINE_DIGITS ? LINE_DIGITS - digits : 0);
	text_unsigned(text, problem->line);
	text_put(text, " | ");
	from = text->len;
	text_put(text, e.is_cut_before ? "..." : "");
	put_bytes(text, e.from, e.word);
	width = width_from(text, from);
	from = text->len;
	put_bytes(text, e.word, e.word_end);
	*word_width = width_from(text, from);
	put_bytes(text, e.word_end, e.end);
	text_put(text, e.is_cut_after ? "...\n" : "\n");
	return width;
}

size_t rules_print_problem(char *buf, size_t size, const struct rules_problem *problem)
{
	struct text text = text_on(buf, size);
	size_t width, word_width;

	put_place(&text, problem);
	width = put_line(&text, problem, &word_width);
	put_margin(&text);
	put_times(&text, ' ', width);
	text_char(&text, '^');
	put_times(&text, '~', word_width ? word_width - 1 : 0);
	if (problem->instead) {
		text_put(&text, " did you mean '");
		put_string(&text, problem->instead);
		text_put(&text, "'?");
	}
	text_char(&text, '\n');
	if (problem->expected) {
		put_times(&text, ' ', LINE_DIGITS);
		text_put(&text, " = ");
		put_string(&text, problem->expected);
		text_char(&text, '\n');
	}
	return text.len;
}
