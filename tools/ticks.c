/* SPDX-License-Identifier: MIT */
/* ticks.c - see ticks.h. */
#include "tools/ticks.h"

/* A tick of a counter between 1 MHz and 20 GHz; of one that we know nothing
 * about, 2.5 GHz. */
#define NS_PER_TICK_MIN   0.05
#define NS_PER_TICK_MAX   1000.0
#define NS_PER_TICK_GUESS 0.4

struct ticks ticks_of(const struct session_header *header)
{
	bool is_cpu = header->flags & SESSION_TICKS_CPU;

	return (struct ticks){
	        .epoch = header->epoch,
	        .real_ns = header->real_ns,
	        .is_cpu = is_cpu,
	        .ns_per_tick = is_cpu ? NS_PER_TICK_GUESS : 1,
	};
}

void ticks_learn(struct ticks *ticks, const struct clock_pair *pair)
{
	uint64_t span_ns = pair->mono_ns - ticks->epoch.mono_ns;
	uint64_t span_ticks = pair->ticks - ticks->epoch.ticks;
	double ns_per_tick;

	if (!ticks->is_cpu || pair->ticks <= ticks->epoch.ticks ||
	    pair->mono_ns <= ticks->epoch.mono_ns || span_ns <= ticks->longest_ns)
		return;
	ns_per_tick = (double)span_ns / (double)span_ticks;
	if (ns_per_tick < NS_PER_TICK_MIN || ns_per_tick > NS_PER_TICK_MAX)
		return;
	ticks->ns_per_tick = ns_per_tick;
	ticks->longest_ns = span_ns;
}

uint64_t ticks_to_ns(const struct ticks *ticks, uint64_t count)
{
	double ns = (double)count * ticks->ns_per_tick;

	return !ticks->is_cpu ? count : ns < (double)INT64_MAX ? (uint64_t)ns : INT64_MAX;
}

uint64_t ticks_to_real(const struct ticks *ticks, uint64_t since)
{
	return ticks->real_ns + ticks_to_ns(ticks, since);
}

uint64_t ticks_since(const struct ticks *ticks, uint64_t counter)
{
	return counter > ticks->epoch.ticks ? counter - ticks->epoch.ticks : 0;
}
