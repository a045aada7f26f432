/* SPDX-License-Identifier: MIT */
/* rules_print.c - a rule as the language says it.
 * One form of the many that a rule could have: clauses in the order of rules_parser.h,
 * endpoints at the side that the call has by itself, durations in the largest unit. The
 * rule may come from a damaged set. */
#include <string.h>

#include "core/names.h"
#include "core/rules.h"
#include "core/rules_errors.h"
#include "core/text.h"

/* A word of the language before what follows it. */
static void put_word(struct text *text, const char *word)
{
	text_char(text, ' ');
	text_put(text, word);
	text_char(text, ' ');
}

static bool needs_quotes(const char *bytes, size_t len)
{
	if (len == 0 || bytes[0] == '#')
		return true;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == ' ' || bytes[i] == '\t' || bytes[i] == ';' || bytes[i] == '"')
			return true;
	}
	return false;
}

static void put_quoted(struct text *text, const char *bytes, size_t len)
{
	text_char(text, '"');
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			text_char(text, '\\');
		text_char(text, bytes[i]);
	}
	text_char(text, '"');
}

static void put_program(struct text *text, const struct rules *rules, struct rule_text program)
{
	size_t len;
	const char *bytes = rules_text(rules, program, &len);

	if (needs_quotes(bytes, len))
		put_quoted(text, bytes, len);
	else
		text_bytes(text, bytes, len);
}

/* A path is known by its beginning, or by its quotes. */
static void put_path(struct text *text, const struct rules *rules, struct rule_text path)
{
	size_t len;
	const char *bytes = rules_text(rules, path, &len);
	bool is_plain = len > 0 && (bytes[0] == '/' || bytes[0] == '@' ||
	                            (len > 1 && memcmp(bytes, "./", 2) == 0));

	if (!is_plain || needs_quotes(bytes, len))
		put_quoted(text, bytes, len);
	else
		text_bytes(text, bytes, len);
}

static void put_address(struct text *text, const struct ip *ip)
{
	char buf[ADDR_TEXT_MAX];
	bool is_long = !addr_is_v4(ip);

	addr_print(buf, ip);
	text_put(text, is_long ? "[" : "");
	text_put(text, buf);
	text_put(text, is_long ? "]" : "");
}

static void put_ports(struct text *text, unsigned low, unsigned high)
{
	text_unsigned(text, low);
	if (low == high)
		return;
	text_char(text, '-');
	text_unsigned(text, high);
}

static void put_pattern(struct text *text, const struct rules *rules, const struct pattern *pattern)
{
	if (pattern->flags & PATTERN_PATH) {
		put_path(text, rules, pattern->path);
		return;
	}
	if (pattern->flags & PATTERN_ADDR) {
		unsigned from = addr_is_v4(&pattern->ip) && pattern->bits >= 96 ? 96 : 0;

		put_address(text, &pattern->ip);
		if (pattern->bits < 128) {
			text_char(text, '/');
			text_unsigned(text, pattern->bits - from);
		}
	}
	if (pattern->flags & PATTERN_PORT) {
		text_char(text, ':');
		put_ports(text, pattern->port_low, pattern->port_high);
	}
}

static bool is_local_call(uint32_t calls)
{
	return calls == RULE_CALL(OP_BIND) || calls == RULE_CALL(OP_LISTEN);
}

static void put_ends(struct text *text, const struct rules *rules, const struct rule *rule)
{
	bool is_single = (rule->calls & (rule->calls - 1)) == 0;
	const struct pattern *named = is_local_call(rule->calls)                ? &rule->local
	                              : is_single || (rule->flags & RULE_NAMED) ? &rule->remote
	                                                                        : NULL;

	if (named && named->flags) {
		text_char(text, ' ');
		put_pattern(text, rules, named);
	}
	if (named != &rule->local && rule->local.flags) {
		put_word(text, "local");
		put_pattern(text, rules, &rule->local);
	}
	if (named != &rule->remote && rule->remote.flags) {
		put_word(text, "remote");
		put_pattern(text, rules, &rule->remote);
	}
}

/* Call, protocol and endpoints. */
static void put_match(struct text *text, const struct rules *rules, const struct rule *rule)
{
	const char *call = "any";

	for (unsigned i = 0; i < OP_KINDS; i++) {
		if (rule->calls == RULE_CALL(i))
			call = name_op((enum op_kind)i);
	}
	text_char(text, ' ');
	text_put(text, call);
	if (rule->calls != RULE_CALL(OP_RESOLVE))
		text_put(text, rule->protos == RULE_TCP    ? " tcp"
		               : rule->protos == RULE_UDP  ? " udp"
		               : rule->protos == RULE_UNIX ? " unix"
		                                           : " any");
	put_ends(text, rules, rule);
}

static void put_limit(struct text *text, const struct rule *rule)
{
	text_char(text, ' ');
	text_put(text, name_limit((enum limit_kind)rule->limit));
	if (rule->limit == LIMIT_MEMORY)
		return;
	text_char(text, ' ');
	text_unsigned(text, rule->flags & RULE_RANGE ? rule->low : rule->amount);
	if (rule->flags & RULE_RANGE) {
		text_char(text, '-');
		text_unsigned(text, rule->high);
	}
}

static void put_target(struct text *text, const struct rule *rule)
{
	put_word(text, "to");
	if (rule->flags & RULE_TO_ADDR)
		put_address(text, &rule->to.ip);
	if (rule->flags & RULE_TO_ADDR && rule->flags & (RULE_TO_PORT | RULE_AUTO))
		text_char(text, ':');
	else if (rule->flags & RULE_TO_PORT)
		text_char(text, ':');
	if (rule->flags & RULE_AUTO)
		text_put(text, "auto");
	else if (rule->flags & RULE_TO_PORT)
		put_ports(text, rule->low, rule->high);
}

/* In the largest unit of which it is a whole number. */
static void put_duration(struct text *text, const char *word, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
	        {UINT64_C(3600000000000), "h"},
	        {UINT64_C(60000000000), "m"},
	        {1000000000, "s"},
	        {1000000, "ms"},
	        {1000, "us"},
	        {1, "ns"},
	};
	unsigned i = ns ? 0 : 2;

	while (ns % units[i].ns)
		i++;
	put_word(text, word);
	text_unsigned(text, ns / units[i].ns);
	text_put(text, units[i].name);
}

/* Percent, with up to four decimals. */
static void put_share(struct text *text, uint32_t per_million)
{
	unsigned part = per_million % 10000, width = 4;

	put_word(text, "probability");
	text_unsigned(text, per_million / 10000);
	for (; part && part % 10 == 0; part /= 10)
		width--;
	if (part) {
		text_char(text, '.');
		text_digits(text, part, width);
	}
	text_char(text, '%');
}

static void put_turns(struct text *text, const struct rule *rule)
{
	bool is_open = rule->last == UINT32_MAX;

	put_word(text, "when");
	text_unsigned(text, rule->first);
	if (!is_open && rule->last != rule->first) {
		text_put(text, "..");
		text_unsigned(text, rule->last);
	}
	if (is_open || rule->step > 1)
		text_char(text, '+');
	if (rule->step > 1)
		text_unsigned(text, rule->step);
}

static void put_faults(struct text *text, const struct rule *rule)
{
	if (rule->flags & RULE_WHEN)
		put_turns(text, rule);
	if (rule->flags & RULE_PROBABILITY)
		put_share(text, rule->probability);
	if (rule->flags & RULE_AFTER)
		put_duration(text, "after", rule->after_ns);
	if (rule->flags & RULE_FOR)
		put_duration(text, "for", rule->for_ns);
	if (rule->flags & RULE_WHILE) {
		put_word(text, "while");
		text_unsigned(text, rule->amount);
	}
}

/* What happens to a call that matches. */
static void put_effect(struct text *text, const struct rules *rules, const struct rule *rule)
{
	if (rule->action == ACTION_MOVE)
		put_target(text, rule);
	if (rule->limit == LIMIT_CONNECTIONS && rule->remote.flags) {
		put_word(text, "to");
		put_pattern(text, rules, &rule->remote);
	}
	if (rule->action == ACTION_ASSIGN) {
		put_word(text, "from");
		if (rule->flags & RULE_AUTO)
			text_put(text, "auto");
		else
			put_ports(text, rule->low, rule->high);
	}
	if (rule->flags & RULE_TREE)
		text_put(text, " tree");
	if (rule->action == ACTION_DELAY)
		put_duration(text, "by", rule->delay_ns);
	if (rule->flags & RULE_JITTER)
		put_duration(text, "jitter", rule->jitter_ns);
	if (rule->flags & RULE_ERROR) {
		put_word(text, rule->flags & RULE_INSIST ? "error!" : "error");
		text_put(text, rule_error_name(rule->error));
	}
}

size_t rule_print(char *buf, size_t size, const struct rules *rules, const struct rule *rule)
{
	struct text text = text_on(buf, size);

	text_put(&text, name_action((enum action)rule->action));
	if (rule->action == ACTION_LIMIT)
		put_limit(&text, rule);
	else
		put_match(&text, rules, rule);
	if (rule->flags & RULE_PROGRAM) {
		put_word(&text, "in");
		put_program(&text, rules, rule->program);
	}
	put_effect(&text, rules, rule);
	put_faults(&text, rule);
	return text.len;
}
