/* SPDX-License-Identifier: MIT */
/* difference.c - see difference.h. */
#include "tools/difference.h"

#include <stdlib.h>
#include <string.h>

#include "tools/grant.h"

static bool is_unix(const struct deed *deed)
{
	return deed->key.place.family == FAMILY_UNIX;
}

/* Does it count? A bind of a socket that listens there is told by its listen; a port of
 * the kernel's choice that nobody listens at is a client's. */
static bool is_thing(const struct usage *usage, const struct deed *deed)
{
	bool is_udp = deed->key.place.proto == PROTO_UDP;

	if (deed->key.call == OP_ACCEPT || deed->key.call == OP_RECV)
		return false;
	if (deed->key.call != OP_BIND || is_unix(deed) || is_udp)
		return true;
	return !usage_is_chosen(usage, deed) && !usage_has_listener(usage, deed);
}

/* The place without what changes from run to run. */
static void set_place(const struct usage *usage, const struct deed *deed, struct thing *thing)
{
	bool is_local = deed->key.call == OP_BIND || deed->key.call == OP_LISTEN;
	struct place *place = &thing->key.place;

	*place = deed->key.place;
	if (is_unix(deed)) {
		memset(place->path, 0, sizeof(place->path));
		grant_path(place->path, deed->key.place.path);
		return;
	}
	place->family = FAMILY_INET;
	if (is_local ? usage_is_chosen(usage, deed) : usage_is_loose(usage, deed))
		place->end.port = 0;
}

static void add_thing(struct thing **things, const struct usage *usage, const struct deed *deed,
                      bool by_program)
{
	struct thing like, *thing;

	memset(&like, 0, sizeof(like));
	like.key.call = deed->key.call;
	set_place(usage, deed, &like);
	if (by_program)
		memcpy(like.key.program, deed->key.program->name, sizeof(like.key.program) - 1);
	HASH_FIND(hh, *things, &like.key, sizeof(like.key), thing);
	if (!thing) {
		thing = memory_new(sizeof(*thing));
		memcpy(&thing->key, &like.key, sizeof(thing->key));
		HASH_ADD(hh, *things, key, sizeof(thing->key), thing);
	}
	programs_add(&thing->programs, deed->key.program);
	errors_merge(&thing->failed, &deed->failed);
	thing->count += deed->count;
	thing->denied += deed->denied;
}

static struct thing *things_of(const struct usage *usage, bool by_program)
{
	struct thing *things = NULL;
	const struct deed **deeds;
	size_t count;

	deeds = usage_list(usage, false, true, &count);
	for (size_t i = 0; i < count; i++)
		if (is_thing(usage, deeds[i]))
			add_thing(&things, usage, deeds[i], by_program);
	free(deeds);
	return things;
}

static int compare(const void *a, const void *b)
{
	const struct thing *one = *(const struct thing *const *)a;
	const struct thing *other = *(const struct thing *const *)b;
	int order = (int)one->key.call - (int)other->key.call;

	if (!order)
		order = place_compare(&one->key.place, &other->key.place);
	return order ? order : strcmp(one->key.program, other->key.program);
}

/* Those of things that others lacks, in order. What was denied is an attempt at something
 * new; that it was not tried again is nothing gone. */
static const struct thing **lacking(const struct thing *things, const struct thing *others,
                                    bool with_denied, size_t *count)
{
	const struct thing **list = memory_new((HASH_COUNT(things) + 1) * sizeof(*list)), *found;

	*count = 0;
	for (; things; things = things->hh.next) {
		HASH_FIND(hh, others, &things->key, sizeof(things->key), found);
		if (!found && (things->count || with_denied))
			list[(*count)++] = things;
	}
	qsort(list, *count, sizeof(*list), compare);
	return list;
}

struct difference difference_of(const struct usage *base, const struct usage *session,
                                bool by_program)
{
	struct difference difference = {.base = things_of(base, by_program),
	                                .session = things_of(session, by_program)};

	difference.fresh =
	        lacking(difference.session, difference.base, true, &difference.fresh_count);
	difference.gone =
	        lacking(difference.base, difference.session, false, &difference.gone_count);
	return difference;
}

static void free_things(struct thing *things)
{
	struct thing *thing, *next;

	HASH_ITER (hh, things, thing, next) {
		HASH_DEL(things, thing);
		free(thing);
	}
}

void difference_free(struct difference *difference)
{
	free(difference->fresh);
	free(difference->gone);
	free_things(difference->base);
	free_things(difference->session);
}
