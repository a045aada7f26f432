/* SPDX-License-Identifier: MIT */
/* rules_rule.c - one rule, word by word: action, call, protocol, endpoint, clauses. */
#include <errno.h>
#include <string.h>

#include "core/names.h"
#include "core/rules_parser.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
	const char *name;
	bool (*parse)(struct parser *parser);
} clauses[CLAUSES] = {
#define X(name, text, parse) [CLAUSE_##name] = {text, parse},
        CLAUSE_LIST(X)
#undef X
};

#define C(name)    CLAUSE_BIT(CLAUSE_##name)
#define CALL(name) RULE_CALL(OP_##name)

enum {
	ENDS = C(LOCAL) | C(REMOTE) | C(IN) | PLACE_PROTO | PLACE_ENDPOINT,
	TURNS = C(WHEN) | C(PROBABILITY) | C(AFTER) | C(FOR) | C(WHILE),
	CALLS_POLICY = CALL(SOCKET) | CALL(BIND) | CALL(LISTEN) | CALL(CONNECT) | CALL(ACCEPT) |
	               CALL(SEND),
	CALLS_MOVE = CALL(BIND) | CALL(CONNECT) | CALL(SEND),
	CALLS_ASSIGN = CALLS_MOVE | CALL(LISTEN),
	CALLS_FAULT = CALLS_POLICY | CALL(RECV) | CALL(CLOSE) | CALL(RESOLVE),
};

/* What an action's rules are made of. */
static const struct grammar {
	uint32_t calls, clauses, needs;
	const char *lack, *expected; /* said when what it needs is missing */
} grammars[ACTIONS] = {
        [ACTION_ALLOW] = {CALLS_POLICY, ENDS, 0, NULL, NULL},
        [ACTION_DENY] = {CALLS_POLICY, ENDS | C(ERROR), 0, NULL, NULL},
        [ACTION_MOVE] = {CALLS_MOVE, ENDS | C(TO), C(TO), "this move does not say where to",
                         "expected 'to' and an endpoint, such as to 127.0.0.1:8080"},
        [ACTION_ASSIGN] = {CALLS_ASSIGN, ENDS | C(FROM), C(FROM),
                           "this assign does not say which ports",
                           "expected 'from' and ports, such as from 20000-20999"},
        [ACTION_FAIL] = {CALLS_FAULT, ENDS | C(ERROR) | TURNS, C(ERROR),
                         "this fail does not say with which error",
                         "expected 'error' and a name, such as error ECONNREFUSED"},
        [ACTION_DELAY] = {CALLS_FAULT, ENDS | C(BY) | C(JITTER) | TURNS, C(BY),
                          "this delay does not say how long",
                          "expected 'by' and a duration, such as by 200ms"},
};

static const struct {
	const char *name;
	uint32_t calls; /* that it could touch */
	uint32_t clauses;
	uint16_t error; /* by default; ports and backlog: as the call has it */
} limits[] = {
        [LIMIT_NONE] = {"?", 0, 0, 0},
        [LIMIT_FDS] = {"fds", 0, C(IN), EMFILE},
        [LIMIT_SOCKETS] = {"sockets", CALL(SOCKET) | CALL(ACCEPT), C(IN) | C(TREE), EMFILE},
        [LIMIT_PORTS] = {"ports",
                         CALL(SOCKET) | CALL(BIND) | CALL(LISTEN) | CALL(CONNECT) | CALL(SEND),
                         C(IN), 0},
        [LIMIT_CONNECTIONS] = {"connections", CALL(CONNECT) | CALL(ACCEPT),
                               C(IN) | C(TO) | C(ERROR), EADDRNOTAVAIL},
        [LIMIT_BACKLOG] = {"backlog", CALL(LISTEN), C(IN), 0},
        [LIMIT_MEMORY] = {"memory", CALL(SOCKET) | CALL(CONNECT) | CALL(ACCEPT) | CALL(SEND),
                          C(IN) | C(ERROR) | C(WHEN), ENOBUFS},
};

static const char *const actions[] = {
#define X(name, text) [ACTION_##name] = text,
        ACTION_LIST(X)
#undef X
};

static const struct {
	const char *name;
	uint8_t bits;
} protos[] = {{"tcp", RULE_TCP}, {"udp", RULE_UDP}, {"unix", RULE_UNIX}, {"any", RULE_ANY_PROTO}};

const char *name_action(enum action action)
{
	return (unsigned)action < COUNT(actions) ? actions[action] : "?";
}

const char *name_limit(enum limit_kind limit)
{
	return (unsigned)limit < COUNT(limits) ? limits[limit].name : "?";
}

static bool parse_action(struct parser *parser)
{
	struct choices choices = {.count = 0};

	for (unsigned i = 0; i < ACTIONS; i++) {
		choices_add(&choices, actions[i]);
		if (word_is(parser->word, actions[i])) {
			parser->rule->action = (uint8_t)i;
			return true;
		}
	}
	return parse_unknown(parser, "unknown action %w", &choices, NULL);
}

/* The calls that an action can have, in the order in which a socket sees them. */
static const enum op_kind call_order[] = {OP_SOCKET, OP_BIND, OP_LISTEN, OP_CONNECT, OP_ACCEPT,
                                          OP_SEND,   OP_RECV, OP_CLOSE,  OP_RESOLVE};

static bool parse_call(struct parser *parser, uint32_t calls)
{
	struct choices choices = {.count = 0};
	struct rule *rule = parser->rule;

	bool is_there = parse_next(parser);

	if (parser->words.fault != WORD_FINE)
		return false;
	parser->call = *parser->word;
	for (unsigned i = 0; i < COUNT(call_order); i++) {
		const char *name = name_op(call_order[i]);

		if (!(calls & RULE_CALL(call_order[i])))
			continue;
		choices_add(&choices, name);
		if (word_is(parser->word, name))
			rule->calls = RULE_CALL(call_order[i]);
	}
	if (word_is(parser->word, "any"))
		rule->calls = calls;
	choices_add(&choices, "any");
	if (rule->calls)
		return true;
	if (!is_there)
		return parse_unknown(parser, "%a needs a call", &choices, NULL);
	if (name_to_op(parser->word->text, parser->word->len) != OP_NONE)
		return parse_unknown(parser, "%a has no rules for %w", &choices, NULL);
	return parse_unknown(parser, "unknown call %w", &choices, NULL);
}

/* Read the protocol. Returns false if it is one that cannot be here. */
static bool parse_proto(struct parser *parser)
{
	struct rule *rule = parser->rule;

	for (unsigned i = 0; i < COUNT(protos); i++) {
		if (word_is(parser->word, protos[i].name))
			rule->protos = protos[i].bits;
	}
	if (rule->protos == RULE_ANY_PROTO)
		return true;
	if (rule->calls == CALL(RESOLVE))
		return parse_wrong(parser, parser->word, "getaddrinfo has no protocol", NULL);
	if (rule->protos == RULE_UNIX &&
	    (rule->action == ACTION_MOVE || rule->action == ACTION_ASSIGN))
		return parse_wrong(parser, parser->word, "unix sockets have no port to %a",
		                   "expected tcp, udp or any");
	return true;
}

static bool is_proto(const struct word *word)
{
	for (unsigned i = 0; i < COUNT(protos); i++) {
		if (word_is(word, protos[i].name))
			return true;
	}
	return false;
}

/* A word that is no clause of the rule. */
static bool unknown_clause(struct parser *parser, bool is_clause)
{
	struct choices choices = {.count = 0};
	uint32_t open = parser->allowed & ~parser->given;

	if (is_proto(parser->word) && parser->rule->action != ACTION_LIMIT)
		return parse_wrong(parser, parser->word, "the protocol %w is at a wrong place",
		                   "expected it, once, right behind the call");
	for (unsigned i = 0; open & PLACE_PROTO && i < COUNT(protos); i++)
		choices_add(&choices, protos[i].name);
	for (unsigned i = 0; i < CLAUSES; i++) {
		if (open & CLAUSE_BIT(i))
			choices_add(&choices, clauses[i].name);
	}
	return parse_unknown(parser,
	                     is_clause ? "%w does not go with %a %c" : "%w makes no sense here",
	                     &choices, open & PLACE_ENDPOINT ? "an endpoint" : NULL);
}

/* A word that looks like an endpoint where none may stand. */
static bool wrong_endpoint(struct parser *parser)
{
	if (!(parser->allowed & (C(LOCAL) | C(REMOTE))))
		return parse_wrong(parser, parser->word, "%a %c has no endpoint", NULL);
	return parse_wrong(parser, parser->word, "the endpoint %w is at a wrong place",
	                   "expected it, once, right behind call and protocol; "
	                   "others follow 'local' or 'remote'");
}

static bool parse_clause(struct parser *parser)
{
	unsigned i = 0;

	while (i < CLAUSES && !word_is(parser->word, clauses[i].name))
		i++;
	if (word_is(parser->word, "error!"))
		i = CLAUSE_ERROR;
	if (i == CLAUSES && parser->rule->action != ACTION_LIMIT && is_like_endpoint(parser->word))
		return wrong_endpoint(parser);
	if (i == CLAUSES || !(parser->allowed & CLAUSE_BIT(i)))
		return unknown_clause(parser, i < CLAUSES);
	if (parser->given & CLAUSE_BIT(i))
		return parse_wrong(parser, parser->word, "%w is given twice", NULL);
	parser->given |= CLAUSE_BIT(i);
	parser->allowed &= ~(uint32_t)(PLACE_PROTO | PLACE_ENDPOINT);
	return clauses[i].parse(parser);
}

/* Clauses to the end of the rule, from the present word on, if there is one. */
static bool parse_clauses(struct parser *parser, bool more)
{
	for (; more; more = parse_next(parser)) {
		if (!parse_clause(parser))
			return false;
	}
	return parser->words.fault == WORD_FINE;
}

/* Protocol, endpoint and clauses, each if it is there. */
static bool parse_rest(struct parser *parser)
{
	bool more = parse_next(parser);

	if (more && is_proto(parser->word)) {
		if (!parse_proto(parser))
			return false;
		parser->allowed &= ~(uint32_t)PLACE_PROTO;
		more = parse_next(parser);
	}
	if (more && parser->allowed & PLACE_ENDPOINT && is_like_endpoint(parser->word)) {
		parser->named = *parser->word;
		parser->allowed &= ~(uint32_t)(PLACE_PROTO | PLACE_ENDPOINT);
		more = parse_next(parser);
	}
	return parse_clauses(parser, more);
}

static bool parse_call_rule(struct parser *parser)
{
	struct rule *rule = parser->rule;
	const struct grammar *grammar = &grammars[rule->action];

	if (!parse_call(parser, grammar->calls))
		return false;
	parser->allowed = grammar->clauses;
	if (!(rule->calls & CALLS_LOCAL))
		parser->allowed &= ~(uint32_t)(C(LOCAL) | PLACE_ENDPOINT);
	if (!(rule->calls & CALLS_REMOTE))
		parser->allowed &= ~(uint32_t)C(REMOTE);
	if (rule->calls == CALL(RESOLVE))
		parser->allowed &= ~(uint32_t)PLACE_PROTO;
	if (rule->action == ACTION_DENY)
		rule->error = EACCES;
	if (!parse_rest(parser))
		return false;
	if (grammar->needs & ~parser->given)
		return parse_wrong(parser, parser->word, grammar->lack, grammar->expected);
	return true;
}

/* A number of ports or a range of them. */
static bool parse_limit_ports(struct parser *parser)
{
	struct rule *rule = parser->rule;

	if (!memchr(parser->word->text, '-', parser->word->len)) {
		if (!parse_count(parser, parser->word, 1, &rule->amount))
			return false;
		return rule->amount <= UINT16_MAX ||
		       parse_wrong(parser, parser->word, "there are not so many ports",
		                   "expected at most 65535");
	}
	if (parser->word->is_quoted)
		return parse_wrong(parser, parser->word, "%w is not a number", NULL);
	rule->flags |= RULE_RANGE;
	if (!parse_ports(parser, parser->word, 1, &rule->low, &rule->high))
		return false;
	rule->amount = rule->high - rule->low + 1U;
	return true;
}

static bool parse_amount(struct parser *parser)
{
	bool is_ports = parser->rule->limit == LIMIT_PORTS;

	if (!parse_argument(parser, "the limit needs a number",
	                    is_ports ? "expected one such as 16 or 40000-40015"
	                             : "expected one such as 64"))
		return false;
	if (is_ports)
		return parse_limit_ports(parser);
	return parse_count(parser, parser->word, 0, &parser->rule->amount);
}

static bool parse_limit_kind(struct parser *parser)
{
	struct choices choices = {.count = 0};
	bool is_there = parse_next(parser);

	if (parser->words.fault != WORD_FINE)
		return false;
	parser->call = *parser->word;
	for (unsigned i = LIMIT_NONE + 1; i < COUNT(limits); i++) {
		choices_add(&choices, limits[i].name);
		if (word_is(parser->word, limits[i].name)) {
			parser->rule->limit = (uint8_t)i;
			return true;
		}
	}
	return parse_unknown(parser, is_there ? "nothing named %w can be limited" : "limit what?",
	                     &choices, NULL);
}

static bool parse_limit(struct parser *parser)
{
	struct rule *rule = parser->rule;

	if (!parse_limit_kind(parser))
		return false;
	rule->calls = limits[rule->limit].calls;
	parser->allowed = limits[rule->limit].clauses;
	rule->error = limits[rule->limit].error;
	if (rule->limit != LIMIT_MEMORY && !parse_amount(parser))
		return false;
	if (!parse_clauses(parser, parse_next(parser)))
		return false;
	if (rule->flags & RULE_TREE)
		rule->error = ENFILE;
	return true;
}

bool parse_rule(struct parser *parser)
{
	static const struct word none;
	struct rule *rule = parser->rule;
	bool is_read;

	if (!parse_next(parser))
		return false;
	parser->given = 0;
	parser->named = parser->call = none;
	rule->protos = RULE_ANY_PROTO;
	if (!parse_action(parser))
		return false;
	is_read = rule->action == ACTION_LIMIT ? parse_limit(parser) : parse_call_rule(parser);
	if (!is_read || !fit_rule(parser))
		return false;
	check_error(parser);
	if (rule->action == ACTION_DELAY)
		check_delay(parser);
	if (rule->action == ACTION_MOVE)
		check_target(parser);
	return true;
}
