/* SPDX-License-Identifier: MIT */
/* clock.h - the cheapest clock that orders events: the CPU's own counter where
 * the kernel itself keeps time with it (10-17 ns), else CLOCK_MONOTONIC. */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

extern bool clock_is_cpu; /* what clock_ticks() counts: CPU ticks, else ns */

/* CLOCK_MONOTONIC; once clock_freeze() was called, the moment of that. */
uint64_t clock_slow_ticks(void);
void clock_freeze(void);

/* CLOCK_MONOTONIC or CLOCK_REALTIME in ns, without the C library. */
uint64_t clock_ns(clockid_t clock);

/* Can this process use the CPU's counter? Asks the kernel which clock it trusts
 * (sysfs), and whether prctl(PR_SET_TSC) forbids it here. */
bool clock_cpu_is_good(void);

/* From now on ticks are of this kind. */
void clock_start(bool is_cpu);

/* A span of ticks in ns, by the rate since clock_start(). */
uint64_t clock_to_ns(uint64_t ticks);

/* CLOCK_MONOTONIC at these ticks, which are of just now. The kernel is asked now and then
 * only, and never again after clock_freeze(). */
uint64_t clock_mono_at(uint64_t ticks);

static inline uint64_t clock_ticks(void)
{
	if (__builtin_expect(!clock_is_cpu, 0))
		return clock_slow_ticks();
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
#endif
}

#endif
