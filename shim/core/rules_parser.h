/* SPDX-License-Identifier: MIT */
/* rules_parser.h - what the files of the rules parser share; nobody else includes it.
 *
 *	rules_parse.c     sources to a set: room, strings, order
 *	rules_rule.c      one rule: action, call, protocol, endpoint, then clauses
 *	rules_fit.c       do the parts of a rule fit together?
 *	rules_clause.c    clauses: in, to, from, error, by ...
 *	rules_turn.c      clauses that say when a fault has its turn
 *	rules_endpoint.c  endpoints, targets, ports
 *	rules_number.c    numbers, durations, probabilities
 *	rules_complain.c  what is wrong, as a problem
 *
 * Functions that parse return false when they have told a problem: the rest of the rule
 * is left out then. */
#ifndef CORE_RULES_PARSER_H
#define CORE_RULES_PARSER_H

#include "core/rules.h"
#include "core/rules_words.h"

enum { RECENT_TEXTS = 8 };

/* What may follow call, protocol and endpoint; bits by clause. */
#define CLAUSE_LIST(X)                                                                             \
	X(LOCAL, "local", parse_local)                                                             \
	X(REMOTE, "remote", parse_remote)                                                          \
	X(IN, "in", parse_in)                                                                      \
	X(TO, "to", parse_to)                                                                      \
	X(FROM, "from", parse_from)                                                                \
	X(TREE, "tree", parse_tree)                                                                \
	X(BY, "by", parse_by)                                                                      \
	X(JITTER, "jitter", parse_jitter)                                                          \
	X(ERROR, "error", parse_error)                                                             \
	X(WHEN, "when", parse_when)                                                                \
	X(PROBABILITY, "probability", parse_probability)                                           \
	X(AFTER, "after", parse_after)                                                             \
	X(FOR, "for", parse_for)                                                                   \
	X(WHILE, "while", parse_while)

/* clang-format off */
enum clause {
#define X(name, text, parse) CLAUSE_##name,
	CLAUSE_LIST(X)
#undef X
	CLAUSES
};
/* clang-format on */

#define CLAUSE_BIT(clause) (UINT32_C(1) << (clause))

/* Of parser->allowed: the places between call and clauses. */
enum { PLACE_PROTO = CLAUSE_BIT(CLAUSES), PLACE_ENDPOINT = CLAUSE_BIT(CLAUSES + 1) };

struct parser {
	struct rules *rules;
	struct rule *rule; /* that is being read, the next of the set */
	const struct rules_source *source;
	unsigned source_number;
	struct words words;
	struct word *word; /* of words */

	uint32_t allowed, given; /* clauses of the rule */
	struct word call;        /* or the kind of limit */
	struct word named;       /* the bare endpoint; bytes 0: none */
	struct word local, remote, error, target, delay;

	struct rule_text recent[RECENT_TEXTS]; /* strings stored last */
	unsigned recent_count;

	rules_report *report;
	void *context;
	unsigned errors;
};

/* Words that may stand in a place. */
struct choices {
	const char *list[CLAUSES + 8];
	unsigned count;
};

/* ---- rules_complain.c ---- */

/* Tell an error or a warning about a word. In the texts %w is that word in quotes, %a the
 * action, %c the call, %e the error, %t the target. expected may be NULL.
 * parse_wrong() returns false. */
bool parse_wrong(struct parser *parser, const struct word *word, const char *what,
                 const char *expected);
void parse_warn(struct parser *parser, const struct word *word, const char *what,
                const char *expected);

/* An error about the present word: it is none of the choices; says which there are
 * and which was perhaps meant. more: what else may stand here, or NULL. Returns false. */
bool parse_unknown(struct parser *parser, const char *what, const struct choices *choices,
                   const char *more);

/* An error about a name that should be that of an error. Returns false. */
bool parse_unknown_error(struct parser *parser);

void choices_add(struct choices *choices, const char *word);

/* ---- rules_parse.c ---- */

/* Read the next word. Returns false at the end of the rule and at a fault, which is told
 * and gives words.fault. */
bool parse_next(struct parser *parser);

/* The same where a word must follow: its lack is an error. */
bool parse_argument(struct parser *parser, const char *what, const char *expected);

/* Store what a word means. */
struct rule_text parse_store(struct parser *parser, const struct word *word);

/* ---- rules_rule.c ---- */

/* Read a rule into parser->rule. Returns false if there is none, or a wrong one. */
bool parse_rule(struct parser *parser);

/* ---- rules_clause.c, rules_turn.c ---- */

#define X(name, text, parse) bool parse(struct parser *parser);
CLAUSE_LIST(X)
#undef X

/* Warn of an error that the calls cannot return, of a delay that is none, and of a target
 * that some sockets cannot reach. */
void check_error(struct parser *parser);
void check_delay(struct parser *parser);
void check_target(struct parser *parser);

/* ---- rules_fit.c ---- */

/* The calls that have a local endpoint, and a remote one. */
enum {
	CALLS_REMOTE = RULE_CALL(OP_CONNECT) | RULE_CALL(OP_ACCEPT) | RULE_CALL(OP_SEND) |
	               RULE_CALL(OP_RECV),
	CALLS_LOCAL = RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) | CALLS_REMOTE,
};

/* Put the bare endpoint to its side, narrow calls and protocols to those that can match. */
bool fit_rule(struct parser *parser);

/* ---- rules_endpoint.c ---- */

/* Does a word look like an endpoint, right or wrong? */
bool is_like_endpoint(const struct word *word);

bool parse_endpoint(struct parser *parser, const struct word *word, struct pattern *pattern);
bool parse_target(struct parser *parser, const struct word *word);

/* PORT or LOW-HIGH, from least on. */
bool parse_ports(struct parser *parser, const struct word *word, unsigned least, uint16_t *low,
                 uint16_t *high);

/* ---- rules_number.c ---- */

/* What is left of a word. */
struct cursor {
	const char *at, *end;
};

struct cursor cursor_of(const struct word *word);
bool cursor_takes(struct cursor *cursor, const char *text);

/* Digits at the cursor, as a number; one beyond max is some number beyond it. Returns
 * false without a digit. */
bool cursor_number(struct cursor *cursor, uint64_t max, uint64_t *number);

/* A count of at most UINT32_MAX - 1. */
bool parse_count(struct parser *parser, const struct word *word, unsigned least, uint32_t *count);
bool parse_duration(struct parser *parser, const struct word *word, uint64_t *ns);
bool parse_share(struct parser *parser, const struct word *word, uint32_t *per_million);

#endif
