/* SPDX-License-Identifier: MIT */
/* sweep_options.h - what the command line of `tcpshim sweep` asks for. */
#ifndef TOOLS_SWEEP_OPTIONS_H
#define TOOLS_SWEEP_OPTIONS_H

#include <stdio.h>

#include "tools/options.h"
#include "tools/sweep_run.h"

struct sweep {
	struct sweep_run run;
	struct rules_input input;
	struct sweep_faults faults;
	struct sweep_wish wish;
	struct sweep_state state;
	uint64_t timeout_ns; /* given; SWEEP_NEVER: not */
	bool has_seed, is_strict;
	void (*print)(const struct sweep_report *report, FILE *out);
	const char *output; /* NULL: stdout */
	char *how;          /* options that a run is repeated with */
};

extern const struct option_help sweep_options[];

/* Read them to sweep, whose run.command and how are set. Returns OPTIONS_END, or OPTIONS_HELP
 * or OPTIONS_BAD. */
int sweep_options_read(struct sweep *sweep, int argc, char **argv);

#endif
