/* SPDX-License-Identifier: MIT */
/* rules_warn.c - see rules_warn.h. */
#include "tools/rules_warn.h"

#include <stdio.h>

#include "tools/rule_wording.h"
#include "tools/shadow.h"
#include "tools/wording.h"

enum { WHAT_MAX = RULE_PLACE_MAX + 256, NOTE_MAX = RULE_PRINT_MAX + 64 };

/* A rule that is looked at. */
struct warner {
	struct rules_input *input;
	const struct rules *rules;
	const struct host *host;
	uint32_t index;
	const struct rule *rule;
};

static void warn(const struct warner *warner, const char *what, const char *note)
{
	rules_input_warn(warner->input, warner->rules, warner->index, what, note);
}

static void warn_of_shadow(const struct warner *warner)
{
	uint32_t number = shadow_of(warner->rules, warner->index);
	const struct rule *earlier;
	char place[RULE_PLACE_MAX], words[RULE_PRINT_MAX], what[WHAT_MAX], note[NOTE_MAX];

	if (number == 0) {
		if (shadow_is_whole(warner->rules, warner->index))
			warn(warner, "this rule can never match: rules before it decide it all",
			     NULL);
		return;
	}
	earlier = &warner->rules->rule[number - 1];
	snprintf(what, sizeof(what), "this rule can never match: rule %u decides before it",
	         number);
	snprintf(note, sizeof(note), "%s: %s", rule_place(place, warner->rules, earlier),
	         rule_words(words, warner->rules, earlier));
	warn(warner, what, note);
}

/* Why a limit never holds, or is never reached. */
static void warn_of_limit_shadow(const struct warner *warner)
{
	const struct rule *rule = warner->rule, *other;
	uint32_t number = shadow_of_limit(warner->rules, warner->index);
	bool all_hold = rule->flags & RULE_TREE || rule->limit == LIMIT_CONNECTIONS;
	char place[RULE_PLACE_MAX], words[RULE_PRINT_MAX], what[WHAT_MAX], note[NOTE_MAX];

	if (number == 0)
		return;
	other = &warner->rules->rule[number - 1];
	snprintf(what, sizeof(what),
	         all_hold ? "this limit is never reached: that of rule %u is before it"
	                  : "this limit never holds: rule %u holds instead",
	         number);
	snprintf(note, sizeof(note), "%s: %s", rule_place(place, warner->rules, other),
	         rule_words(words, warner->rules, other));
	warn(warner, what, note);
}

/* Of unix sockets only bind, connect and send are asked about with a path. */
static void warn_of_path(const struct warner *warner)
{
	const uint32_t with_path = RULE_CALL(OP_BIND) | RULE_CALL(OP_CONNECT) | RULE_CALL(OP_SEND);
	const struct rule *rule = warner->rule;

	if ((rule->local.flags | rule->remote.flags) & PATTERN_PATH && !(rule->calls & with_path))
		warn(warner, "this rule can never match: the call names no path",
		     "bind, connect and send do");
}

static void warn_of_fault(const struct warner *warner)
{
	if (shadow_is_denied(warner->rules, warner->index))
		warn(warner, "this fault never has a turn: rules deny every call that it matches",
		     "a call that is denied counts for no fault");
}

/* Ports that the kernel would draw, had it such an ephemeral range. */
static void warn_of_range(const struct warner *warner)
{
	const struct rule *rule = warner->rule;
	const struct host *host = warner->host;
	char what[WHAT_MAX];

	if (rule->flags & RULE_AUTO || host_has_range(host, rule->low, rule->high))
		return;
	if (!host->has_port_range) {
		warn(warner, "this kernel has no IP_LOCAL_PORT_RANGE",
		     "before Linux 6.3 tcpshim gives out the ports by itself: the order is not "
		     "quite the kernel's");
		return;
	}
	snprintf(what, sizeof(what), "%u-%u is not within this host's ephemeral range %u-%u",
	         rule->low, rule->high, host->port_low, host->port_high);
	warn(warner, what,
	     "tcpshim gives out the ports by itself: the order is not quite the kernel's");
}

/* The lowest port that the kernel is to bind for the rule; 0: any will do. */
static uint16_t port_to_bind(const struct rule *rule)
{
	if (rule->action == ACTION_ASSIGN)
		return rule->low;
	if (rule->action == ACTION_MOVE && rule->flags & RULE_TO_PORT &&
	    rule->calls & (RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN)))
		return rule->low;
	return 0;
}

static void warn_of_privilege(const struct warner *warner)
{
	const struct host *host = warner->host;
	uint16_t port = port_to_bind(warner->rule);
	char what[WHAT_MAX], note[NOTE_MAX];

	if (port == 0 || port >= host->free_from || host->may_bind_any)
		return;
	snprintf(what, sizeof(what), "port %u needs a privilege that you do not have", port);
	snprintf(note, sizeof(note),
	         "on this host ports below %u need CAP_NET_BIND_SERVICE "
	         "(net.ipv4.ip_unprivileged_port_start): the call will fail with EACCES",
	         host->free_from);
	warn(warner, what, note);
}

static void warn_of_limit(const struct warner *warner)
{
	const struct rule *rule = warner->rule;
	const struct host *host = warner->host;
	bool is_per_process = rule->limit == LIMIT_FDS ||
	                      (rule->limit == LIMIT_SOCKETS && !(rule->flags & RULE_TREE));
	unsigned ports = host->port_high - host->port_low + 1u;
	char what[WHAT_MAX];

	warn_of_limit_shadow(warner);
	if (is_per_process && rule->amount > host->fds) {
		snprintf(what, sizeof(what), "the limit is above the host's own, %s descriptors",
		         word_number(host->fds));
		warn(warner, what, "RLIMIT_NOFILE strikes first; see ulimit -n");
	}
	if (rule->limit == LIMIT_PORTS && rule->flags & RULE_RANGE)
		warn_of_range(warner);
	else if (rule->limit == LIMIT_PORTS && host->port_high && rule->amount > ports) {
		snprintf(what, sizeof(what), "this host has %s ephemeral ports only",
		         word_number(ports));
		warn(warner, what, "see net.ipv4.ip_local_port_range");
	}
}

static void warn_of_rule(const struct warner *warner)
{
	warn_of_path(warner);
	if (rule_is_fault(warner->rule))
		warn_of_fault(warner);
	switch ((enum action)warner->rule->action) {
	case ACTION_ASSIGN:
		warn_of_range(warner);
		warn_of_privilege(warner);
		break;
	case ACTION_MOVE:
		warn_of_privilege(warner);
		break;
	case ACTION_LIMIT:
		warn_of_limit(warner);
		break;
	case ACTION_ALLOW:
	case ACTION_DENY:
	case ACTION_FAIL:
	case ACTION_DELAY:
	case ACTIONS:
		break;
	}
}

void rules_warn(struct rules_input *input, const struct rules *rules, const struct host *host)
{
	struct warner warner = {.input = input, .rules = rules, .host = host};

	for (uint32_t i = 0; i < rules->count; i++) {
		warner.index = i;
		warner.rule = &rules->rule[i];
		warn_of_shadow(&warner);
		warn_of_rule(&warner);
	}
}
