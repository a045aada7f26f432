/* SPDX-License-Identifier: MIT */
/* sweep_state.h - a file that keeps the results of a sweep, so that one that was
 * interrupted goes on where it was. It belongs to one program, its arguments and the faults:
 * `id` is a hash of them. Lines of text, replaced as a whole; nothing in it is believed
 * unless it is well formed. */
#ifndef TOOLS_SWEEP_STATE_H
#define TOOLS_SWEEP_STATE_H

#include "tools/cmd.h"
#include "tools/sweep.h"

struct sweep_state {
	const char *path;
	uint64_t id, seed;
	struct sweep_trial *trial; /* those that were read; for free() */
	size_t count;
	size_t next; /* where the next search begins */
};

/* Read path, whose id must be state->id, to seed and trial. A file that is not there is an
 * empty one, and leaves the seed alone. Returns 0, or EXIT_TCPSHIM, said. */
int sweep_state_read(struct sweep_state *state, const struct command *command);

/* What it has of a trial: NULL if nothing. From then on it is the caller's to write. */
const struct sweep_result *sweep_state_find(struct sweep_state *state,
                                            const struct sweep_trial *trial);

/* Put those trials that are done in place of the file, and those that nobody has asked for: they
 * are of other options. Returns 0 or -errno. */
int sweep_state_write(const struct sweep_state *state, const struct sweep_trial *trial,
                      size_t count);

#endif
