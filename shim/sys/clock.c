/* SPDX-License-Identifier: MIT */
/* clock.c - see clock.h. */
#include "sys/clock.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>

#include "sys/raw.h"

bool clock_is_cpu;

uint64_t clock_ns(clockid_t clock)
{
	struct timespec now = {0, 0};

	raw2(SYS_clock_gettime, clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t start_ticks, start_ns, frozen_ns;

uint64_t clock_slow_ticks(void)
{
	return frozen_ns ? frozen_ns : clock_ns(CLOCK_MONOTONIC);
}

void clock_start(bool is_cpu)
{
	clock_is_cpu = is_cpu;
	start_ticks = clock_ticks();
	start_ns = clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_to_ns(uint64_t ticks)
{
	uint64_t since = clock_ticks() - start_ticks;

	if (!clock_is_cpu || !since)
		return ticks;
	return (uint64_t)((double)ticks / (double)since *
	                  (double)(clock_ns(CLOCK_MONOTONIC) - start_ns));
}

/* A moment on both clocks and the rate since the start, for ticks up to `until`. One thread at
 * a time renews it; the others, and those that meet it half written, ask the kernel. */
static struct {
	_Atomic uint32_t turn; /* odd: being written */
	_Atomic uint64_t ticks, ns, until;
	_Atomic double rate;
} mark;

/* A mark is good for an eighth of what its rate was measured over, and less than a second.
 * If something came between the two clocks, it is none. */
static uint64_t ask_clock(void)
{
	const uint64_t near = 1 << 16, far = 1 << 30;
	uint64_t before = clock_ticks(), ns = clock_ns(CLOCK_MONOTONIC), ticks = clock_ticks();
	uint64_t since = ticks - start_ticks;
	uint32_t turn = atomic_load_explicit(&mark.turn, memory_order_relaxed);

	if (ticks - before > near || !since || turn & 1 ||
	    !atomic_compare_exchange_strong(&mark.turn, &turn, turn + 1))
		return ns;
	atomic_store_explicit(&mark.ticks, ticks, memory_order_relaxed);
	atomic_store_explicit(&mark.ns, ns, memory_order_relaxed);
	atomic_store_explicit(&mark.until, ticks + (since / 8 < far ? since / 8 : far),
	                      memory_order_relaxed);
	atomic_store_explicit(&mark.rate, (double)(ns - start_ns) / (double)since,
	                      memory_order_relaxed);
	atomic_store_explicit(&mark.turn, turn + 2, memory_order_release);
	return ns;
}

void clock_freeze(void)
{
	if (clock_is_cpu)
		ask_clock(); /* the last mark */
	frozen_ns = clock_ns(CLOCK_MONOTONIC);
}

uint64_t clock_mono_at(uint64_t ticks)
{
	uint32_t turn = atomic_load_explicit(&mark.turn, memory_order_acquire);
	uint64_t at = atomic_load_explicit(&mark.ticks, memory_order_relaxed);
	uint64_t ns = atomic_load_explicit(&mark.ns, memory_order_relaxed);
	uint64_t until = atomic_load_explicit(&mark.until, memory_order_relaxed);
	double rate = atomic_load_explicit(&mark.rate, memory_order_relaxed);

	if (!clock_is_cpu)
		return ticks;
	atomic_thread_fence(memory_order_acquire);
	if (turn & 1 || turn != atomic_load_explicit(&mark.turn, memory_order_relaxed) || !turn)
		return frozen_ns ? frozen_ns : ask_clock();
	if (ticks > until && !frozen_ns)
		return ask_clock();
	return ticks > at ? ns + (uint64_t)((double)(ticks - at) * rate) : ns;
}

bool clock_cpu_is_good(void)
{
	static const char source[] =
	        "/sys/devices/system/clocksource/clocksource0/current_clocksource";
	char name[32] = "";
	long n = raw_read_file(source, name, sizeof(name) - 1);

#if defined(__x86_64__)
	int mode = PR_TSC_ENABLE;

	if (raw5(SYS_prctl, PR_GET_TSC, &mode, 0, 0, 0) == 0 && mode != PR_TSC_ENABLE)
		return false;
	return n >= 3 && memcmp(name, "tsc", 3) == 0;
#else
	return n >= 15 && memcmp(name, "arch_sys_counter", 15) == 0;
#endif
}
