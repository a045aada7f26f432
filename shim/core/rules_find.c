/* SPDX-License-Identifier: MIT */
/* rules_find.c - the first rule that matches a call, by the index. See rules_index.h
 * for what stands where. The index may have been damaged: numbers are checked as they
 * are met, and a chain goes down in the numbers of its entries, so that it ends. */
#include "core/rules_glance.h"

/* What counts of an endpoint, by shape. */
struct v6_mask {
	uint64_t high, low;
	uint16_t port;
};

/* clang-format off */
#define ALL       (~UINT64_C(0))
#define TOP(bits)           (ALL << (63 - (bits) % 64) << 1) /* of 64; 64 counts as none */
#define V6_MASK(bits, port) \
	{(bits) >= 64 ? ALL : TOP(bits), (bits) == 128 ? ALL : (bits) >= 64 ? TOP(bits) : 0, \
	 ALL << (16 - (port)) & 0xffff},

static const struct v6_mask v6_masks[] = {
#define X(bits) PORT_LEVEL_LIST(V6_MASK, bits)
	V6_LEVEL_LIST(X)
#undef X
};
/* clang-format on */

HOT uint64_t v4_address(const struct endpoint *end)
{
	return rule_number(end->ip.byte + 8) << 32 | (uint64_t)end->port << 16;
}

HOT uint64_t v6_word(struct ip_words ip, uint16_t port, unsigned long shape)
{
	const struct v6_mask *mask = &v6_masks[shape];
	struct ip_words cut = {ip.high & mask->high, ip.low & mask->low};

	return rule_v6_word(cut) ^ (uint64_t)(port & mask->port) << 16 ^ shape;
}

/* ---- is anything there: entries are told by their tags, no call is made ---- */

HOT bool has_v6(const struct rules *rules, uint64_t shapes, const struct endpoint *end,
                uint64_t base)
{
	struct ip_words ip = rule_ip_words(&end->ip);

	for (shapes &= RULES_ALL_SHAPES(v6_masks); shapes; shapes &= shapes - 1) {
		unsigned long shape = (unsigned long)__builtin_ctzll(shapes);

		if (rules_has_word(rules, v6_word(ip, end->port, shape) ^ base))
			return true;
	}
	return false;
}

/* shapes: those of IPv4, and of IPv6. */
HOT bool has_end(const struct rules *rules, const uint64_t shapes[2], const struct endpoint *end,
                 uint64_t base)
{
	if (rule_is_v4(rule_ip_words(&end->ip)))
		return rules_has_v4(rules, shapes[0], v4_address(end), base);
	return has_v6(rules, shapes[1], end, base);
}

/* Rules of one kind of program; `places` are those that have some. */
HOT bool has_who(const struct rules *rules, const struct rule_query *query, unsigned key,
                 unsigned places, unsigned who, uint64_t base)
{
	if (places & 1 << PLACE_NONE &&
	    rules_has_word(rules, base ^ rule_place_word(PLACE_NONE, key)))
		return true;
	if (places & 1 << PLACE_REMOTE && query->has_remote &&
	    has_end(rules, rules->shapes[key][1][who], &query->remote,
	            base ^ rule_place_word(PLACE_REMOTE, 0)))
		return true;
	if (places & 1 << PLACE_LOCAL && query->has_local &&
	    has_end(rules, rules->shapes[key][0][who], &query->local,
	            base ^ rule_place_word(PLACE_LOCAL, 0)))
		return true;
	return places & 1 << PLACE_PATH && query->path &&
	       rules_has_word(rules, base ^ rule_text_hash(query->path, query->path_len) ^
	                                     rule_place_word(PLACE_PATH, 0));
}

/* ---- which of it matches ---- */

/* What is looked for: a policy rule, or a fault from this rule on. */
struct goal {
	bool is_fault;
	uint32_t from;
};

static bool is_wanted(const struct rules *rules, struct goal goal, uint32_t index)
{
	return index >= goal.from && rule_is_fault(&rules->rule[index]) == goal.is_fault;
}

/* The first rule under a word that matches, as number from 1, if it comes before rule
 * `best` (0: none so far); else best. */
static uint32_t walk(const struct rules *rules, const struct rule_query *query, struct goal goal,
                     uint64_t word, uint32_t best)
{
	const struct rule_entry *entries = rules_entries_of(rules);
	uint64_t mixed = rule_mix(word);
	uint32_t number = rules_head_of(rules, mixed);
	uint32_t limit = best ? best - 1 : rules->count, before = rules->entries;

	while (number > 0 && number < before && entries[number].rule < limit) {
		const struct rule_entry *entry = &entries[number];

		if (entry->tag == rule_tag(mixed) && is_wanted(rules, goal, entry->rule) &&
		    rule_mismatch(rules, &rules->rule[entry->rule], query) == MISMATCH_NONE)
			return entry->rule + 1;
		before = number;
		number = entry->next;
	}
	return best;
}

static uint32_t walk_end(const struct rules *rules, const struct rule_query *query,
                         struct goal goal, const uint64_t shapes[2], const struct endpoint *end,
                         uint64_t base, uint32_t best)
{
	struct ip_words ip = rule_ip_words(&end->ip);
	bool is_v4 = rule_is_v4(ip);
	uint64_t left = is_v4 ? shapes[0] & RULES_ALL_SHAPES(rules_v4_masks)
	                      : shapes[1] & RULES_ALL_SHAPES(v6_masks);

	for (; left; left &= left - 1) {
		unsigned long shape = (unsigned long)__builtin_ctzll(left);
		uint64_t word = is_v4 ? rules_v4_word(v4_address(end), shape)
		                      : v6_word(ip, end->port, shape);

		best = walk(rules, query, goal, word ^ base, best);
	}
	return best;
}

static uint32_t walk_who(const struct rules *rules, const struct rule_query *query,
                         struct goal goal, unsigned key, unsigned places, unsigned who,
                         uint64_t base)
{
	uint32_t best = 0;

	if (places & 1 << PLACE_NONE)
		best = walk(rules, query, goal, base ^ rule_place_word(PLACE_NONE, key), best);
	if (places & 1 << PLACE_REMOTE && query->has_remote)
		best = walk_end(rules, query, goal, rules->shapes[key][1][who], &query->remote,
		                base ^ rule_place_word(PLACE_REMOTE, 0), best);
	if (places & 1 << PLACE_LOCAL && query->has_local)
		best = walk_end(rules, query, goal, rules->shapes[key][0][who], &query->local,
		                base ^ rule_place_word(PLACE_LOCAL, 0), best);
	if (places & 1 << PLACE_PATH && query->path)
		best = walk(rules, query, goal,
		            base ^ rule_text_hash(query->path, query->path_len) ^
		                    rule_place_word(PLACE_PATH, 0),
		            best);
	return best;
}

/* ---- both ---- */

static const struct goal policy = {.is_fault = false};

static uint32_t first_of(uint32_t a, uint32_t b)
{
	return a == 0 || (b && b < a) ? b : a;
}

static uint64_t who_word(const struct rule_query *query, unsigned who)
{
	const char *name = who == WHO_NAME ? query->name : query->program;
	uint64_t known = who == WHO_NAME ? query->name_hash : query->program_hash;

	if (known)
		return known;
	return name ? rules_name_hash(name) : 0;
}

/* With rules that name programs: those of any program have given `best`. */
static __attribute__((noinline)) uint32_t find_in(const struct rules *rules,
                                                  const struct rule_query *query, uint32_t best)
{
	unsigned key = rule_key(query->call, query->proto);
	unsigned places = rules->places[key] >> PLACES;

	for (unsigned who = WHO_NAME; places; who++, places >>= PLACES) {
		uint64_t base;

		if (who == WHO_KINDS)
			break;
		if (!(places & ((1 << PLACES) - 1)))
			continue;
		base = who_word(query, who);
		if (has_who(rules, query, key, places, who, base))
			best = first_of(best,
			                walk_who(rules, query, policy, key, places, who, base));
	}
	return best;
}

static __attribute__((noinline)) uint32_t find_any(const struct rules *rules,
                                                   const struct rule_query *query)
{
	unsigned key = rule_key(query->call, query->proto);
	unsigned places = rules->places[key];
	uint32_t best = walk_who(rules, query, policy, key, places, WHO_ANY, 0);

	return places >> PLACES ? find_in(rules, query, best) : best;
}

uint64_t rules_name_hash(const char *name)
{
	return rule_text_hash(name, strlen(name)) | 1;
}

static __attribute__((noinline)) uint32_t find_everywhere(const struct rules *rules,
                                                          const struct rule_query *query)
{
	unsigned key = rule_key(query->call, query->proto);
	unsigned places = rules->places[key];

	if (has_who(rules, query, key, places, WHO_ANY, 0))
		return find_any(rules, query);
	return places >> PLACES ? find_in(rules, query, 0) : 0;
}

static __attribute__((noinline)) uint32_t find_path(const struct rules *rules,
                                                    const struct rule_query *query)
{
	uint64_t word = rule_place_word(PLACE_PATH, 0);

	if (!query->path)
		return 0;
	word ^= rule_text_hash(query->path, query->path_len);
	return rules_has_word(rules, word) ? walk(rules, query, policy, word, 0) : 0;
}

/* Most often all rules of a call stand in one place: these ways are short. */
uint32_t rules_find(const struct rules *rules, const struct rule_query *query)
{
	unsigned key = rule_key(query->call, query->proto);
	unsigned places = rules->places[key];
	bool is_remote = places == 1 << PLACE_REMOTE;
	const struct endpoint *end = is_remote ? &query->remote : &query->local;

	if (places == 0)
		return 0;
	if ((places & ((1 << PLACES) - 1)) == 0)
		return find_in(rules, query, 0);
	if (places == 1 << PLACE_PATH)
		return find_path(rules, query);
	if (is_remote ? !query->has_remote : places != 1 << PLACE_LOCAL || !query->has_local)
		return find_everywhere(rules, query);
	if (!rule_is_v4(rule_ip_words(&end->ip)))
		return find_everywhere(rules, query);
	if (rules_has_v4(rules, rules->shapes[key][is_remote][WHO_ANY][0], v4_address(end),
	                 rule_place_word(is_remote ? PLACE_REMOTE : PLACE_LOCAL, 0)))
		return find_any(rules, query);
	return 0;
}

/* ---- faults ---- */

/* By the index. */
static __attribute__((noinline)) uint32_t find_fault(const struct rules *rules,
                                                     const struct rule_query *query, unsigned key,
                                                     uint32_t after)
{
	unsigned places = rules->places[key];
	struct goal goal = {.is_fault = true, .from = after};
	uint32_t best = 0;

	for (unsigned who = WHO_ANY; places && who < WHO_KINDS; who++, places >>= PLACES) {
		uint64_t base = RULE_FAULT_WORD;

		if (!(places & ((1 << PLACES) - 1)))
			continue;
		if (who != WHO_ANY)
			base ^= who_word(query, who);
		if (has_who(rules, query, key, places, who, base))
			best = first_of(best, walk_who(rules, query, goal, key, places, who, base));
	}
	return best;
}

/* Most often a call has one fault, if any: then there is nothing to search. */
uint32_t rules_next_fault(const struct rules *rules, const struct rule_query *query, uint32_t after)
{
	unsigned key = rule_fault_key(query->call, query->proto);
	struct rule_span span = rules->span[key - RULE_FAULTS];

	if (after >= span.last)
		return 0;
	if (span.first != span.last)
		return find_fault(rules, query, key, after);
	return span.first <= rules->count && rule_is_fault(&rules->rule[span.first - 1]) &&
	                       rule_mismatch(rules, &rules->rule[span.first - 1], query) ==
	                               MISMATCH_NONE
	               ? span.first
	               : 0;
}

/* ---- at a glance ---- */

/* Of the rules of one kind of program; places: where there are some. */
static bool pass_who(const struct rules *rules, struct rules_glance glance, unsigned who,
                     unsigned places, uint64_t base)
{
	const uint64_t *shapes = rules->shapes[glance.key][glance.place == PLACE_REMOTE][who];

	if (places & ~(1u << PLACE_NONE | 1u << glance.place))
		return false;
	if (places & 1u << PLACE_NONE &&
	    rules_has_word(rules, base ^ rule_place_word(PLACE_NONE, glance.key)))
		return false;
	return !(places & 1u << glance.place) ||
	       !rules_has_v4(rules, shapes[0], glance.end, base ^ rule_place_word(glance.place, 0));
}

bool rules_pass_programs(const struct rules *rules, struct rules_glance glance,
                         const uint64_t who[WHO_KINDS])
{
	unsigned places = rules->places[glance.key];

	for (unsigned i = WHO_ANY; places; i++, places >>= PLACES)
		if (i == WHO_KINDS ||
		    !pass_who(rules, glance, i, places & ((1u << PLACES) - 1), who[i]))
			return false;
	return true;
}
