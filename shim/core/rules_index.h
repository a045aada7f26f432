/* SPDX-License-Identifier: MIT */
/* rules_index.h - under which words a rule stands in the index, and a call looks.
 *
 * A rule stands where its rarest feature is: at an exact unix path (PLACE_PATH), at
 * an endpoint (LOCAL, REMOTE), or, with neither, at its calls and protocols (NONE).
 * An exact name of a program is part of the word, too. Of an endpoint, the prefix is
 * cut to a level and a range of ports is covered by at most RULE_BLOCKS blocks of one
 * level: the two levels are the rule's shape. A call with an endpoint is looked up
 * once in every shape that occurs for its call and protocol. A word says only where
 * to look: rule_mismatch() decides.
 *
 * Policy and faults have keys and words of their own: the one never meets the other's
 * entries, and what there is of one costs nothing to the other.
 *
 * A word is address << 32 | port << 16 | faults << 15 | place and key << 6 | shape, mixed
 * with the hash of a program; its tag (rule_tag()) says both which chain it is in and, nearly
 * always, whether an entry of that chain is meant. */
#ifndef CORE_RULES_INDEX_H
#define CORE_RULES_INDEX_H

#include <string.h>

#include "core/rules.h"

enum { PLACE_NONE, PLACE_PATH, PLACE_LOCAL, PLACE_REMOTE, PLACES };
enum { WHO_ANY, WHO_NAME, WHO_PROGRAM, WHO_KINDS };

enum { RULE_BLOCKS = 16, PORT_LEVELS = 5 };

/* The shapes of an address: its number of levels, and the bits of each. The first
 * stands for any address. */
#define V4_LEVEL_LIST(X)          X(0) X(8) X(16) X(20) X(24) X(32)
#define V6_LEVEL_LIST(X)          X(0) X(16) X(32) X(40) X(48) X(52) X(56) X(60) X(64) X(96) X(112) X(128)
#define PORT_LEVEL_LIST(X, level) X(level, 0) X(level, 4) X(level, 8) X(level, 12) X(level, 16)

#define RULE_MIX UINT64_C(0x9e3779b97f4a7c15)

/* The row of a call and a protocol (one bit) in the index. The first four are of the calls
 * that no policy speaks of, and empty. */
static inline unsigned rule_key(enum op_kind call, unsigned proto)
{
	static const uint8_t rows[OP_KINDS] = {
	        [OP_SOCKET] = 1, [OP_BIND] = 2, [OP_LISTEN] = 3, [OP_CONNECT] = 4,
	        [OP_ACCEPT] = 5, [OP_SEND] = 6, [OP_CLOSE] = 7,
	};

	return rows[call] * 4u + (unsigned)__builtin_ctz(proto);
}

/* The same of faults. */
static inline unsigned rule_fault_key(enum op_kind call, unsigned proto)
{
	static const uint8_t rows[OP_KINDS] = {
	        [OP_SOCKET] = 1, [OP_BIND] = 2, [OP_LISTEN] = 3, [OP_CONNECT] = 4, [OP_ACCEPT] = 5,
	        [OP_SEND] = 6,   [OP_RECV] = 7, [OP_CLOSE] = 8,  [OP_RESOLVE] = 9,
	};

	return RULE_FAULTS + rows[call] * 4u + (unsigned)__builtin_ctz(proto);
}

/* Is it a key of the calls that no rule speaks of? */
static inline bool rule_is_no_key(unsigned key)
{
	return key < 4 || (key >= RULE_FAULTS && key < RULE_FAULTS + 4);
}

/* Does this call name its local endpoint? */
static inline bool rule_names_local(enum op_kind call)
{
	return call == OP_BIND || call == OP_LISTEN;
}

/* The part of a word that says in which place; key only for PLACE_NONE. */
static inline uint64_t rule_place_word(unsigned place, unsigned key)
{
	return (uint64_t)(place | key << 2) << 6;
}

/* The part of a word that says that it is of faults. */
#define RULE_FAULT_WORD (UINT64_C(1) << 15)

/* Most often a call has one fault, if any, and that says nothing of endpoints and programs.
 * Returns true if it is so: then *number is the fault that such a call meets, 0: none. */
static inline bool rules_fault_is_plain(const struct rules *rules, enum op_kind call,
                                        unsigned proto, uint32_t *number)
{
	struct rule_span span = rules->span[rule_fault_key(call, proto) - RULE_FAULTS];
	const struct rule *rule = &rules->rule[span.first ? span.first - 1 : 0];

	*number = span.first;
	if (span.last == 0)
		return true;
	return span.first == span.last && span.first <= rules->count && rule_is_fault(rule) &&
	       !(rule->local.flags | rule->remote.flags | (rule->flags & RULE_PROGRAM));
}

/* A word is mixed: its chain is in the first bits, its tag in the first 32. */
static inline uint64_t rule_mix(uint64_t word)
{
	return word * RULE_MIX;
}

static inline uint32_t rule_tag(uint64_t mixed)
{
	return (uint32_t)(mixed >> 32);
}

/* A hash of a path or a program. The last 8 bytes may overlap those before them. */
static inline uint64_t rule_text_hash(const char *text, size_t len)
{
	uint64_t hash = len, word = 0;
	size_t left = len;

	for (; left > sizeof(word); left -= sizeof(word), text += sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		hash = (hash ^ word) * RULE_MIX;
		hash ^= hash >> 32;
	}
	if (len >= sizeof(word)) {
		memcpy(&word, text + left - sizeof(word), sizeof(word));
	} else {
		for (; left > 0; left--)
			word = word << 8 | (uint8_t)*text++;
	}
	hash = (hash ^ word) * RULE_MIX;
	return hash ^ hash >> 29;
}

/* An address as numbers. */
struct ip_words {
	uint64_t high, low;
};

static inline uint64_t rule_number(const uint8_t bytes[8])
{
	uint64_t number;

	memcpy(&number, bytes, sizeof(number));
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(number) : number;
}

static inline struct ip_words rule_ip_words(const struct ip *ip)
{
	return (struct ip_words){rule_number(ip->byte), rule_number(ip->byte + 8)};
}

static inline bool rule_is_v4(struct ip_words ip)
{
	return ip.high == 0 && ip.low >> 32 == 0xffff;
}

/* An IPv6 address in the place that an IPv4 one takes, and what lies around it. */
static inline uint64_t rule_v6_word(struct ip_words ip)
{
	return ip.high * UINT64_C(0xd6e8feb86659fd93) ^ ip.low;
}

#endif
