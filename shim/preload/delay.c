/* SPDX-License-Identifier: MIT */
/* delay.c - see delay.h. */
#include "preload/delay.h"

#include <time.h>

#include "sys/raw.h"

bool delay_call(struct call *call, enum op_kind kind, struct aim *aim)
{
	struct timespec left = {(time_t)(call->verdict.delay_ns / 1000000000),
	                        (long)(call->verdict.delay_ns % 1000000000)};

	(void)kind;
	(void)aim;
	while (raw4(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &left, &left) == -EINTR)
		;
	return true;
}
