/* SPDX-License-Identifier: MIT */
/* hand_rules.h - rules of every kind put into a set by hand, without the parser. */
#ifndef TESTS_HAND_RULES_H
#define TESTS_HAND_RULES_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rules.h"

/* A set in the making: its texts are still aside. */
struct hand {
	struct rules *rules;
	size_t size;
	char *texts;
};

enum { HAND_TEXT = 64 }; /* texts of one rule, at most */

static inline struct hand hand_begin(uint32_t room)
{
	struct hand hand;

	hand.size = sizeof(struct rules) + room * (sizeof(struct rule) + HAND_TEXT) +
	            rules_index_room(room) + 64;
	hand.size = (hand.size + 63) / 64 * 64;
	hand.rules = aligned_alloc(64, hand.size);
	hand.texts = calloc(room, HAND_TEXT);
	assert_non_null(hand.rules);
	assert_non_null(hand.texts);
	memset(hand.rules, 0, hand.size);
	memcpy(hand.rules->magic, RULES_MAGIC, sizeof(hand.rules->magic));
	return hand;
}

static inline void hand_end(struct hand *hand)
{
	free(hand->rules);
	free(hand->texts);
}

/* One more rule: allow these calls, of any protocol and anything; calls 0: all calls. */
static inline struct rule *hand_rule(struct hand *hand, uint32_t calls)
{
	struct rule *rule = &hand->rules->rule[hand->rules->count++];

	rule->calls = RULE_CALL(OP_SOCKET) | RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) |
	              RULE_CALL(OP_CONNECT) | RULE_CALL(OP_ACCEPT) | RULE_CALL(OP_SEND);
	if (calls)
		rule->calls = calls;
	rule->protos = RULE_ANY_PROTO;
	rule->action = ACTION_ALLOW;
	return rule;
}

static inline struct rule_text hand_text(struct hand *hand, const char *text)
{
	struct rule_text made = {hand->rules->texts_bytes, (uint32_t)strlen(text)};

	memcpy(hand->texts + made.at, text, made.len);
	hand->rules->texts_bytes += made.len;
	return made;
}

static inline struct ip hand_ip(const char *text)
{
	struct ip ip;

	assert_true(addr_parse(&ip, text, strlen(text)));
	return ip;
}

static inline struct endpoint hand_endpoint(const char *ip, uint16_t port)
{
	return (struct endpoint){hand_ip(ip), port};
}

/* Restrict a pattern to a prefix; bits as in struct pattern. */
static inline void hand_prefix(struct pattern *pattern, const char *ip, unsigned bits)
{
	pattern->flags |= PATTERN_ADDR;
	pattern->ip = hand_ip(ip);
	pattern->bits = (uint8_t)bits;
}

static inline void hand_ports(struct pattern *pattern, unsigned low, unsigned high)
{
	pattern->flags |= PATTERN_PORT;
	pattern->port_low = (uint16_t)low;
	pattern->port_high = (uint16_t)high;
}

static inline void hand_path(struct hand *hand, struct pattern *pattern, const char *path)
{
	pattern->flags |= PATTERN_PATH;
	pattern->path = hand_text(hand, path);
}

static inline void hand_program(struct hand *hand, struct rule *rule, const char *name)
{
	rule->flags |= RULE_PROGRAM;
	rule->program = hand_text(hand, name);
}

/* The set is whole: texts and index come behind the rules. */
static inline struct rules *hand_finish(struct hand *hand)
{
	struct rules *rules = hand->rules;

	rules->texts_at = (uint32_t)(sizeof(*rules) + rules->count * sizeof(struct rule));
	memcpy((char *)rules + rules->texts_at, hand->texts, rules->texts_bytes);
	assert_true(rules_index(rules, hand->size));
	assert_true(rules_are_sound(rules, hand->size));
	return rules;
}

/* A call by a process "app"; its endpoints are not known yet. */
static inline struct rule_query hand_query(enum op_kind call, unsigned proto)
{
	return (struct rule_query){
	        .call = call, .proto = proto, .name = "app", .program = "/usr/bin/app"};
}

#endif
