/* SPDX-License-Identifier: MIT */
/* ticks.h - a session's ticks as time of day.
 * Finds how long a tick is from the pairs of clock readings in the session. */
#ifndef TOOLS_TICKS_H
#define TOOLS_TICKS_H

#include "core/session.h"

struct ticks {
	struct clock_pair epoch;
	uint64_t real_ns;    /* CLOCK_REALTIME at epoch */
	bool is_cpu;         /* else a tick is a nanosecond */
	uint64_t longest_ns; /* how long the rate was measured, 0: it is a guess */
	double ns_per_tick;
};

struct ticks ticks_of(const struct session_header *header);

/* Use a pair, if it makes sense and is farther from the epoch than those before. */
void ticks_learn(struct ticks *ticks, const struct clock_pair *pair);

/* A number of ticks in ns. */
uint64_t ticks_to_ns(const struct ticks *ticks, uint64_t count);

/* Ticks since the epoch as CLOCK_REALTIME. */
uint64_t ticks_to_real(const struct ticks *ticks, uint64_t since);

/* A counter value as ticks since the epoch; what is before it counts as 0. */
uint64_t ticks_since(const struct ticks *ticks, uint64_t counter);

#endif
