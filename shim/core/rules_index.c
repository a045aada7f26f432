/* SPDX-License-Identifier: MIT */
/* rules_index.c - builds the index of a set of rules. See rules_index.h.
 *
 * Entries are made from the last rule to the first and each is put before its
 * chain: so chains have the rules in their order. */
#include "core/rules_index.h"

#define BITS(bits)           bits,
#define LEVEL_BITS(level, b) b,
static const uint8_t v4_levels[] = {V4_LEVEL_LIST(BITS)};
static const uint8_t v6_levels[] = {V6_LEVEL_LIST(BITS)};
static const uint8_t port_levels[] = {PORT_LEVEL_LIST(LEVEL_BITS, 0)};

enum {
	KEYS_MAX = RULE_KEYS - RULE_FAULTS - 4, /* of a rule without an endpoint */
	ENTRIES_MAX = KEYS_MAX,                 /* of any rule */
	HEADS_PER_ENTRY = 8,                    /* 4 to 8 */
	HEADS_LOG2_MIN = 6,
	ALIGNMENT = 64,
};
_Static_assert(2 * (int)RULE_BLOCKS <= (int)ENTRIES_MAX && (int)RULE_FAULTS <= (int)ENTRIES_MAX,
               "rules_index_room() counts the most");

/* The making of an index. */
struct maker {
	struct rules *rules;
	struct rule_entry *entries;
	uint32_t room; /* entries that fit, with number 0 */
};

/* What a pattern is in the index. */
struct shape {
	struct ip_words ip; /* cut to its level */
	bool is_v4, is_v6;  /* addresses that it could match; both: any */
	unsigned level, port_level;
	unsigned block, blocks; /* of the level */
};

static bool is_exact(const char *text, size_t len)
{
	return !memchr(text, '*', len) && !memchr(text, '?', len);
}

static bool add_entry(struct maker *maker, uint64_t word, uint32_t rule)
{
	struct rules *rules = maker->rules;

	if (rules->entries >= maker->room)
		return false;
	maker->entries[rules->entries++] =
	        (struct rule_entry){.tag = rule_tag(rule_mix(word)), .rule = rule};
	return true;
}

static unsigned level_of(const uint8_t *levels, unsigned n, unsigned bits)
{
	while (n > 1 && levels[n - 1] > bits)
		n--;
	return n - 1;
}

static uint64_t top_bits(unsigned bits, unsigned of)
{
	return bits == 0 ? 0 : bits >= of ? ~UINT64_C(0) : ~UINT64_C(0) << (of - bits);
}

static void shape_address(struct shape *shape, const struct pattern *pattern)
{
	struct ip_words ip = rule_ip_words(&pattern->ip);
	unsigned bits = pattern->bits > 128 ? 128 : pattern->bits;

	if (rule_is_v4(ip) && bits >= 96) {
		shape->is_v6 = false;
		shape->level = level_of(v4_levels, sizeof(v4_levels), bits - 96);
		shape->ip.low = ip.low & top_bits(v4_levels[shape->level], 32) & UINT32_MAX;
		return;
	}
	shape->is_v4 = false;
	shape->level = level_of(v6_levels, sizeof(v6_levels), bits);
	bits = v6_levels[shape->level];
	shape->ip.high = ip.high & top_bits(bits, 64);
	shape->ip.low = ip.low & (bits <= 64 ? 0 : top_bits(bits - 64, 64));
}

/* The finest level at which few blocks cover the range. */
static void shape_ports(struct shape *shape, unsigned low, unsigned high)
{
	for (unsigned level = PORT_LEVELS - 1; level > 0; level--) {
		unsigned cut = 16 - port_levels[level];

		shape->block = low >> cut;
		shape->blocks = (high >> cut) - (low >> cut) + 1;
		shape->port_level = level;
		if (shape->blocks <= RULE_BLOCKS)
			return;
	}
	shape->block = shape->port_level = 0;
	shape->blocks = 1;
}

static struct shape shape_of(const struct pattern *pattern)
{
	struct shape shape = {.is_v4 = true, .is_v6 = true, .blocks = 1};

	if (pattern->flags & PATTERN_ADDR)
		shape_address(&shape, pattern);
	if (pattern->flags & PATTERN_PORT && pattern->port_low <= pattern->port_high)
		shape_ports(&shape, pattern->port_low, pattern->port_high);
	return shape;
}

/* The word of a block of a shape, as look_v4() and look_v6() make it of a call. */
static uint64_t shape_word(const struct shape *shape, unsigned block)
{
	uint64_t address = shape->is_v6 ? 0 : shape->ip.low << 32;
	uint64_t port = shape->port_level == 0
	                        ? 0
	                        : (uint64_t)block << (16 - port_levels[shape->port_level]);

	if (!shape->is_v4)
		address = rule_v6_word(shape->ip);
	return address ^ port << 16 ^ (shape->level * PORT_LEVELS + shape->port_level);
}

static bool add_shape(struct maker *maker, const struct shape *shape, uint64_t base, uint32_t rule)
{
	for (unsigned i = 0; i < shape->blocks; i++)
		if (!add_entry(maker, shape_word(shape, shape->block + i) ^ base, rule))
			return false;
	return true;
}

/* Say in the head of the index that a key has a rule in a place, and in which shape. */
static void note_place(struct rules *rules, unsigned key, unsigned place, unsigned who,
                       const struct shape *shape)
{
	uint64_t *shapes = rules->shapes[key][place == PLACE_REMOTE][who], bit;

	rules->places[key] |= (uint16_t)(1 << (who * PLACES + place));
	if (!shape)
		return;
	bit = UINT64_C(1) << (shape->level * PORT_LEVELS + shape->port_level);
	shapes[0] |= shape->is_v4 ? bit : 0;
	shapes[1] |= shape->is_v6 ? bit : 0;
}

/* The exact path that a rule names, if it does. */
static bool rule_path(const struct rules *rules, const struct rule *rule, const char **path,
                      size_t *len)
{
	const struct pattern *pattern =
	        rule->remote.flags & PATTERN_PATH ? &rule->remote : &rule->local;

	if (!(pattern->flags & PATTERN_PATH))
		return false;
	*path = rules_text(rules, pattern->path, len);
	return is_exact(*path, *len);
}

/* Where a rule stands for a call, and which of its patterns stands there. */
static unsigned rule_place(const struct rules *rules, const struct rule *rule, enum op_kind call,
                           const struct pattern **pattern)
{
	const char *path;
	size_t len;

	*pattern = NULL;
	if (rule_path(rules, rule, &path, &len))
		return PLACE_PATH;
	if ((rule->local.flags | rule->remote.flags) & PATTERN_PATH)
		return PLACE_NONE;
	if (rule->local.flags && (rule_names_local(call) || !rule->remote.flags)) {
		*pattern = &rule->local;
		return PLACE_LOCAL;
	}
	if (!rule->remote.flags)
		return PLACE_NONE;
	*pattern = &rule->remote;
	return rule->flags & RULE_NAMED && rule_names_local(call) ? PLACE_LOCAL : PLACE_REMOTE;
}

/* Which programs, as a kind and its part of the word. */
static unsigned rule_who(const struct rules *rules, const struct rule *rule, uint64_t *word)
{
	size_t len;
	const char *name = rules_text(rules, rule->program, &len);

	*word = 0;
	if (!(rule->flags & RULE_PROGRAM) || !is_exact(name, len))
		return WHO_ANY;
	*word = rule_text_hash(name, len) | 1;
	return memchr(name, '/', len) ? WHO_PROGRAM : WHO_NAME;
}

static unsigned key_of(const struct rule *rule, enum op_kind call, unsigned proto)
{
	return rule_is_fault(rule) ? rule_fault_key(call, proto) : rule_key(call, proto);
}

/* Enter a rule of no endpoint and no path: under each of its keys. */
static bool add_keys(struct maker *maker, uint32_t number, enum op_kind call, uint64_t base)
{
	const struct rule *rule = &maker->rules->rule[number];

	for (unsigned proto = 1; proto <= RULE_OTHER; proto <<= 1) {
		uint64_t word = rule_place_word(PLACE_NONE, key_of(rule, call, proto));

		if (rule->protos & proto && !add_entry(maker, word ^ base, number))
			return false;
	}
	return true;
}

/* Rules are entered from the last to the first. */
static void note_key(struct rules *rules, uint32_t number, unsigned key, unsigned place,
                     unsigned who, const struct shape *shape)
{
	struct rule_span *span;

	note_place(rules, key, place, who, shape);
	if (key < RULE_FAULTS)
		return;
	span = &rules->span[key - RULE_FAULTS];
	span->first = (uint16_t)(number + 1);
	if (!span->last)
		span->last = span->first;
}

/* Enter a rule for one call; `places` are those where it stands already. */
static bool add_call(struct maker *maker, uint32_t number, enum op_kind call, unsigned *places)
{
	struct rules *rules = maker->rules;
	const struct rule *rule = &rules->rule[number];
	const struct pattern *pattern;
	unsigned place = rule_place(rules, rule, call, &pattern);
	struct shape shape = {.blocks = 0};
	uint64_t word;
	unsigned who = rule_who(rules, rule, &word);
	const char *path;
	size_t len;

	if (pattern)
		shape = shape_of(pattern);
	for (unsigned proto = 1; proto <= RULE_OTHER; proto <<= 1)
		if (rule->protos & proto)
			note_key(rules, number, key_of(rule, call, proto), place, who,
			         pattern ? &shape : NULL);
	if (rule_is_fault(rule))
		word ^= RULE_FAULT_WORD;
	if (place == PLACE_NONE)
		return add_keys(maker, number, call, word);
	if (*places & 1u << place)
		return true;
	*places |= 1u << place;
	word ^= rule_place_word(place, 0);
	if (pattern)
		return add_shape(maker, &shape, word, number);
	return rule_path(rules, rule, &path, &len) &&
	       add_entry(maker, rule_text_hash(path, len) ^ word, number);
}

static bool add_rule(struct maker *maker, uint32_t number)
{
	struct rules *rules = maker->rules;
	const struct rule *rule = &rules->rule[number];
	unsigned places = 0;

	rules->flags |= rule->flags;
	rules->actions |= UINT32_C(1) << rule->action;
	rules->limits |= UINT32_C(1) << rule->limit;
	if (rule_is_fault(rule))
		rules->fault_calls |= rule->calls;
	else if (rule->action == ACTION_LIMIT)
		rules->limit_calls |= rule->calls;
	if (rule->action > ACTION_ASSIGN && !rule_is_fault(rule))
		return true;
	for (unsigned call = 0; call < OP_KINDS; call++) {
		if (!(rule->calls & RULE_CALL(call)) ||
		    rule_is_no_key(key_of(rule, (enum op_kind)call, RULE_TCP)))
			continue;
		if (rule->action <= ACTION_ASSIGN)
			rules->calls |= RULE_CALL(call);
		if (!add_call(maker, number, (enum op_kind)call, &places))
			return false;
	}
	return true;
}

/* Put every entry into its chain. */
static bool link_entries(struct rules *rules, struct rule_entry *entries, size_t size)
{
	uint32_t *heads = (uint32_t *)(entries + rules->entries);

	rules->heads_at = rules->entries_at + rules->entries * (uint32_t)sizeof(struct rule_entry);
	rules->heads_log2 = HEADS_LOG2_MIN;
	while (UINT32_C(1) << rules->heads_log2 < HEADS_PER_ENTRY / 2 * rules->entries)
		rules->heads_log2++;
	if (rules->heads_at + (sizeof(uint32_t) << rules->heads_log2) > size)
		return false;
	for (uint32_t i = 1; i < rules->entries; i++) {
		uint32_t *head = &heads[entries[i].tag >> (32 - rules->heads_log2)];

		entries[i].next = *head;
		*head = i;
	}
	rules->bytes = rules->heads_at + (uint32_t)(sizeof(uint32_t) << rules->heads_log2);
	return true;
}

bool rules_index(struct rules *rules, size_t size)
{
	size_t at = ((size_t)rules->texts_at + rules->texts_bytes + ALIGNMENT - 1) / ALIGNMENT *
	            ALIGNMENT;
	struct maker maker = {rules, (struct rule_entry *)((char *)rules + at), 0};

	if (at + sizeof(struct rule_entry) > size || size > UINT32_MAX)
		return false;
	maker.room = (uint32_t)((size - at) / sizeof(struct rule_entry));
	rules->entries_at = (uint32_t)at;
	rules->entries = 1;
	for (uint32_t i = rules->count; i-- > 0;)
		if (!add_rule(&maker, i))
			return false;
	return link_entries(rules, maker.entries, size);
}

size_t rules_index_room(size_t count)
{
	size_t entries = count * ENTRIES_MAX + 1;

	return ALIGNMENT + (sizeof(uint32_t) << HEADS_LOG2_MIN) +
	       entries * (sizeof(struct rule_entry) + HEADS_PER_ENTRY * sizeof(uint32_t));
}
