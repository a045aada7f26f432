/* SPDX-License-Identifier: MIT */
/* rules_turn.c - the clauses that say when a fault has its turn. */
#include "core/rules_parser.h"

/* A number of `when`, from 1 on. */
static bool read_turn(struct cursor *cursor, uint32_t *turn)
{
	uint64_t number;

	if (!cursor_number(cursor, UINT32_MAX - 1, &number) || number < 1 || number >= UINT32_MAX)
		return false;
	*turn = (uint32_t)number;
	return true;
}

/* N, N+, N+STEP, A..B or A..B+STEP: strace's first..last+step. */
static bool read_turns(struct cursor cursor, struct rule *rule)
{
	if (!read_turn(&cursor, &rule->first))
		return false;
	rule->last = rule->first;
	rule->step = 1;
	if (cursor_takes(&cursor, "..")) {
		if (!read_turn(&cursor, &rule->last))
			return false;
	} else if (cursor_takes(&cursor, "+")) {
		rule->last = UINT32_MAX;
		return cursor.at == cursor.end ||
		       (read_turn(&cursor, &rule->step) && cursor.at == cursor.end);
	}
	if (cursor_takes(&cursor, "+") && !read_turn(&cursor, &rule->step))
		return false;
	return cursor.at == cursor.end;
}

bool parse_when(struct parser *parser)
{
	static const char like[] = "expected N, N+, FIRST..LAST, N+STEP or FIRST..LAST+STEP, "
	                           "counted from 1";
	struct rule *rule = parser->rule;

	rule->flags |= RULE_WHEN;
	if (!parse_argument(parser, "'when' needs a turn", like))
		return false;
	if (parser->word->is_quoted || !read_turns(cursor_of(parser->word), rule))
		return parse_wrong(parser, parser->word, "%w is not a turn", like);
	if (rule->last < rule->first)
		return parse_wrong(parser, parser->word, "the turns %w run backwards",
		                   "expected the first one first");
	if (rule->last == rule->first)
		rule->step = 1;
	return true;
}

bool parse_probability(struct parser *parser)
{
	parser->rule->flags |= RULE_PROBABILITY;
	if (!parse_argument(parser, "'probability' needs a share", "expected one such as 5%") ||
	    !parse_share(parser, parser->word, &parser->rule->probability))
		return false;
	if (parser->rule->probability == 0)
		parse_warn(parser, parser->word, "with probability %w it never happens", NULL);
	return true;
}

static bool parse_time(struct parser *parser, const char *what, uint64_t *ns)
{
	return parse_argument(parser, what, "expected a duration such as 200ms or 1.5s") &&
	       parse_duration(parser, parser->word, ns);
}

bool parse_after(struct parser *parser)
{
	parser->rule->flags |= RULE_AFTER;
	return parse_time(parser, "'after' needs a duration", &parser->rule->after_ns);
}

bool parse_for(struct parser *parser)
{
	parser->rule->flags |= RULE_FOR;
	if (!parse_time(parser, "'for' needs a duration", &parser->rule->for_ns))
		return false;
	if (parser->rule->for_ns == 0)
		parse_warn(parser, parser->word, "for %w it never happens", NULL);
	return true;
}

bool parse_by(struct parser *parser)
{
	if (!parse_time(parser, "'by' needs a duration", &parser->rule->delay_ns))
		return false;
	parser->delay = *parser->word;
	return true;
}

bool parse_jitter(struct parser *parser)
{
	parser->rule->flags |= RULE_JITTER;
	return parse_time(parser, "'jitter' needs a duration", &parser->rule->jitter_ns);
}

bool parse_while(struct parser *parser)
{
	parser->rule->flags |= RULE_WHILE;
	return parse_argument(parser, "'while' needs a number of sockets",
	                      "expected a number such as 50") &&
	       parse_count(parser, parser->word, 1, &parser->rule->amount);
}
