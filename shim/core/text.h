/* SPDX-License-Identifier: MIT */
/* text.h - text in a caller's buffer.
 * Appends strings, numbers, times and escaped bytes, keeps the buffer
 * NUL-terminated, and remembers when something did not fit. No malloc, no
 * locale; signal-safe. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
	char *buf;
	size_t size, len; /* len < size: room for the NUL */
	bool cut;         /* something did not fit */
};

/* An empty text in buf of size bytes, at least 1. */
struct text text_on(char *buf, size_t size);

/* Append. What does not fit is left out, from there on everything. */
void text_char(struct text *text, char c);
void text_bytes(struct text *text, const char *bytes, size_t len);
void text_unsigned(struct text *text, uint64_t value);
void text_signed(struct text *text, int64_t value);
void text_hex(struct text *text, uint64_t value);

/* Inline, so that a literal's length is known when it is compiled. */
static inline void text_put(struct text *text, const char *string)
{
	text_bytes(text, string, strlen(string));
}

/* A number with leading zeros up to width digits. */
void text_digits(struct text *text, uint64_t value, unsigned width);

/* A moment of CLOCK_REALTIME as RFC 3339 in UTC: 2026-11-22T12:00:01.123456789Z. */
void text_time(struct text *text, uint64_t real_ns);

/* Bytes as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD;
 * control characters, C1 included, become \u escapes. If it does not fit, it is
 * cut between two characters so that the quote and spare more bytes still fit. */
void text_json(struct text *text, const char *bytes, size_t len, size_t spare);

/* Bytes for a terminal: control characters (C1 included), backslashes and what
 * is not UTF-8 become \n, \t, \\ and \xNN. */
void text_visible(struct text *text, const char *bytes, size_t len);

#endif
