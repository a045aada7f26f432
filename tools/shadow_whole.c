/* SPDX-License-Identifier: MIT */
/* shadow_whole.c - several rules that together hide one. See shadow.h.
 *
 * The calls of a rule are boxes: for each call and protocol a prefix and a range of ports
 * at each end. rules_find() says which rule decides a corner of a box: if an earlier one,
 * what it leaves of the box are smaller boxes, to be looked at in turn; if none, the rule
 * is not shadowed. So there is one look-up a box, however many rules there are. */
#include "tools/shadow.h"

#include <string.h>

enum { BOXES_MAX = 2000 }; /* looked at for a rule; with more it counts as not shadowed */

enum { LOCAL, REMOTE, SIDES };

/* The endpoints that a rule means at one end. */
struct side {
	bool is_limited; /* else the rule says nothing about it: no endpoint is needed */
	bool has_prefix; /* else any address */
	bool is_v4;      /* with a prefix: IPv6 ones do not mean IPv4 */
	struct ip ip;
	unsigned bits;
	uint32_t low, high;
};

struct box {
	struct side side[SIDES];
};

struct search {
	const struct rules *rules;
	const struct rule *rule;
	struct rule_query query; /* the call, and the names */
	unsigned boxes;
};

static struct side side_of(const struct pattern *pattern)
{
	struct side side = {.high = UINT16_MAX};

	side.is_limited = pattern->flags & (PATTERN_ADDR | PATTERN_PORT);
	side.has_prefix = pattern->flags & PATTERN_ADDR;
	side.ip = pattern->ip;
	side.bits = pattern->bits;
	side.is_v4 = side.bits >= 96 && addr_is_v4(&side.ip);
	if (pattern->flags & PATTERN_PORT) {
		side.low = pattern->port_low;
		side.high = pattern->port_high;
	}
	return side;
}

/* What a rule means in a call. Returns false if it speaks twice of one end. */
static bool box_of(struct box *box, const struct rule *rule, enum op_kind call)
{
	bool is_named = rule->flags & RULE_NAMED && (call == OP_BIND || call == OP_LISTEN);

	box->side[LOCAL] = side_of(is_named && !rule->local.flags ? &rule->remote : &rule->local);
	box->side[REMOTE] = is_named ? (struct side){.high = UINT16_MAX} : side_of(&rule->remote);
	return !(is_named && rule->local.flags && rule->remote.flags);
}

static void clear_from(struct ip *ip, unsigned bits)
{
	for (unsigned i = bits; i < 128; i++)
		ip->byte[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

/* Put the first endpoint of a side into a query. */
static void put_corner(const struct side *side, bool *has, struct endpoint *end)
{
	*has = side->is_limited;
	end->port = (uint16_t)side->low;
	memset(&end->ip, 0, sizeof(end->ip));
	if (side->has_prefix) {
		end->ip = side->ip;
		clear_from(&end->ip, side->bits);
	}
}

/* Does a decide whatever of the rule's calls lies in its box? */
static bool is_plain(const struct search *search, const struct rule *a)
{
	struct rule bare = {.calls = UINT32_MAX, .protos = RULE_ANY_PROTO, .flags = a->flags};

	bare.program = a->program;
	if (a->local.flags & PATTERN_PATH)
		bare.local = a->local;
	if (a->remote.flags & PATTERN_PATH)
		bare.remote = a->remote;
	return shadow_covers(search->rules, &bare, search->rule);
}

static bool is_hidden(struct search *search, const struct box *box);

/* The parts of a side that a prefix of a leaves. Then the side is cut to that prefix. */
static bool is_rest_of_prefix_hidden(struct search *search, struct box *box, struct side *side,
                                     const struct side *a)
{
	unsigned bits = side->bits;

	for (unsigned i = bits; i < a->bits; i++) {
		side->ip = a->ip;
		side->ip.byte[i / 8] ^= (uint8_t)(0x80 >> i % 8);
		side->bits = i + 1;
		if (!is_hidden(search, box))
			return false;
	}
	if (a->bits > bits) {
		side->ip = a->ip;
		side->bits = a->bits;
	}
	return true;
}

/* Likewise of its ports. The corner is at the lowest: below a there is nothing. */
static bool is_rest_of_ports_hidden(struct search *search, struct box *box, struct side *side,
                                    const struct side *a)
{
	struct side whole = *side;

	if (a->high >= whole.high)
		return true;
	side->low = a->high + 1;
	if (!is_hidden(search, box))
		return false;
	side->low = whole.low;
	side->high = a->high;
	return true;
}

/* Any address: IPv4, and IPv6. */
static bool are_families_hidden(struct search *search, struct box *box, struct side *side)
{
	side->has_prefix = true;
	side->is_v4 = false;
	side->bits = 0;
	memset(&side->ip, 0, sizeof(side->ip));
	if (!is_hidden(search, box))
		return false;
	side->is_v4 = true;
	side->bits = 96;
	memset(side->ip.byte + 10, 0xff, 2);
	return is_hidden(search, box);
}

/* What is left of a box beside a, one of whose calls is the box's corner. */
static bool is_rest_hidden(struct search *search, struct box box, const struct box *a)
{
	for (unsigned i = 0; i < SIDES; i++) {
		struct side *side = &box.side[i];

		if (!a->side[i].is_limited)
			continue;
		if (a->side[i].has_prefix && !side->has_prefix)
			return are_families_hidden(search, &box, side);
		if (a->side[i].has_prefix &&
		    !is_rest_of_prefix_hidden(search, &box, side, &a->side[i]))
			return false;
		if (!is_rest_of_ports_hidden(search, &box, side, &a->side[i]))
			return false;
	}
	return true;
}

/* An IPv6 prefix inside that of the mapped addresses has no address. */
static bool is_empty(const struct side *side)
{
	return side->has_prefix && !side->is_v4 && side->bits >= 96 && addr_is_v4(&side->ip);
}

static bool is_hidden(struct search *search, const struct box *box)
{
	struct rule_query *query = &search->query;
	uint32_t first;
	struct box a;

	if (is_empty(&box->side[LOCAL]) || is_empty(&box->side[REMOTE]))
		return true;
	if (++search->boxes > BOXES_MAX)
		return false;
	put_corner(&box->side[LOCAL], &query->has_local, &query->local);
	put_corner(&box->side[REMOTE], &query->has_remote, &query->remote);
	first = rules_find(search->rules, query);
	if (first == 0 || &search->rules->rule[first - 1] >= search->rule)
		return false;
	if (!is_plain(search, &search->rules->rule[first - 1]) ||
	    !box_of(&a, &search->rules->rule[first - 1], query->call))
		return false;
	return is_rest_hidden(search, *box, &a);
}

bool shadow_is_whole(const struct rules *rules, uint32_t index)
{
	const struct rule *rule = &rules->rule[index];
	struct search search = {.rules = rules, .rule = rule};
	struct shadow_witness witness;
	struct box box;

	if (shadow_of(rules, index))
		return true;
	if (rule->action > ACTION_ASSIGN || !shadow_find_witness(&witness, rules, rule))
		return false;
	for (uint32_t calls = rule->calls; calls; calls &= calls - 1)
		for (unsigned protos = rule->protos; protos; protos &= protos - 1) {
			search.query = witness.query;
			search.query.call = (enum op_kind)__builtin_ctz(calls);
			search.query.proto = protos & -protos;
			if (!box_of(&box, rule, search.query.call) || !is_hidden(&search, &box))
				return false;
		}
	return true;
}
