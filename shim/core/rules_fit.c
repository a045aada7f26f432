/* SPDX-License-Identifier: MIT */
/* rules_fit.c - do call, protocol and endpoints of a rule fit together?
 * `any` is narrowed to what can match, so that the index does not hold what cannot. */
#include "core/rules_parser.h"

enum { RULE_IP = RULE_TCP | RULE_UDP | RULE_OTHER };

static bool is_single(uint32_t bits)
{
	return (bits & (bits - 1)) == 0;
}

/* The endpoint of a call is its local one for bind and listen. `any` keeps it in
 * remote, and the flag says that it is of the side which the call names. */
static bool fit_named(struct parser *parser)
{
	struct rule *rule = parser->rule;
	bool is_local = is_single(rule->calls) && !(rule->calls & CALLS_REMOTE);

	if (parser->named.bytes == 0)
		return true;
	if (parser->given & CLAUSE_BIT(is_local ? CLAUSE_LOCAL : CLAUSE_REMOTE))
		return parse_wrong(parser, is_local ? &parser->local : &parser->remote,
		                   is_single(rule->calls)
		                           ? "%w is a second endpoint of the same side"
		                           : "'remote' and the endpoint that 'any' names are one",
		                   NULL);
	if (!parse_endpoint(parser, &parser->named, is_local ? &rule->local : &rule->remote))
		return false;
	if (is_local)
		parser->local = parser->named;
	else
		parser->remote = parser->named;
	if (!is_single(rule->calls) && rule->remote.flags)
		rule->flags |= RULE_NAMED;
	return true;
}

static bool wrong_path(struct parser *parser)
{
	const struct word *word =
	        parser->rule->local.flags & PATTERN_PATH ? &parser->local : &parser->remote;

	if (parser->rule->action == ACTION_MOVE || parser->rule->action == ACTION_ASSIGN)
		return parse_wrong(parser, word, "unix sockets have no port to %a", NULL);
	if ((parser->rule->local.flags | parser->rule->remote.flags) & ~PATTERN_PATH)
		return parse_wrong(parser, word, "the unix path %w cannot meet an IP endpoint",
		                   NULL);
	return parse_wrong(parser, word, "%w is a unix path, but the protocol is not unix",
	                   "expected an endpoint such as 10.0.0.1:80 or :80");
}

static bool fit_protos(struct parser *parser)
{
	struct rule *rule = parser->rule;
	unsigned flags = rule->local.flags | rule->remote.flags;

	if (rule->action == ACTION_MOVE || rule->action == ACTION_ASSIGN ||
	    flags & (PATTERN_ADDR | PATTERN_PORT))
		rule->protos &= RULE_IP;
	if (flags & PATTERN_PATH)
		rule->protos &= RULE_UNIX;
	if (rule->protos)
		return true;
	if (flags & PATTERN_PATH)
		return wrong_path(parser);
	return parse_wrong(parser, rule->local.flags ? &parser->local : &parser->remote,
	                   "%w is not an endpoint of unix",
	                   "expected a path: in quotes, or with /, ./ or @ first");
}

/* An assigned port is for a socket that has none: local port 0 or none said. */
static bool fit_assign(struct parser *parser)
{
	struct rule *rule = parser->rule;
	struct pattern *local = &rule->local;
	bool is_bind = rule->calls == RULE_CALL(OP_BIND);

	if (rule->action != ACTION_ASSIGN)
		return true;
	if (local->flags & PATTERN_PORT && local->port_high != 0)
		return parse_wrong(parser, &parser->local,
		                   is_bind ? "assign gives a port to bind(port 0); to change a "
		                             "fixed port use move"
		                           : "assign gives a port to a socket that has none; to "
		                             "change a fixed port use move",
		                   "expected :0");
	if (is_bind)
		local->flags |= PATTERN_PORT;
	if (rule->flags & RULE_NAMED && rule->remote.port_high != 0)
		rule->calls &= CALLS_REMOTE;
	return true;
}

/* A fault of accept comes before the connection is taken: nobody knows whose it is. */
static bool fit_accept(struct parser *parser)
{
	const struct rule *rule = parser->rule;
	const struct word *word = parser->named.bytes ? &parser->named : &parser->remote;

	if (rule->calls != RULE_CALL(OP_ACCEPT) || !rule->remote.flags || !rule_is_fault(rule))
		return true;
	return parse_wrong(parser, word, "%a accept comes before the peer is known",
	                   rule->action == ACTION_FAIL
	                           ? "expected 'local' and an endpoint of the listener; deny "
	                             "accept %w error %e knows the peer"
	                           : "expected 'local' and an endpoint of the listener");
}

/* Without calls that cannot have the endpoints. */
static void fit_calls(struct rule *rule)
{
	if (is_single(rule->calls))
		return;
	if (rule->remote.flags && rule_is_fault(rule))
		rule->calls &= ~RULE_CALL(OP_ACCEPT);
	if (rule->local.flags || rule->remote.flags)
		rule->calls &= CALLS_LOCAL;
	if (rule->remote.flags && !(rule->flags & RULE_NAMED))
		rule->calls &= CALLS_REMOTE;
	if (rule->protos != RULE_ANY_PROTO)
		rule->calls &= ~RULE_CALL(OP_RESOLVE);
}

bool fit_rule(struct parser *parser)
{
	if (parser->rule->action == ACTION_LIMIT)
		return true;
	if (!fit_named(parser) || !fit_protos(parser) || !fit_assign(parser) || !fit_accept(parser))
		return false;
	fit_calls(parser->rule);
	return true;
}
