/* SPDX-License-Identifier: MIT */
/* random_rules.h - rules and calls by chance, out of the words of a small world; and what a
 * look at every rule finds. The seed is fixed: a failure comes again. */
#ifndef UNIT_RANDOM_RULES_H
#define UNIT_RANDOM_RULES_H

#include "tests/unit/hand_rules.h"

static inline uint32_t find_slowly(const struct rules *rules, const struct rule_query *query)
{
	for (uint32_t i = 0; i < rules->count; i++)
		if (rules->rule[i].action <= ACTION_ASSIGN &&
		    rule_mismatch(rules, &rules->rule[i], query) == MISMATCH_NONE)
			return i + 1;
	return 0;
}

static inline uint32_t next_fault_slowly(const struct rules *rules, const struct rule_query *query,
                                         uint32_t after)
{
	for (uint32_t i = after; i < rules->count; i++)
		if (rule_is_fault(&rules->rule[i]) &&
		    rule_mismatch(rules, &rules->rule[i], query) == MISMATCH_NONE)
			return i + 1;
	return 0;
}

static uint64_t chance = 1;

static inline uint32_t roll(uint32_t below)
{
	chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((chance >> 33) % below);
}

static const char *const addresses[] = {
        "0.0.0.0",
        "10.0.0.1",
        "10.0.0.2",
        "10.0.1.1",
        "10.64.0.1",
        "127.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "2001:db8::1",
        "2001:db8::2",
        "2001:db8:0:1::1",
        "2001:db8:0:1:8000::1",
        "fe80::1",
        "::fffe:0:1",
        "::10.0.0.1",
};
static const uint16_t ports[] = {0, 1, 15, 16, 79, 80, 81, 255, 256, 443, 4095, 4096, 8080, 65535};
static const char *const names[] = {"app", "nginx", "worker-1", "worker-12", ""};
static const char *const programs[] = {"/usr/bin/app", "/usr/sbin/nginx", "/opt/worker-1", "/"};
static const char *const name_patterns[] = {"app",    "nginx",        "worker-1", "worker-*",
                                            "*",      "a?p",          "",         "/usr/bin/app",
                                            "/usr/*", "/opt/worker-?"};
static const char *const paths[] = {"/run/a.sock", "/run/b.sock", "/run/longer/than/eight.sock",
                                    "@abstract",   "@",           "a"};
static const char *const path_patterns[] = {
        "/run/a.sock", "/run/b.sock", "@abstract",
        "a",           "@",           "/run/*.sock",
        "/run/?.sock", "@*",          "/run/longer/than/eight.sock"};
static const enum op_kind calls[] = {OP_SOCKET, OP_BIND, OP_LISTEN, OP_CONNECT,
                                     OP_ACCEPT, OP_SEND, OP_CLOSE};
static const enum op_kind fault_calls[] = {OP_SOCKET, OP_BIND, OP_LISTEN, OP_CONNECT, OP_ACCEPT,
                                           OP_SEND,   OP_RECV, OP_CLOSE,  OP_RESOLVE};

#define ANY_OF(list) list[roll(sizeof(list) / sizeof((list)[0]))]

static inline void random_pattern(struct hand *hand, struct pattern *pattern, unsigned protos)
{
	const char *ip = ANY_OF(addresses);
	uint16_t a = ANY_OF(ports), b = ANY_OF(ports);
	bool is_v4 = strchr(ip, '.') && ip[0] != ':';

	if (protos == RULE_UNIX) {
		hand_path(hand, pattern, ANY_OF(path_patterns));
		return;
	}
	if (roll(3) && is_v4)
		hand_prefix(pattern, ip, roll(2) ? 128 : roll(4) ? 96 + roll(33) : roll(129));
	else if (roll(2))
		hand_prefix(pattern, ip, roll(2) ? 128 : roll(129));
	if (roll(2))
		hand_ports(pattern, a < b ? a : b, roll(2) ? (a < b ? a : b) : a < b ? b : a);
}

static inline void random_rule(struct hand *hand)
{
	struct rule *rule = hand_rule(hand, 0);

	rule->action = (uint8_t)roll(roll(8) ? ACTION_ASSIGN + 1 : ACTIONS);
	if (roll(3))
		rule->calls = RULE_CALL(ANY_OF(calls)) | (roll(3) ? 0 : RULE_CALL(ANY_OF(calls)));
	if (roll(3))
		rule->protos = (uint8_t)(1u << roll(4));
	if (roll(4) == 0)
		random_pattern(hand, &rule->local, rule->protos);
	if (roll(4))
		random_pattern(hand, &rule->remote, rule->protos);
	if (roll(5) == 0)
		rule->flags |= RULE_NAMED;
	if (roll(4) == 0)
		hand_program(hand, rule, ANY_OF(name_patterns));
}

static inline void random_fault(struct hand *hand)
{
	struct rule *rule;

	random_rule(hand);
	rule = &hand->rules->rule[hand->rules->count - 1];
	rule->action = (uint8_t)(ACTION_LIMIT + roll(3));
	rule->limit = rule->action == ACTION_LIMIT && roll(3) ? LIMIT_MEMORY : LIMIT_NONE;
	rule->calls = 0;
	for (unsigned n = 1 + roll(roll(2) ? 9 : 1); n > 0; n--)
		rule->calls |= RULE_CALL(ANY_OF(fault_calls));
}

static inline struct rule_query random_query(void)
{
	struct rule_query query = hand_query(ANY_OF(calls), 1u << roll(4));

	query.has_local = roll(3);
	query.has_remote = roll(4);
	query.local = hand_endpoint(ANY_OF(addresses), ANY_OF(ports));
	query.remote = hand_endpoint(ANY_OF(addresses), ANY_OF(ports));
	if (query.proto == RULE_UNIX && roll(6)) {
		query.path = ANY_OF(paths);
		query.path_len = strlen(query.path);
	}
	query.name = roll(20) ? ANY_OF(names) : NULL;
	query.program = roll(20) ? ANY_OF(programs) : NULL;
	if (query.name && roll(2))
		query.name_hash = rules_name_hash(query.name);
	if (query.program && roll(2))
		query.program_hash = rules_name_hash(query.program);
	return query;
}

static inline struct rule_query random_fault_query(void)
{
	struct rule_query query = random_query();

	query.call = ANY_OF(fault_calls);
	return query;
}

#endif
