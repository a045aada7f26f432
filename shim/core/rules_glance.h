/* SPDX-License-Identifier: MIT */
/* rules_glance.h - a look into the index that costs no call: most calls are to an IPv4
 * endpoint of which no rule speaks. See rules_index.h for what stands where.
 *
 * The index may have been damaged: numbers are checked as they are met, and a chain goes
 * down in the numbers of its entries, so that it ends. */
#ifndef CORE_RULES_GLANCE_H
#define CORE_RULES_GLANCE_H

#include "core/rules_index.h"

/* What counts of an endpoint, address << 32 | port << 16, by shape. */
/* clang-format off */
static const uint64_t rules_v4_masks[] = {
#define V4_MASK(bits, port) \
	(~UINT64_C(0) << (32 - (bits)) << 32 | (~UINT64_C(0) << (16 - (port)) & 0xffff) << 16),
#define X(bits) PORT_LEVEL_LIST(V4_MASK, bits)
	V4_LEVEL_LIST(X)
#undef X
#undef V4_MASK
};
/* clang-format on */

#define RULES_ALL_SHAPES(masks) (~UINT64_C(0) >> (64 - sizeof(masks) / sizeof((masks)[0])))

static inline const struct rule_entry *rules_entries_of(const struct rules *rules)
{
	return (const void *)((const char *)rules + rules->entries_at);
}

/* The number of the first entry of a mixed word's chain, 0: it has none. */
HOT uint32_t rules_head_of(const struct rules *rules, uint64_t mixed)
{
	const uint32_t *heads = (const void *)((const char *)rules + rules->heads_at);

	return heads[mixed >> (-rules->heads_log2 & 63)];
}

/* Is there an entry with this tag in the chain that begins with entry `number`? */
HOT bool rules_chain_has(const struct rules *rules, uint32_t tag, uint32_t number)
{
	const struct rule_entry *entries = rules_entries_of(rules);
	uint32_t before = rules->entries;

	while (number > 0 && number < before) {
		if (entries[number].tag == tag)
			return true;
		before = number;
		number = entries[number].next;
	}
	return false;
}

HOT bool rules_has_word(const struct rules *rules, uint64_t word)
{
	uint64_t mixed = rule_mix(word);
	uint32_t number = rules_head_of(rules, mixed);

	return number && rules_chain_has(rules, rule_tag(mixed), number);
}

HOT uint64_t rules_v4_word(uint64_t end, unsigned long shape)
{
	return (end & rules_v4_masks[shape]) | shape;
}

HOT bool rules_has_v4(const struct rules *rules, uint64_t shapes, uint64_t end, uint64_t base)
{
	for (shapes &= RULES_ALL_SHAPES(rules_v4_masks); shapes; shapes &= shapes - 1) {
		unsigned long shape = (unsigned long)__builtin_ctzll(shapes);

		if (rules_has_word(rules, rules_v4_word(end, shape) ^ base))
			return true;
	}
	return false;
}

/* A call to glance for: a bind (to a local endpoint), a connect, an accept or a send (to or
 * from a remote one), of TCP or UDP. */
struct rules_glance {
	unsigned key, place; /* rule_key(); PLACE_LOCAL or PLACE_REMOTE */
	uint64_t end;        /* address << 32 | port << 16 */
};

/* Is it certain that no policy rule matches? If not, rules_find() says; and where rules name
 * programs, or have no endpoint, the next. */
HOT bool rules_pass_v4(const struct rules *rules, struct rules_glance glance)
{
	const uint64_t *shapes = rules->shapes[glance.key][glance.place == PLACE_REMOTE][WHO_ANY];

	return rules->places[glance.key] == 1u << glance.place &&
	       !rules_has_v4(rules, shapes[0], glance.end, rule_place_word(glance.place, 0));
}

/* The same of faults; glance.key is one of theirs. */
HOT bool rules_pass_v4_faults(const struct rules *rules, struct rules_glance glance)
{
	const uint64_t *shapes = rules->shapes[glance.key][glance.place == PLACE_REMOTE][WHO_ANY];

	return rules->places[glance.key] == 1u << glance.place &&
	       !rules_has_v4(rules, shapes[0], glance.end,
	                     RULE_FAULT_WORD ^ rule_place_word(glance.place, 0));
}

/* The same of all rules. who: what a word has of the program: 0, and rules_name_hash() of its
 * name and path. */
bool rules_pass_programs(const struct rules *rules, struct rules_glance glance,
                         const uint64_t who[WHO_KINDS]);

#endif
