/* SPDX-License-Identifier: MIT */
/* environment.h - puts the library and the session back into a copy of an
 * environment that a program made for its child. */
#ifndef PRELOAD_ENVIRONMENT_H
#define PRELOAD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* cannot_join: the child cannot open the session; then it gets the session's rules in
 * TCPSHIM_RULES, to go by them without a record.
 * The environment to pass instead of envp: envp itself if it lacks nothing (or
 * we do), else a copy at *map, *map_size bytes, that the caller unmaps. */
char *const *environment_repair(char *const envp[], bool cannot_join, void **map, size_t *map_size);

#endif
