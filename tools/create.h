/* SPDX-License-Identifier: MIT */
/* create.h - makes the session file that a program started by `run` joins.
 * Knows the default place, the identity of a new session and this machine's
 * clocks. The library makes its own when it is preloaded by hand; the layout
 * that both write is core/session.h's. */
#ifndef TOOLS_CREATE_H
#define TOOLS_CREATE_H

#include <stddef.h>
#include <stdint.h>

/* A new name for a session of program, in the default directory, which is made.
 * Returns 0 or -errno; path holds the place in question either way. */
int create_default_path(char *path, size_t size, const char *program);

/* Make the session file at path with room for this many events. Nothing may
 * stand there before. Returns 0 or -errno; after a failure there is no file. */
int create_session(const char *path, uint64_t events);

#endif
