/* SPDX-License-Identifier: MIT */
/* waiting.h - accepts that wait, each with a place of a socket that it may make. One that never
 * returns - its thread was cancelled, or a handler has jumped out of it - would keep the place
 * for ever: who counts anew looks for those, and gives their places back. */
#ifndef PRELOAD_WAITING_H
#define PRELOAD_WAITING_H

#include "preload/process.h"

/* An accept has its place. */
void waiting_begin(struct call *call);

/* It has returned. */
void waiting_end_slow(struct call *call);
HOT void waiting_end(struct call *call)
{
	if (UNLIKELY(call->verdict.held) && call->waiting)
		waiting_end_slow(call);
}

/* Give back what those hold whose threads are gone. */
void waiting_sweep(void);

/* In a forked child nobody waits. */
void waiting_entered(void);

#endif
