/* SPDX-License-Identifier: MIT */
/* clock.c - see clock.h. */
#include "sys/clock.h"

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

void clock_freeze(void)
{
	frozen_ns = clock_ns(CLOCK_MONOTONIC);
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
