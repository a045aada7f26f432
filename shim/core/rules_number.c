/* SPDX-License-Identifier: MIT */
/* rules_number.c - numbers in rules: counts, durations, shares.
 * Decimals are exact: a part finer than what can be kept is an error, not rounded. */
#include <string.h>

#include "core/rules_parser.h"

struct cursor cursor_of(const struct word *word)
{
	return (struct cursor){word->text, word->text + word->len};
}

bool cursor_takes(struct cursor *cursor, const char *text)
{
	size_t len = strlen(text);

	if ((size_t)(cursor->end - cursor->at) < len || memcmp(cursor->at, text, len) != 0)
		return false;
	cursor->at += len;
	return true;
}

static bool is_digit(const struct cursor *cursor)
{
	return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

bool cursor_number(struct cursor *cursor, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;

	if (!is_digit(cursor))
		return false;
	for (; is_digit(cursor); cursor->at++) {
		unsigned digit = (unsigned)(*cursor->at - '0');

		value = value > max / 10 ? max + 1 : value * 10 + digit;
	}
	*number = value;
	return true;
}

bool parse_count(struct parser *parser, const struct word *word, unsigned least, uint32_t *count)
{
	struct cursor cursor = cursor_of(word);
	uint64_t number;

	if (word->is_quoted || !cursor_number(&cursor, UINT32_MAX - 1, &number) ||
	    cursor.at != cursor.end)
		return parse_wrong(parser, word, "%w is not a number",
		                   least ? "expected a number from 1 on" : "expected a number");
	if (number < least)
		return parse_wrong(parser, word, "the number is too small",
		                   "expected a number from 1 on");
	if (number >= UINT32_MAX)
		return parse_wrong(parser, word, "%w is too large", "expected at most 4294967294");
	*count = (uint32_t)number;
	return true;
}

enum decimal { DECIMAL_FINE, DECIMAL_NONE, DECIMAL_TOO_FINE, DECIMAL_TOO_LARGE };

/* Read digits with a decimal point at the cursor, times unit, up to max. */
static enum decimal read_decimal(struct cursor *cursor, uint64_t unit, uint64_t max,
                                 uint64_t *value)
{
	uint64_t number;
	uint64_t part = 0;

	if (!cursor_number(cursor, max / unit, &number))
		return DECIMAL_NONE;
	if (cursor_takes(cursor, ".")) {
		uint64_t scale = unit;

		if (!is_digit(cursor))
			return DECIMAL_NONE;
		for (; is_digit(cursor); cursor->at++) {
			unsigned digit = (unsigned)(*cursor->at - '0');

			if (digit && scale % 10)
				return DECIMAL_TOO_FINE;
			scale = scale % 10 ? scale : scale / 10;
			part += digit * scale;
		}
	}
	if (number > max / unit || part > max - number * unit)
		return DECIMAL_TOO_LARGE;
	*value = number * unit + part;
	return DECIMAL_FINE;
}

static const struct unit {
	const char name[4];
	uint64_t ns;
} units[] = {
        {"ns", 1},
        {"us", 1000},
        {"ms", 1000000},
        {"s", 1000000000},
        {"m", UINT64_C(60000000000)},
        {"h", UINT64_C(3600000000000)},
};

/* The unit that a word ends with, NULL: none; *number is what stands before it. */
static const struct unit *find_unit(const struct word *word, struct cursor *number)
{
	struct cursor cursor = cursor_of(word);

	while (is_digit(&cursor) || (cursor.at < cursor.end && *cursor.at == '.'))
		cursor.at++;
	*number = (struct cursor){word->text, cursor.at};
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		size_t len = strlen(units[i].name);

		if ((size_t)(cursor.end - cursor.at) == len &&
		    memcmp(cursor.at, units[i].name, len) == 0)
			return &units[i];
	}
	return NULL;
}

bool parse_duration(struct parser *parser, const struct word *word, uint64_t *ns)
{
	static const char like[] = "expected a number with a unit: ns, us, ms, s, m or h; "
	                           "such as 200ms or 1.5s";
	struct cursor number;
	const struct unit *unit = word->is_quoted ? NULL : find_unit(word, &number);

	if (!unit)
		return parse_wrong(parser, word, "%w is not a duration", like);
	switch (read_decimal(&number, unit->ns, INT64_MAX, ns)) {
	case DECIMAL_FINE:
		break;
	case DECIMAL_TOO_FINE:
		return parse_wrong(parser, word, "%w is finer than a nanosecond", NULL);
	case DECIMAL_TOO_LARGE:
		return parse_wrong(parser, word, "%w is too long", "expected at most 292 years");
	case DECIMAL_NONE:
		return parse_wrong(parser, word, "%w is not a duration", like);
	}
	return number.at == number.end || parse_wrong(parser, word, "%w is not a duration", like);
}

bool parse_share(struct parser *parser, const struct word *word, uint32_t *per_million)
{
	static const char like[] = "expected a share such as 5%, 0.5% or 0.005";
	bool is_percent = word->len > 0 && word->text[word->len - 1] == '%';
	struct cursor number = {word->text, word->text + word->len - is_percent};
	enum decimal read = DECIMAL_NONE;
	uint64_t value = 0;

	if (!word->is_quoted)
		read = read_decimal(&number, is_percent ? 10000 : 1000000, 1000000, &value);
	if (read == DECIMAL_TOO_FINE)
		return parse_wrong(parser, word, "%w is finer than one in a million", NULL);
	if (read == DECIMAL_TOO_LARGE)
		return parse_wrong(parser, word, "%w is more than always",
		                   is_percent ? "expected at most 100%"
		                              : "expected at most 1; percents have a %");
	if (read == DECIMAL_NONE || number.at != number.end)
		return parse_wrong(parser, word, "%w is no probability", like);
	*per_million = (uint32_t)value;
	return true;
}
