/* SPDX-License-Identifier: MIT */
/* pauses.c - see pauses.h. */
#include "tools/pauses.h"

enum { QUARTERS = 4, US = 1000 };

/* Below four microseconds a bucket each; then four of equal width from one power of two
 * to the next. */
static unsigned bucket_of(uint64_t ns)
{
	uint64_t us = ns / US;
	unsigned power, bucket;

	if (us < QUARTERS)
		return (unsigned)us;
	power = 63 - (unsigned)__builtin_clzll(us);
	bucket = (power - 1) * QUARTERS + (unsigned)(us >> (power - 2) & (QUARTERS - 1));
	return bucket < PAUSES_BUCKETS ? bucket : PAUSES_BUCKETS - 1;
}

/* The middle of a bucket. */
static uint64_t middle_of(unsigned bucket)
{
	unsigned power = bucket / QUARTERS + 1;
	uint64_t width = bucket < QUARTERS ? US : (uint64_t)US << (power - 2);

	if (bucket < QUARTERS)
		return bucket * (uint64_t)US + US / 2;
	return (QUARTERS + bucket % QUARTERS) * width + width / 2;
}

void pauses_add(struct pauses *pauses, uint64_t ns)
{
	if (pauses->count == 0 || ns < pauses->shortest_ns)
		pauses->shortest_ns = ns;
	if (ns > pauses->longest_ns)
		pauses->longest_ns = ns;
	pauses->count++;
	pauses->bucket[bucket_of(ns)]++;
}

uint64_t pauses_median(const struct pauses *pauses)
{
	uint64_t before = 0, median = 0;

	for (unsigned i = 0; i < PAUSES_BUCKETS && before * 2 < pauses->count; i++) {
		before += pauses->bucket[i];
		median = middle_of(i);
	}
	if (median < pauses->shortest_ns)
		median = pauses->shortest_ns;
	return median < pauses->longest_ns ? median : pauses->longest_ns;
}
