/* SPDX-License-Identifier: MIT */
/* rules_complain.c - what is wrong in a rule, told as a problem.
 * Messages are templates, filled with words of the rule; long words are cut. */
#include <string.h>

#include "core/names.h"
#include "core/rules_errors.h"
#include "core/rules_parser.h"
#include "core/text.h"

enum { WHAT_MAX = 224, EXPECTED_MAX = 320, WORD_SHOWN = 40, NEAR_MAX = 24 };

void choices_add(struct choices *choices, const char *word)
{
	choices->list[choices->count++] = word;
}

/* The bytes of a word, cut between two characters when it is long. */
static void put_word(struct text *text, const struct word *word)
{
	size_t len = word->len;

	if (len > WORD_SHOWN) {
		for (len = WORD_SHOWN; len > 0 && (word->text[len] & 0xc0) == 0x80;)
			len--;
	}
	text_bytes(text, word->text, len);
	if (len < word->len)
		text_put(text, "...");
}

/* What %w and the others stand for; other signs of percent are only that. */
static bool put_field(struct text *text, const struct parser *parser, const struct word *word,
                      char field)
{
	switch (field) {
	case 'a':
		text_put(text, name_action(parser->rule->action));
		return true;
	case 'c':
		put_word(text, &parser->call);
		return true;
	case 'e':
		put_word(text, &parser->error);
		return true;
	case 't':
		put_word(text, &parser->target);
		return true;
	case 'w':
		text_char(text, '\'');
		put_word(text, word);
		text_char(text, '\'');
		return true;
	default:
		return false;
	}
}

static void put_template(struct text *text, const struct parser *parser, const struct word *word,
                         const char *template)
{
	for (; *template; template ++) {
		if (*template == '%' && put_field(text, parser, word, template[1]))
			template ++;
		else
			text_char(text, *template);
	}
}

static void tell(struct parser *parser, const struct word *word, bool is_warning, const char *what,
                 const char *expected, const char *instead)
{
	char buf[WHAT_MAX];
	struct text text = text_on(buf, sizeof(buf));
	struct rules_problem problem = {
	        .source = parser->source,
	        .line = parser->words.line,
	        .column = words_column(&parser->words, word->at),
	        .at = word->at,
	        .len = word->bytes,
	        .is_warning = is_warning,
	        .what = buf,
	        .expected = expected,
	        .instead = instead,
	};

	put_template(&text, parser, word, what);
	parser->errors += !is_warning;
	parser->report(parser->context, &problem);
}

static void tell_expected(struct parser *parser, const struct word *word, bool is_warning,
                          const char *what, const char *expected)
{
	char buf[EXPECTED_MAX];
	struct text text = text_on(buf, sizeof(buf));

	if (expected)
		put_template(&text, parser, word, expected);
	tell(parser, word, is_warning, what, expected ? buf : NULL, NULL);
}

bool parse_wrong(struct parser *parser, const struct word *word, const char *what,
                 const char *expected)
{
	tell_expected(parser, word, false, what, expected);
	return false;
}

void parse_warn(struct parser *parser, const struct word *word, const char *what,
                const char *expected)
{
	tell_expected(parser, word, true, what, expected);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* How many letters are to be put in, left out, changed, or swapped with the next one to
 * make a word of another. Case does not count. */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned char rows[3][NEAR_MAX + 1];

	for (size_t k = 0; k <= b_len; k++)
		rows[0][k] = (unsigned char)k;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned char *row = rows[i % 3], *above = rows[(i + 2) % 3];

		row[0] = (unsigned char)i;
		for (size_t k = 1; k <= b_len; k++) {
			bool same = lower(a[i - 1]) == lower(b[k - 1]);
			unsigned n = least(least(row[k - 1], above[k]) + 1U, above[k - 1] + !same);

			if (i > 1 && k > 1 && lower(a[i - 1]) == lower(b[k - 2]) &&
			    lower(a[i - 2]) == lower(b[k - 1]))
				n = least(n, rows[(i + 1) % 3][k - 2] + 1U);
			row[k] = (unsigned char)n;
		}
	}
	return rows[a_len % 3][b_len];
}

/* What was perhaps meant: the nearest candidate up to now, and how near it must be. */
struct near {
	const struct word *word;
	const char *best;
	unsigned within;
};

static struct near near_to(const struct word *word)
{
	return (struct near){.word = word, .within = word->len < 2 ? 0 : word->len < 4 ? 1 : 2};
}

static void near_try(struct near *near, const char *candidate)
{
	size_t len = strlen(candidate);
	unsigned n;

	if (near->word->len > NEAR_MAX || len > NEAR_MAX)
		return;
	n = distance(near->word->text, near->word->len, candidate, len);
	if (n > near->within || (near->best && n == near->within) || n >= len)
		return;
	near->best = candidate;
	near->within = n;
}

/* "expected a, b or c" */
static void put_choices(struct text *text, const struct choices *choices, const char *more)
{
	unsigned count = choices->count + (more != NULL);

	text_put(text, "expected ");
	for (unsigned i = 0; i < count; i++) {
		if (i > 0)
			text_put(text, i + 1 == count ? " or " : ", ");
		text_put(text, i < choices->count ? choices->list[i] : more);
	}
	if (count == 0)
		text_put(text, "the end of the rule");
}

bool parse_unknown(struct parser *parser, const char *what, const struct choices *choices,
                   const char *more)
{
	char expected[EXPECTED_MAX];
	struct text text = text_on(expected, sizeof(expected));
	struct near near = near_to(parser->word);

	for (unsigned i = 0; i < choices->count; i++)
		near_try(&near, choices->list[i]);
	put_choices(&text, choices, more);
	tell(parser, parser->word, false, what, expected, near.best);
	return false;
}

bool parse_unknown_error(struct parser *parser)
{
	enum { ERRNO_LAST = 133 };
	struct near near = near_to(parser->word);

	for (int error = 1; error <= ERRNO_LAST; error++) {
		if (name_errno(error))
			near_try(&near, name_errno(error));
	}
	for (int i = 1; word_is(&parser->call, "getaddrinfo") && i <= 11; i++)
		near_try(&near, rule_error_name(RULE_EAI + i));
	tell(parser, parser->word, false, "unknown error %w",
	     word_is(&parser->call, "getaddrinfo")
	             ? "expected a name such as EAI_AGAIN or EAI_NONAME"
	             : "expected the name of an errno, such as ECONNREFUSED or EMFILE",
	     near.best);
	return false;
}
