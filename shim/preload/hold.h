/* SPDX-License-Identifier: MIT */
/* hold.h - which sockets are held back until when.
 * A delayed call on a socket that does not wait has been answered with "later": until its time
 * comes the socket must not look ready, and the call that is made from then on goes through.
 *
 * Keyed by the socket's id, so that all descriptors of it are one. A fixed number of places;
 * one whose socket is closed is found out when a place is wanted. No locks, signal-safe; a
 * forked child has a copy of its own. */
#ifndef PRELOAD_HOLD_H
#define PRELOAD_HOLD_H

#include "preload/process.h"

/* What is held: the way in (accept, recv), the way out (send), or both and the news of how a
 * connect went. */
enum hold_side { HOLD_IN, HOLD_OUT, HOLD_CONNECT, HOLD_SIDES };

enum hold_state {
	HOLD_NONE,
	HOLD_WAITS, /* not yet */
	HOLD_OVER,  /* the next call goes through */
};

/* What the call meets that comes back: 0, or the failure that was to come late. */
struct hold_fate {
	uint16_t error, rule;
	uint8_t verdict;
};

extern _Atomic uint32_t hold_count; /* places taken */

/* Is anything held, or waiting for its call to come back? */
HOT bool hold_is_any(void)
{
	return UNLIKELY(atomic_load_explicit(&hold_count, memory_order_relaxed));
}

/* The same, or is there a rule that could begin it? */
bool hold_is_near_slow(void);
HOT bool hold_is_near(void)
{
	if (LIKELY(!hold_is_any() &&
	           !atomic_load_explicit(&process.engine.rules, memory_order_relaxed) &&
	           !atomic_load_explicit(process.rules_page, memory_order_relaxed)))
		return false;
	return hold_is_near_slow();
}

/* Hold the socket back until then, ns of CLOCK_MONOTONIC. Returns false if there is no place
 * for it, or no socket. */
bool hold_begin(int fd, enum hold_side side, uint64_t until, struct hold_fate fate);

/* How it stands, as of the last hold_release(). until: when it ends, if it waits; fate: what
 * the call meets that comes back. */
enum hold_state hold_look(int fd, enum hold_side side, uint64_t *until, struct hold_fate *fate);

/* The end of it. */
void hold_end(int fd, enum hold_side side);

/* The events of poll and epoll that an fd must not show now, 0: none, HOLD_ALL: none at all. */
#define HOLD_ALL (~UINT32_C(0))
uint32_t hold_hides(int fd);

/* Of events that were asked for, or have come, what may be seen; asked: all that were asked
 * for. HOLD_ALL: nothing, not even errors. */
uint32_t hold_leaves(uint32_t hidden, uint32_t asked, uint32_t events);

/* Let go of what is due. Returns when the next is, UINT64_MAX: nothing is held. */
uint64_t hold_release(void);

#endif
