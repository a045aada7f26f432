/* SPDX-License-Identifier: MIT */
/* sweep_plan.c - see sweep_plan.h. */
#include "tools/sweep_plan.h"

#include <stdlib.h>
#include <string.h>

#include "tools/memory.h"
#include "tools/source.h"

enum { PLAN_MAX = 1 << 20 }; /* runs: years of them */

/* A place that calls of one fault come from. */
struct place_seen {
	uint32_t count;
	size_t first; /* trial of its first call */
	UT_hash_handle hh;
	char frames[];
};

struct planner {
	struct sweep_plan plan;
	const struct sweep_wish *wish;
	struct place_seen *places;
	size_t room;
};

static struct place_seen *place_of(struct planner *planner, const char *frames)
{
	struct place_seen *place;
	size_t len = strlen(frames);

	HASH_FIND(hh, planner->places, frames, len, place);
	if (place)
		return place;
	place = memory_new(sizeof(*place) + len + 1);
	memcpy(place->frames, frames, len);
	place->first = planner->plan.count;
	HASH_ADD(hh, planner->places, frames, len, place);
	return place;
}

static void add(struct planner *planner, const struct sweep_trial *trial)
{
	struct sweep_plan *plan = &planner->plan;

	if (plan->count == PLAN_MAX) {
		plan->left_out++;
		return;
	}
	plan->trial = grow(plan->trial, plan->count, &planner->room, sizeof(*plan->trial));
	plan->trial[plan->count++] = *trial;
}

static void plan_call(struct planner *planner, uint32_t fault, uint32_t turn, const char *frames)
{
	struct place_seen *place = frames ? place_of(planner, frames) : NULL;
	struct sweep_trial trial = {.fault = fault, .turn = turn, .frames = frames};

	trial.is_repeat = place && place->count++ > 0;
	if (planner->wish->is_unique && trial.is_repeat) {
		planner->plan.alike++;
		return;
	}
	if (planner->wish->once)
		add(planner, &trial);
	trial.is_on = true;
	if (planner->wish->on)
		add(planner, &trial);
}

/* The places of a fault are all known: tell its trials how many calls each has. */
static void end_fault(struct planner *planner, size_t from)
{
	struct place_seen *place, *next;

	for (size_t i = from; i < planner->plan.count; i++) {
		struct sweep_trial *trial = &planner->plan.trial[i];

		place = trial->frames ? place_of(planner, trial->frames) : NULL;
		trial->alike = place ? place->count : 0;
	}
	HASH_ITER (hh, planner->places, place, next) {
		HASH_DEL(planner->places, place);
		free(place);
	}
}

/* Keep `most`: first calls of a place before others, in their order. */
static void cut(struct sweep_plan *plan, size_t most)
{
	size_t kept = 0, firsts = 0, others;

	for (size_t i = 0; i < plan->count; i++)
		firsts += !plan->trial[i].is_repeat;
	others = most == 0 ? plan->count : most > firsts ? most - firsts : 0;
	firsts = most == 0 || most > firsts ? firsts : most;
	for (size_t i = 0; i < plan->count; i++) {
		struct sweep_trial trial = plan->trial[i];
		size_t *left = trial.is_repeat ? &others : &firsts;

		if (*left == 0)
			continue;
		--*left;
		plan->trial[kept++] = trial;
	}
	plan->left_out += plan->count - kept;
	plan->count = kept;
}

struct sweep_plan sweep_plan(const struct sweep_faults *faults, const struct sweep_wish *wish)
{
	struct planner planner = {.wish = wish};

	for (uint32_t i = 0; i < faults->count; i++) {
		const struct sweep_probe *probe = &faults->probe[faults->fault[i].probe];
		size_t from = planner.plan.count;

		for (uint64_t turn = 1; turn <= probe->turns && turn < UINT32_MAX - 2; turn++) {
			if (planner.plan.count == PLAN_MAX) {
				planner.plan.left_out += probe->turns - turn + 1;
				break;
			}
			plan_call(&planner, i, (uint32_t)turn, sweep_probe_at(probe, turn));
		}
		end_fault(&planner, from);
	}
	cut(&planner.plan, wish->most);
	return planner.plan;
}
