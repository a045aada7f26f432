/* SPDX-License-Identifier: MIT */
/* sweep_judge.h - what a program did in one run, compared with the runs without a fault.
 * Values in, a result out. */
#ifndef TOOLS_SWEEP_JUDGE_H
#define TOOLS_SWEEP_JUDGE_H

#include "tools/sweep_look.h"

enum { SWEEP_SPIN_RATE = 1000 }; /* failing calls a second, from which on it is a spin */

/* How a run ended. */
struct sweep_end {
	int status;     /* of exit; -1: by a signal */
	int signal;     /* that ended it, 0: none */
	bool timed_out; /* we ended it */
	uint64_t took_ns;
	uint64_t busy_ns;              /* on a CPU, or waiting for one */
	uint64_t output;               /* hash of all that it wrote to stdout */
	char said[SWEEP_SAID_MAX + 1]; /* last line on stderr */
};

/* The runs without a fault. */
struct sweep_normal {
	int status; /* expected */
	uint64_t output;
	bool is_unstable;         /* they did not print the same: outputs are not compared */
	uint32_t leaks, vanished; /* at most */
};

struct sweep_result sweep_judge(const struct sweep_normal *normal, const struct sweep_end *end,
                                const struct sweep_seen *seen);

#endif
