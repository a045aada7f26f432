/* SPDX-License-Identifier: MIT */
/* rules_words.h - the text of rules as words.
 * Knows blanks, quotes, comments and what ends a rule; nothing of what words mean. */
#ifndef CORE_RULES_WORDS_H
#define CORE_RULES_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What can be wrong with the text itself. */
enum word_fault {
	WORD_FINE,
	WORD_NUL,
	WORD_NOT_UTF8,
	WORD_CONTROL,
	WORD_OPEN,   /* no closing quote */
	WORD_INSIDE, /* a quote inside a word */
	WORD_ESCAPE, /* a backslash before something else than " and \ */
	WORD_GLUED,  /* something right behind the closing quote */
};

struct word {
	const char *text; /* without its quotes, with its backslashes */
	uint32_t len;
	uint32_t bytes; /* of the source, with quotes; 0: behind the last word */
	size_t at;      /* of the source */
	bool is_quoted;
};

struct words {
	const char *text;
	size_t len;
	size_t at; /* what comes next */
	unsigned line;
	unsigned column; /* 1..: of the rule's start */
	size_t rule_at;  /* where the rule starts */
	struct word word;
	enum word_fault fault;
};

struct words words_of(const char *text, size_t len);

/* Read the next word of the rule. Returns false at its end, where words->word is the
 * empty place behind the last word, and at a fault, where it is the bytes at fault. */
bool words_next(struct words *words);

/* Go to the next rule, an empty one too; words are one before. False at the end. */
bool words_next_rule(struct words *words);

/* The column, 1.., of a byte of the present rule. */
unsigned words_column(const struct words *words, size_t at);

/* Does a word, unquoted, say this? */
bool word_is(const struct word *word, const char *text);

/* A part of an unquoted word. */
struct word word_part(const struct word *word, const char *from, const char *end);

/* Write what a word means to out, of word->len bytes: quoted ones without their
 * backslashes. Returns the length. */
size_t word_value(char *out, const struct word *word);

#endif
