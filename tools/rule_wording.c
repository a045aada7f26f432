/* SPDX-License-Identifier: MIT */
/* rule_wording.c - see rule_wording.h. */
#include "tools/rule_wording.h"

#include "core/names.h"
#include "core/text.h"
#include "tools/fault_wording.h"

const char *rule_place(char *buf, const struct rules *rules, const struct rule *rule)
{
	struct text text = text_on(buf, RULE_PLACE_MAX - 16); /* the line shall be seen */
	size_t len = 0;
	const char *name = "";

	if (rule->source < rules->sources && rule->source < RULES_SOURCES_MAX)
		name = rules_text(rules, rules->source[rule->source], &len);
	text_visible(&text, name, len);
	text.cut = false;
	text.size = RULE_PLACE_MAX;
	text_char(&text, ':');
	text_unsigned(&text, rule->line);
	return buf;
}

/* A backslash is the language's own, and no control character is in a set that was
 * parsed: what is escaped comes from a set that nobody vouches for. */
const char *rule_words(char *buf, const struct rules *rules, const struct rule *rule)
{
	char raw[RULE_PRINT_MAX / 4]; /* \xNN */
	struct text text = text_on(buf, RULE_PRINT_MAX);
	const char *at = raw;

	rule_print(raw, sizeof(raw), rules, rule);
	while (*at) {
		size_t len = strcspn(at, "\\");

		text_visible(&text, at, len);
		at += len;
		if (*at)
			text_char(&text, *at++);
	}
	return buf;
}

static void put_ports(struct text *text, uint16_t low, uint16_t high)
{
	text_unsigned(text, low);
	if (high == low)
		return;
	text_char(text, '-');
	text_unsigned(text, high);
}

static void put_address(struct text *text, const struct ip *ip, unsigned bits, bool has_port)
{
	bool is_v4 = addr_is_v4(ip) && bits >= 96;
	char printed[ADDR_TEXT_MAX];

	addr_print(printed, ip);
	text_put(text, !is_v4 && has_port ? "[" : "");
	text_put(text, printed);
	if (bits < 128) {
		text_char(text, '/');
		text_unsigned(text, is_v4 ? bits - 96 : bits);
	}
	text_put(text, !is_v4 && has_port ? "]" : "");
}

static void put_pattern(struct text *text, const struct rules *rules, const struct pattern *pattern)
{
	bool has_port = pattern->flags & PATTERN_PORT;
	const char *path;
	size_t len;

	if (pattern->flags & PATTERN_PATH) {
		path = rules_text(rules, pattern->path, &len);
		text_visible(text, path, len);
		return;
	}
	if (pattern->flags & PATTERN_ADDR)
		put_address(text, &pattern->ip, pattern->bits, has_port);
	if (has_port) {
		text_char(text, ':');
		put_ports(text, pattern->port_low, pattern->port_high);
	}
	if (!pattern->flags)
		text_char(text, '*');
}

const char *pattern_words(char *buf, const struct rules *rules, const struct pattern *pattern)
{
	struct text text = text_on(buf, RULE_EFFECT_MAX);

	put_pattern(&text, rules, pattern);
	return buf;
}

/* Who gives out the ports of a range. */
static void put_giver(struct text *text, const struct rule *rule, const struct host *host)
{
	if (rule->flags & RULE_AUTO || !host)
		return;
	if (!host->has_port_range) {
		text_put(text, " (this kernel has no IP_LOCAL_PORT_RANGE: by our own allocator)");
	} else if (host_has_range(host, rule->low, rule->high)) {
		text_put(text, " (by the kernel)");
	} else {
		text_put(text, " (outside this host's ephemeral range ");
		put_ports(text, host->port_low, host->port_high);
		text_put(text, ": by our own allocator)");
	}
}

static void put_assigned(struct text *text, const struct rule *rule, const struct host *host)
{
	text_put(text, "port from ");
	if (rule->flags & RULE_AUTO)
		text_put(text, "a slice of the session's own");
	else
		put_ports(text, rule->low, rule->high);
	put_giver(text, rule, host);
}

static void put_moved(struct text *text, const struct rules *rules, const struct rule *rule)
{
	bool is_bind = rule->calls & (RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN));
	bool has_addr = rule->flags & RULE_TO_ADDR, has_port = rule->flags & RULE_TO_PORT;
	bool has_range = has_port && rule->low != rule->high;
	const struct pattern *asked =
	        is_bind && !(rule->flags & RULE_NAMED) ? &rule->local : &rule->remote;

	if (asked->flags) {
		text_put(text, "told ");
		put_pattern(text, rules, asked);
	} else {
		text_put(text, "told what it asked for");
	}
	text_put(text, ", goes to ");
	if (has_addr)
		put_address(text, &rule->to.ip, 128, has_port);
	if (has_port) {
		text_char(text, ':');
		put_ports(text, rule->low, rule->high);
	}
	if (rule->flags & RULE_AUTO)
		text_put(text, has_addr ? ", a port of the session's own"
		                        : "a port of the session's own");
	else if (has_range)
		text_put(text, ", whichever is free");
	else if (!has_port)
		text_put(text, ", the same port");
}

/* A connection that is turned away is no error, unless the rule gives one. */
static void put_denied(struct text *text, const struct rule *rule)
{
	const char *name = name_errno(rule->error);
	bool is_accept = rule->calls & RULE_CALL(OP_ACCEPT);
	bool is_quiet = rule->calls == RULE_CALL(OP_ACCEPT) && !(rule->flags & RULE_ERROR);

	if (!is_quiet)
		text_put(text, name ? name : "an error");
	if (is_accept)
		text_put(text, is_quiet ? "the connection is reset, accept goes on to the next"
		                        : "; of accept, the connection is reset");
}

/* Where a limit holds: " to 10.0.0.5:5432", ": 40000-40015 (by the kernel)". */
static void put_limit(struct text *text, const struct rules *rules, const struct rule *rule,
                      const struct host *host)
{
	char buf[RULE_EFFECT_MAX / 2];
	struct text where = text_on(buf, sizeof(buf));

	if (rule->limit == LIMIT_CONNECTIONS && rule->remote.flags) {
		text_put(&where, " to ");
		put_pattern(&where, rules, &rule->remote);
	}
	if (rule->limit == LIMIT_PORTS && rule->flags & RULE_RANGE) {
		text_put(&where, ", ");
		put_ports(&where, rule->low, rule->high);
		put_giver(&where, rule, host);
	}
	limit_put_effect(text, rule, buf);
}

const char *fault_effect(char *buf, const struct rule *rule)
{
	struct text text = text_on(buf, RULE_EFFECT_MAX);

	fault_put_effect(&text, rule);
	fault_put_conditions(&text, rule);
	return buf;
}

const char *rule_effect(char *buf, const struct rules *rules, const struct rule *rule,
                        const struct host *host)
{
	struct text text = text_on(buf, RULE_EFFECT_MAX);

	switch ((enum action)rule->action) {
	case ACTION_ALLOW:
		text_put(&text, "goes ahead");
		break;
	case ACTION_DENY:
		put_denied(&text, rule);
		break;
	case ACTION_MOVE:
		put_moved(&text, rules, rule);
		break;
	case ACTION_ASSIGN:
		put_assigned(&text, rule, host);
		break;
	case ACTION_LIMIT:
	case ACTION_FAIL:
	case ACTION_DELAY:
		if (!rule_is_fault(rule)) {
			put_limit(&text, rules, rule, host);
			break;
		}
		fault_put_effect(&text, rule);
		text_put(&text, ": ");
		fault_put_turns(&text, rule);
		break;
	case ACTIONS:
		break;
	}
	return buf;
}
