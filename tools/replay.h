/* SPDX-License-Identifier: MIT */
/* replay.h - what a session was run with, to run it again: its seed and its first rules. */
#ifndef TOOLS_REPLAY_H
#define TOOLS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/cmd.h"

struct rules;

struct replay {
	uint64_t seed;
	struct rules *rules; /* NULL: there were none. For free() */
	bool has_more;       /* they were changed while it ran */
};

/* Read it from the session at path. Returns 0 or EXIT_TCPSHIM, said. */
int replay_read(struct replay *replay, const struct command *command, const char *path);

#endif
