/* SPDX-License-Identifier: MIT */
/* sweep_judge.c - see sweep_judge.h. */
#include "tools/sweep_judge.h"

#include <string.h>

enum {
	SPIN_CALLS = 100, /* failures in a row */
	BUSY_PERCENT = 80,
	STATUS_ERROR_MAX = 125, /* above are those that shells use */
	STATUS_SIGNAL = 128,
	SIGNAL_LAST = 31,
};

/* Shorter, it is a few quick attempts. */
#define SPIN_LEAST_NS ((uint64_t)100 * 1000 * 1000)
#define SECOND_NS     ((uint64_t)1000 * 1000 * 1000)

static uint64_t rate_of(const struct sweep_seen *seen)
{
	return seen->streak_ns
	               ? (uint64_t)((double)seen->streak * SECOND_NS / (double)seen->streak_ns)
	               : 0;
}

static bool is_spin(const struct sweep_seen *seen)
{
	return seen->streak >= SPIN_CALLS && seen->streak_ns >= SPIN_LEAST_NS &&
	       rate_of(seen) >= SWEEP_SPIN_RATE;
}

static bool is_busy(const struct sweep_end *end)
{
	return end->busy_ns / BUSY_PERCENT >= end->took_ns / 100;
}

/* The signal that a crash comes from; 128+N is what a shell makes of its child's. */
static int signal_of(const struct sweep_end *end)
{
	if (end->signal)
		return end->signal;
	return end->status > STATUS_SIGNAL && end->status <= STATUS_SIGNAL + SIGNAL_LAST
	               ? end->status - STATUS_SIGNAL
	               : 0;
}

/* A process that died without a word may have been ended by the program itself, as part of
 * giving up; where the program says that all is well, it has crashed unnoticed. */
static enum sweep_did judge_end(const struct sweep_normal *normal, const struct sweep_end *end,
                                const struct sweep_seen *seen)
{
	if (end->status != normal->status)
		return end->status == 0 || end->status > STATUS_ERROR_MAX ? SWEEP_STATUS
		                                                          : SWEEP_ERROR;
	if (seen->vanished > normal->vanished)
		return SWEEP_CRASH;
	if (seen->leaks > normal->leaks)
		return SWEEP_LEAK;
	if (!normal->is_unstable && end->output != normal->output)
		return SWEEP_OUTPUT;
	return SWEEP_SAME;
}

static enum sweep_did judge(const struct sweep_normal *normal, const struct sweep_end *end,
                            const struct sweep_seen *seen)
{
	if (!end->timed_out && (end->signal || (signal_of(end) && end->status != normal->status)))
		return SWEEP_CRASH;
	if (is_spin(seen))
		return SWEEP_SPIN;
	if (end->timed_out)
		return is_busy(end) ? SWEEP_SPIN : SWEEP_HANG;
	if (!seen->fired)
		return SWEEP_UNFIRED;
	return judge_end(normal, end, seen);
}

struct sweep_result sweep_judge(const struct sweep_normal *normal, const struct sweep_end *end,
                                const struct sweep_seen *seen)
{
	struct sweep_result result = {.did = judge(normal, end, seen),
	                              .status = end->signal ? -1 : end->status,
	                              .took_ns = end->took_ns};

	if (result.did == SWEEP_CRASH)
		result.signal = signal_of(end);
	if (!end->timed_out && seen->vanished > normal->vanished)
		result.vanished = seen->vanished - normal->vanished;
	if (result.did == SWEEP_SPIN && is_spin(seen))
		result.rate = rate_of(seen);
	if (seen->leaks > normal->leaks)
		result.leaks = seen->leaks - normal->leaks;
	memcpy(result.said, end->said, sizeof(result.said));
	return result;
}
