/* SPDX-License-Identifier: MIT */
/* create.h - makes the session file that a program started by `run` joins.
 * Knows the default place, the identity of a new session and this machine's
 * clocks. The library makes its own when it is preloaded by hand; the layout
 * that both write is core/session.h's. */
#ifndef TOOLS_CREATE_H
#define TOOLS_CREATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rules;

/* A new name for a session of program, in the default directory, which is made.
 * Returns 0 or -errno; path holds the place in question either way. */
int create_default_path(char *path, size_t size, const char *program);

struct create {
	uint64_t events; /* room for so many, besides the rules */
	bool has_seed;
	uint64_t seed;       /* else one is drawn */
	struct rules *rules; /* in force from the beginning, NULL: none; marked as set 1 */
};

/* Make the session file at path. Nothing may stand there before. Returns 0 or -errno,
 * -E2BIG if the rules do not fit; after a failure there is no file. */
int create_session(const char *path, const struct create *create);

/* A session's clock now; flags are its header's. */
uint64_t create_ticks(uint32_t flags);

#endif
