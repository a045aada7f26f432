/* SPDX-License-Identifier: MIT */
/* rules_clause.c - the clauses of a rule, and what has to fit together. */
#include <errno.h>
#include <string.h>

#include "core/rules_errors.h"
#include "core/rules_parser.h"

static bool parse_side(struct parser *parser, struct word *where, struct pattern *pattern,
                       const char *what)
{
	if (!parse_argument(parser, what, "expected one such as 10.0.0.0/8:80 or :1-1023"))
		return false;
	*where = *parser->word;
	return parse_endpoint(parser, where, pattern);
}

bool parse_local(struct parser *parser)
{
	return parse_side(parser, &parser->local, &parser->rule->local,
	                  "'local' needs an endpoint");
}

bool parse_remote(struct parser *parser)
{
	return parse_side(parser, &parser->remote, &parser->rule->remote,
	                  "'remote' needs an endpoint");
}

bool parse_in(struct parser *parser)
{
	if (!parse_argument(parser, "'in' needs the name of a process",
	                    "expected a name, or a path if it has a /; * and ? match any"))
		return false;
	if (parser->word->len == 0)
		return parse_wrong(parser, parser->word, "the name is empty", NULL);
	parser->rule->flags |= RULE_PROGRAM;
	parser->rule->program = parse_store(parser, parser->word);
	return true;
}

bool parse_to(struct parser *parser)
{
	bool is_move = parser->rule->action == ACTION_MOVE;

	if (!parse_argument(parser, "'to' needs an endpoint",
	                    "expected one such as 127.0.0.1:8080 or :8080"))
		return false;
	parser->target = *parser->word;
	if (is_move)
		return parse_target(parser, &parser->target);
	parser->remote = *parser->word;
	if (!parse_endpoint(parser, &parser->remote, &parser->rule->remote))
		return false;
	return !(parser->rule->remote.flags & PATTERN_PATH) ||
	       parse_wrong(parser, &parser->remote, "connections are of TCP or UDP, not unix",
	                   "expected one such as 10.0.0.5:5432");
}

bool parse_from(struct parser *parser)
{
	struct rule *rule = parser->rule;

	if (!parse_argument(parser, "'from' needs ports", "expected PORT, LOW-HIGH or auto"))
		return false;
	if (word_is(parser->word, "auto")) {
		rule->flags |= RULE_AUTO;
		return true;
	}
	if (parser->word->is_quoted)
		return parse_wrong(parser, parser->word, "%w is not a port",
		                   "expected PORT, LOW-HIGH or auto");
	return parse_ports(parser, parser->word, 1, &rule->low, &rule->high);
}

bool parse_tree(struct parser *parser)
{
	parser->rule->flags |= RULE_TREE;
	return true;
}

/* The errors of a memory limit are the two that lack of memory has. */
static bool check_memory_error(struct parser *parser)
{
	const struct rule *rule = parser->rule;

	return rule->limit != LIMIT_MEMORY || rule->flags & RULE_INSIST || rule->error == ENOMEM ||
	       rule->error == ENOBUFS ||
	       parse_wrong(parser, &parser->error, "lack of memory is not %w",
	                   "expected ENOBUFS or ENOMEM");
}

bool parse_error(struct parser *parser)
{
	struct rule *rule = parser->rule;

	if (word_is(parser->word, "error!"))
		rule->flags |= RULE_INSIST;
	if (!parse_argument(parser, "'error' needs the name of an error",
	                    "expected a name such as ECONNREFUSED"))
		return false;
	parser->error = *parser->word;
	rule->flags |= RULE_ERROR;
	rule->error = (uint16_t)rule_error_of(parser->word->text, parser->word->len);
	if (rule->error == 0 || parser->word->is_quoted)
		return parse_unknown_error(parser);
	if (rule->error > RULE_EAI && !(rule->calls & RULE_CALL(OP_RESOLVE)))
		return parse_wrong(parser, parser->word, "%w is a result of getaddrinfo alone",
		                   "expected the name of an errno");
	return check_memory_error(parser);
}

void check_error(struct parser *parser)
{
	const struct rule *rule = parser->rule;
	uint32_t calls = rule->calls;

	if (!(rule->flags & RULE_ERROR) || rule->flags & RULE_INSIST || calls == 0)
		return;
	for (unsigned call = 0; call < OP_KINDS; call++) {
		if (calls & RULE_CALL(call) && call_can_return((enum op_kind)call, rule->error))
			return;
	}
	parse_warn(parser, &parser->error,
	           rule->limit           ? "neither connect nor accept returns %e on Linux"
	           : calls & (calls - 1) ? "none of these calls returns %e on Linux"
	                                 : "%c never returns %e on Linux",
	           "'error! %e' insists");
}

void check_delay(struct parser *parser)
{
	const struct rule *rule = parser->rule;

	if (rule->delay_ns == 0 && rule->jitter_ns == 0)
		parse_warn(parser, &parser->delay, "this delay is none", NULL);
}

void check_target(struct parser *parser)
{
	const struct rule *rule = parser->rule;
	const struct pattern *pattern =
	        rule->calls == RULE_CALL(OP_BIND) ? &rule->local : &rule->remote;

	if (pattern->flags & PATTERN_ADDR && addr_is_v4(&pattern->ip) &&
	    rule->flags & RULE_TO_ADDR && !addr_is_v4(&rule->to.ip))
		parse_warn(parser, &parser->target,
		           "an IPv4 socket cannot reach %t: such calls are refused with "
		           "EAFNOSUPPORT",
		           NULL);
}
