/* SPDX-License-Identifier: MIT */
/* rules_words.c - see rules_words.h.
 * Every byte is looked at once, in comments too: a source that is not text is told. */
#include "core/rules_words.h"

#include <string.h>

#include "core/text.h"

struct words words_of(const char *text, size_t len)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors begin a file with it */
	size_t skip = len >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

	return (struct words){
	        .text = text, .len = len, .at = skip, .rule_at = skip, .line = 1, .column = 1};
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(char c)
{
	return is_blank(c) || c == '\n' || c == ';';
}

/* The first fault of a word counts. */
static void set_fault(struct words *words, enum word_fault fault, size_t at, size_t bytes)
{
	if (words->fault != WORD_FINE)
		return;
	words->fault = fault;
	words->word = (struct word){words->text + at, (uint32_t)bytes, (uint32_t)bytes, at, false};
}

/* Is this one character of UTF-8? Then text_visible() leaves it as it is, unless it
 * is one that terminals obey. */
static bool is_utf8(const char *bytes, size_t n)
{
	char buf[32];
	struct text text = text_on(buf, sizeof(buf));

	text_visible(&text, bytes, n);
	return text.len == n;
}

/* Look at the character at a place. Returns its length. */
static size_t take_char(struct words *words, size_t at)
{
	unsigned char byte = (unsigned char)words->text[at];
	size_t n = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;

	if (byte == 0) {
		set_fault(words, WORD_NUL, at, 1);
	} else if (n > 1 && (n > words->len - at || !is_utf8(words->text + at, n))) {
		set_fault(words, WORD_NOT_UTF8, at, 1);
		return 1;
	}
	return n;
}

/* The same in a word, where control characters have no place. */
static size_t take_word_char(struct words *words, size_t at)
{
	unsigned char byte = (unsigned char)words->text[at];

	if (byte != 0 && ((byte < ' ' && byte != '\t') || byte == 0x7f))
		set_fault(words, WORD_CONTROL, at, 1);
	return take_char(words, at);
}

static void skip_comment(struct words *words)
{
	while (words->at < words->len && words->text[words->at] != '\n')
		words->at += take_char(words, words->at);
}

static void set_word(struct words *words, size_t from, bool is_quoted)
{
	size_t bytes = words->at - from;

	if (words->fault == WORD_FINE)
		words->word = (struct word){.text = words->text + from + is_quoted,
		                            .len = (uint32_t)(bytes - 2 * is_quoted),
		                            .bytes = (uint32_t)bytes,
		                            .at = from,
		                            .is_quoted = is_quoted};
}

static void read_bare(struct words *words)
{
	size_t from = words->at;

	while (words->at < words->len && !ends_word(words->text[words->at])) {
		if (words->text[words->at] == '"') { /* what follows may be a quoted word */
			set_fault(words, WORD_INSIDE, words->at, 1);
			break;
		}
		words->at += take_word_char(words, words->at);
	}
	set_word(words, from, false);
}

static void read_escape(struct words *words)
{
	char c = words->at + 1 < words->len ? words->text[words->at + 1] : '\n';

	if (c != '"' && c != '\\')
		set_fault(words, WORD_ESCAPE, words->at, 1);
	words->at += c == '"' || c == '\\' ? 2 : 1;
}

static void read_quoted(struct words *words)
{
	size_t from = words->at++;

	while (words->at < words->len && words->text[words->at] != '"') {
		if (words->text[words->at] == '\n')
			break;
		if (words->text[words->at] == '\\')
			read_escape(words);
		else
			words->at += take_word_char(words, words->at);
	}
	if (words->at == words->len || words->text[words->at] == '\n') {
		set_fault(words, WORD_OPEN, from, words->at - from);
		return;
	}
	words->at++;
	if (words->at < words->len && !ends_word(words->text[words->at]))
		set_fault(words, WORD_GLUED, words->at, 1);
	set_word(words, from, true);
}

/* The empty place behind the last word, or where the rule starts. */
static void set_end(struct words *words)
{
	struct word *word = &words->word;
	size_t at = word->bytes ? word->at + word->bytes : word->at;

	if (words->fault == WORD_FINE)
		*word = (struct word){.text = words->text + at, .at = at};
}

bool words_next(struct words *words)
{
	words->fault = WORD_FINE;
	while (words->at < words->len && is_blank(words->text[words->at]))
		words->at++;
	if (words->at < words->len && words->text[words->at] == '#')
		skip_comment(words);
	if (words->at == words->len || words->text[words->at] == '\n' ||
	    words->text[words->at] == ';') {
		set_end(words);
		return false;
	}
	if (words->text[words->at] == '"')
		read_quoted(words);
	else
		read_bare(words);
	return words->fault == WORD_FINE;
}

bool words_next_rule(struct words *words)
{
	while (words_next(words) || words->fault != WORD_FINE)
		;
	if (words->at == words->len)
		return false;
	words->column = words_column(words, words->at) + 1;
	if (words->text[words->at++] == '\n') {
		words->line++;
		words->column = 1;
	}
	words->rule_at = words->at;
	words->word = (struct word){.text = words->text + words->at, .at = words->at};
	return true;
}

unsigned words_column(const struct words *words, size_t at)
{
	unsigned column = words->column;

	for (size_t i = words->rule_at; i < at; i++)
		column += ((unsigned char)words->text[i] & 0xc0) != 0x80;
	return column;
}

bool word_is(const struct word *word, const char *text)
{
	return !word->is_quoted && strlen(text) == word->len &&
	       memcmp(word->text, text, word->len) == 0;
}

struct word word_part(const struct word *word, const char *from, const char *end)
{
	uint32_t len = (uint32_t)(end - from);

	return (struct word){.text = from,
	                     .len = len,
	                     .bytes = len,
	                     .at = word->at + (size_t)(from - word->text),
	                     .is_quoted = word->is_quoted};
}

size_t word_value(char *out, const struct word *word)
{
	size_t n = 0;

	for (size_t i = 0; i < word->len; i++) {
		if (word->is_quoted && word->text[i] == '\\' && i + 1 < word->len)
			i++;
		out[n++] = word->text[i];
	}
	return n;
}
