/* SPDX-License-Identifier: MIT */
/* rulesets.c - see rulesets.h.
 * Each set names the page of the one before. A page only counts if it ends before
 * the newer set begins, so that the chain has an end and no byte is read twice. */
#include "tools/rulesets.h"

#include <stdlib.h>

#include "tools/memory.h"

enum {
	SETS_MAX = 1024,
	SET_BYTES_MAX = 64 << 20,   /* RULES_MAX rules with long names have room */
	SETS_BYTES_MAX = 256 << 20, /* of all together; older sets are left out */
};

/* Read what is behind a head into memory of its own, or NULL if it is no set. */
static struct rules *read_set(const struct source *source, uint64_t at, size_t bytes)
{
	struct rules *rules = aligned_alloc(_Alignof(struct rules), bytes);

	if (!rules)
		memory_gone();
	if (source_read(source, rules, bytes, at) == bytes && rules_are_sound(rules, bytes))
		return rules;
	free(rules);
	return NULL;
}

/* The whole pages that a set of this size has behind its head's line. */
static size_t room_of(const struct session_chunk *head)
{
	return (size_t)head->pages * SESSION_PAGE - SESSION_LINE;
}

/* Read the set at a page that must end before another. Returns NULL if there is none. */
static struct rules *load(const struct source *source, uint32_t page, uint32_t before)
{
	uint64_t at = (uint64_t)page * SESSION_PAGE;
	struct session_chunk head = {0};
	struct rules *rules;

	if (page < SESSION_PAGES_FIRST || page >= before)
		return NULL;
	if (source_read(source, &head, sizeof(head), at) < sizeof(head) ||
	    head.magic != SESSION_CHUNK_MAGIC || head.class != SESSION_CHUNK_RULES)
		return NULL;
	if (head.pages == 0 || head.pages > before - page ||
	    head.pages > SET_BYTES_MAX / SESSION_PAGE)
		return NULL;
	rules = read_set(source, at + SESSION_LINE, room_of(&head));
	if (!rules || session_rules_pages(rules->bytes) == head.pages)
		return rules;
	free(rules);
	return NULL;
}

static void add(struct rulesets *sets, struct ruleset set, size_t *room)
{
	sets->set = grow(sets->set, sets->count, room, sizeof(set));
	sets->set[sets->count++] = set;
}

/* They were found from the newest back: turn them round, and number them. What the
 * newest says of its number holds where older ones are left out. */
static void put_in_order(struct rulesets *sets)
{
	uint32_t last = sets->count > 0 ? sets->set[0].rules->number : 0;

	if (last < sets->count)
		last = (uint32_t)sets->count;
	for (size_t i = 0; i < sets->count; i++)
		sets->set[i].number = last - (uint32_t)i;
	for (size_t i = 0; i < sets->count / 2; i++) {
		struct ruleset newer = sets->set[i];

		sets->set[i] = sets->set[sets->count - 1 - i];
		sets->set[sets->count - 1 - i] = newer;
	}
}

void rulesets_look(struct rulesets *sets, const struct source *source, uint32_t page,
                   const struct ticks *ticks)
{
	uint32_t before = (uint32_t)((source->bytes + SESSION_PAGE - 1) / SESSION_PAGE);
	struct ruleset set;
	uint64_t bytes = 0;
	size_t room = 0;

	rulesets_free(sets);
	sets->page = page;
	while (page && sets->count < SETS_MAX && bytes < SETS_BYTES_MAX) {
		struct rules *rules = load(source, page, before);

		if (!rules) {
			sets->damaged = 1;
			break;
		}
		set = (struct ruleset){.rules = rules, .page = page};
		set.since = ticks_since(ticks, rules->since);
		set.since_ns = ticks_to_real(ticks, set.since);
		add(sets, set, &room);
		bytes += rules->bytes;
		before = page;
		page = rules->before;
	}
	put_in_order(sets);
}

void rulesets_free(struct rulesets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		free(sets->set[i].rules);
	free(sets->set);
	*sets = (struct rulesets){.set = NULL};
}

const struct ruleset *rulesets_at(const struct rulesets *sets, uint64_t when)
{
	for (size_t i = sets->count; i > 0; i--)
		if (i == 1 || sets->set[i - 1].since <= when)
			return &sets->set[i - 1];
	return NULL;
}

const struct rule *ruleset_rule(const struct ruleset *set, uint32_t number)
{
	return number > 0 && number <= set->rules->count ? &set->rules->rule[number - 1] : NULL;
}

size_t ruleset_idle(const struct ruleset *set)
{
	size_t count = 0;

	for (uint32_t i = 0; i < set->rules->count; i++)
		count += set->rules->rule[i].matched == 0;
	return count;
}
