/* SPDX-License-Identifier: MIT */
/* rules_parse.c - sources of text to a set of rules, in one piece of memory.
 *
 * How many rules there will be is known only at the end: their strings are put behind
 * the room of the most that there could be, and moved up to the rules then. */
#include <string.h>

#include "core/rules_parser.h"

/* "deny any" and what ends it. */
enum { SHORTEST_RULE = 9 };

/* No more rules than these can be in a text. */
static size_t count_rules(const struct rules_source *source)
{
	size_t most = (source->len + 1) / SHORTEST_RULE, count = 1;

	for (size_t i = 0; i < source->len && count < most; i++)
		count += source->text[i] == '\n' || source->text[i] == ';';
	return count < most ? count : most;
}

static size_t count_all(const struct rules_source *sources, unsigned n)
{
	size_t count = 0;

	for (unsigned i = 0; i < n && count < RULES_MAX; i++)
		count += count_rules(&sources[i]);
	return count < RULES_MAX ? count : RULES_MAX;
}

/* Where the strings stand in a set of so many rules. One rule more has room: that which
 * is being read when the set is full. */
static size_t texts_place(size_t count)
{
	return sizeof(struct rules) + (count + 1) * sizeof(struct rule);
}

size_t rules_room(const struct rules_source *sources, unsigned n)
{
	size_t count = count_all(sources, n);
	size_t room = texts_place(count) + rules_index_room(count);

	for (unsigned i = 0; i < n; i++)
		room += strlen(sources[i].name) + sources[i].len;
	return (room + 63) / 64 * 64;
}

static void tell_fault(struct parser *parser)
{
	static const struct {
		const char *what, *expected;
	} faults[] = {
	        [WORD_FINE] = {"nothing", NULL},
	        [WORD_NUL] = {"a NUL byte: this is not text", NULL},
	        [WORD_NOT_UTF8] = {"a byte that is not UTF-8: this is not text", NULL},
	        [WORD_CONTROL] = {"a control character in a word", NULL},
	        [WORD_OPEN] = {"the quote is not closed", "expected another \" on this line"},
	        [WORD_INSIDE] = {"a quote inside a word", "expected the whole word in quotes"},
	        [WORD_ESCAPE] = {"in quotes a backslash stands before \" or \\ only", NULL},
	        [WORD_GLUED] = {"a word ends with its closing quote", "expected a blank"},
	};

	parse_wrong(parser, parser->word, faults[parser->words.fault].what,
	            faults[parser->words.fault].expected);
}

bool parse_next(struct parser *parser)
{
	if (words_next(&parser->words))
		return true;
	if (parser->words.fault != WORD_FINE)
		tell_fault(parser);
	return false;
}

bool parse_argument(struct parser *parser, const char *what, const char *expected)
{
	return parse_next(parser) || (parser->words.fault == WORD_FINE &&
	                              parse_wrong(parser, parser->word, what, expected));
}

static char *text_at(const struct parser *parser, uint32_t at)
{
	return (char *)parser->rules + parser->rules->texts_at + at;
}

/* The string that stands at the end of the strings, or the same among those stored
 * last: many rules in a row name one program. */
static struct rule_text keep_text(struct parser *parser, uint32_t len)
{
	struct rules *rules = parser->rules;
	struct rule_text text = {rules->texts_bytes, len};
	unsigned count = parser->recent_count < RECENT_TEXTS ? parser->recent_count : RECENT_TEXTS;

	for (unsigned i = 0; i < count; i++) {
		struct rule_text other = parser->recent[i];

		if (other.len != len ||
		    memcmp(text_at(parser, other.at), text_at(parser, text.at), len) != 0)
			continue;
		memset(text_at(parser, text.at), 0, len); /* what is not used stays zero */
		return other;
	}
	parser->recent[parser->recent_count++ % RECENT_TEXTS] = text;
	rules->texts_bytes += len;
	return text;
}

struct rule_text parse_store(struct parser *parser, const struct word *word)
{
	char *out = text_at(parser, parser->rules->texts_bytes);

	return keep_text(parser, (uint32_t)word_value(out, word));
}

/* Read the rules of a source. Returns false when there are too many. */
static bool parse_source(struct parser *parser)
{
	struct rules *rules = parser->rules;

	parser->words = words_of(parser->source->text, parser->source->len);
	parser->word = &parser->words.word;
	do {
		struct rule *rule = parser->rule = &rules->rule[rules->count];
		bool is_whole = parse_rule(parser);

		rule->source = (uint16_t)parser->source_number;
		rule->line = parser->words.line;
		if (is_whole && rules->count == RULES_MAX) {
			parse_wrong(parser, &parser->call, "more rules than a set can have",
			            "expected at most 65535");
			return false;
		}
		if (is_whole)
			rules->count++;
		else
			memset(rule, 0, sizeof(*rule));
	} while (words_next_rule(&parser->words));
	return true;
}

/* Put the strings behind the rules that there are. */
static void move_texts(struct rules *rules)
{
	size_t from = rules->texts_at;
	size_t to = sizeof(*rules) + rules->count * sizeof(struct rule);
	char *bytes = (char *)rules;
	size_t end = to + rules->texts_bytes;

	memmove(bytes + to, bytes + from, rules->texts_bytes);
	memset(bytes + (end > from ? end : from), 0,
	       from + rules->texts_bytes - (end > from ? end : from));
	rules->texts_at = (uint32_t)to;
}

/* Of the rule as it is printed, into room that is zeroed and stays so. */
static uint64_t hash_words(const struct rules *rules, const struct rule *rule, char *room,
                           size_t size)
{
	size_t len = rule_print(room, size, rules, rule);
	uint64_t hash = 0xcbf29ce484222325;

	len = len < size ? len : size;
	for (size_t at = 0; at < len; at++)
		hash = (hash ^ (uint8_t)room[at]) * 0x100000001b3; /* FNV-1a */
	memset(room, 0, len);
	return hash;
}

/* What a fault draws depends on its own words, not on the rules around it. Equal ones (as far
 * as they stand near each other) are told apart by which of them it is. */
static void give_salts(struct rules *rules, size_t size)
{
	enum { NEAR = 1024 };
	size_t used = (size_t)rules->texts_at + rules->texts_bytes;

	for (uint32_t i = 0; i < rules->count; i++) {
		struct rule *rule = &rules->rule[i];

		if (!rule_is_fault(rule))
			continue;
		rule->salt = hash_words(rules, rule, (char *)rules + used, size - used);
		for (uint32_t j = i; j-- > 0 && i - j <= NEAR;) {
			if (rules->rule[j].salt - rule->salt > RULES_MAX)
				continue;
			rule->salt = rules->rule[j].salt + 1;
			break;
		}
	}
}

/* A problem of a source as a whole. */
static unsigned refuse(const struct rules_source *source, const char *what, rules_report *report,
                       void *context)
{
	struct rules_problem problem = {.source = source, .line = 1, .column = 1, .what = what};

	report(context, &problem);
	return 1;
}

static void store_name(struct parser *parser, const char *name)
{
	struct rules *rules = parser->rules;
	size_t len = strlen(name);

	memcpy(text_at(parser, rules->texts_bytes), name, len);
	rules->source[rules->sources++] = keep_text(parser, (uint32_t)len);
}

unsigned rules_compile(struct rules *rules, size_t size, const struct rules_source *sources,
                       unsigned n, rules_report *report, void *context)
{
	struct parser parser = {.rules = rules, .report = report, .context = context};
	size_t room = rules_room(sources, n);

	if (n > RULES_SOURCES_MAX)
		return refuse(&sources[RULES_SOURCES_MAX], "more sources than a set can have",
		              report, context);
	if (room > size || room > UINT32_MAX)
		return refuse(&sources[0], "the rules are larger than their room", report, context);
	rules->texts_at = (uint32_t)texts_place(count_all(sources, n));
	for (unsigned i = 0; i < n; i++) {
		store_name(&parser, sources[i].name);
		parser.source = &sources[i];
		parser.source_number = i;
		if (!parse_source(&parser))
			break;
	}
	if (parser.errors > 0)
		return parser.errors;
	move_texts(rules);
	give_salts(rules, size);
	memcpy(rules->magic, RULES_MAGIC, sizeof(rules->magic));
	return rules_index(rules, size)
	               ? 0
	               : refuse(&sources[0], "the rules have no room", report, context);
}
