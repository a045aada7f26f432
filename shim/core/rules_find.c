/* SPDX-License-Identifier: MIT */
/* rules_find.c - the first rule that matches a call, by the index. See rules_index.h
 * for what stands where. The index may have been damaged: numbers are checked as they
 * are met, and a chain goes down in the numbers of its entries, so that it ends. */
#include "core/rules_index.h"

/* What counts of an endpoint, by shape. */
struct v6_mask {
	uint64_t high, low;
	uint16_t port;
};

/* clang-format off */
#define TOP(bits, of)       ((bits) == 0 ? 0 : ~UINT64_C(0) << ((of) - (bits)))
#define PORT_TOP(bits)      (TOP(bits, 16) & 0xffff)
#define V4_MASK(bits, port) (TOP(bits, 32) << 32 | PORT_TOP(port) << 16),
#define V6_MASK(bits, port) \
	{(bits) >= 64 ? ~UINT64_C(0) : TOP((bits) % 64, 64), \
	 (bits) <= 64 ? 0 : (bits) == 128 ? ~UINT64_C(0) : TOP((bits) % 64, 64), PORT_TOP(port)},

static const uint64_t v4_masks[] = {
#define X(bits) PORT_LEVEL_LIST(V4_MASK, bits)
	V4_LEVEL_LIST(X)
#undef X
};

static const struct v6_mask v6_masks[] = {
#define X(bits) PORT_LEVEL_LIST(V6_MASK, bits)
	V6_LEVEL_LIST(X)
#undef X
};
/* clang-format on */

enum {
	V4_SHAPES = sizeof(v4_masks) / sizeof(v4_masks[0]),
	V6_SHAPES = sizeof(v6_masks) / sizeof(v6_masks[0]),
};

/* One search on its way. */
struct search {
	const struct rules *rules;
	const struct rule_query *query;
	const uint32_t *heads;
	unsigned shift; /* of a tag, to the number of its chain */
	uint32_t best;  /* the first rule that matches so far */
};

static __attribute__((noinline)) void walk(struct search *search, uint32_t tag, uint32_t number)
{
	const struct rules *rules = search->rules;
	const struct rule_entry *entries = (const void *)((const char *)rules + rules->entries_at);

	for (uint32_t before = rules->entries; number > 0 && number < before;) {
		const struct rule_entry *entry = &entries[number];

		if (entry->rule >= search->best)
			return;
		if (entry->tag == tag && rule_mismatch(rules, &rules->rule[entry->rule],
		                                       search->query) == MISMATCH_NONE) {
			search->best = entry->rule;
			return;
		}
		before = number;
		number = entry->next;
	}
}

HOT void look(struct search *search, uint64_t word)
{
	uint32_t tag = rule_tag(word);
	uint32_t number = search->heads[tag >> search->shift];

	if (number)
		walk(search, tag, number);
}

HOT void look_v4(struct search *search, uint64_t shapes, uint64_t address, uint64_t base)
{
	for (; shapes; shapes &= shapes - 1) {
		unsigned shape = (unsigned)__builtin_ctzll(shapes);

		if (shape >= V4_SHAPES)
			return;
		look(search, ((address & v4_masks[shape]) | shape) ^ base);
	}
}

static void look_v6(struct search *search, uint64_t shapes, struct ip_words ip, uint16_t port,
                    uint64_t base)
{
	for (; shapes; shapes &= shapes - 1) {
		unsigned shape = (unsigned)__builtin_ctzll(shapes);
		const struct v6_mask *mask = &v6_masks[shape];

		if (shape >= V6_SHAPES)
			return;
		look(search,
		     rule_v6_word((struct ip_words){ip.high & mask->high, ip.low & mask->low}) ^
		             (uint64_t)(port & mask->port) << 16 ^ shape ^ base);
	}
}

/* In the place of one endpoint. */
HOT void look_at_end(struct search *search, const uint64_t shapes[2], const struct endpoint *end,
                     uint64_t base)
{
	struct ip_words ip = rule_ip_words(&end->ip);

	if (rule_is_v4(ip))
		look_v4(search, shapes[0], ip.low << 32 | (uint64_t)end->port << 16, base);
	else
		look_v6(search, shapes[1], ip, end->port, base);
}

static uint64_t who_word(const struct rule_query *query, unsigned who)
{
	const char *name = who == WHO_NAME ? query->name : query->program;
	uint64_t known = who == WHO_NAME ? query->name_hash : query->program_hash;

	if (known)
		return known;
	return name ? rules_name_hash(name) : 0;
}

HOT void look_in_place(struct search *search, unsigned key, unsigned group)
{
	const struct rule_query *query = search->query;
	unsigned place = group / WHO_KINDS, who = group % WHO_KINDS;
	uint64_t base = who == WHO_ANY ? 0 : who_word(query, who);

	base ^= rule_place_word(place, place == PLACE_NONE ? key : 0);
	if (place == PLACE_REMOTE && query->has_remote)
		look_at_end(search, search->rules->shapes[key][1][who], &query->remote, base);
	else if (place == PLACE_LOCAL && query->has_local)
		look_at_end(search, search->rules->shapes[key][0][who], &query->local, base);
	else if (place == PLACE_NONE)
		look(search, base);
	else if (place == PLACE_PATH && query->path)
		look(search, base ^ rule_text_hash(query->path, query->path_len));
}

uint64_t rules_name_hash(const char *name)
{
	return rule_text_hash(name, strlen(name)) | 1;
}

uint32_t rules_find(const struct rules *rules, const struct rule_query *query)
{
	unsigned key = rule_key(query->call, query->proto);
	struct search search = {.rules = rules, .query = query, .best = rules->count};
	unsigned groups = rules->groups[key];

	if (groups == 0)
		return 0;
	search.heads = (const void *)((const char *)rules + rules->heads_at);
	search.shift = (32 - rules->heads_log2) & 31;
	for (; groups; groups &= groups - 1)
		look_in_place(&search, key, (unsigned)__builtin_ctz(groups));
	return search.best < rules->count ? search.best + 1 : 0;
}
