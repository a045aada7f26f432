/* SPDX-License-Identifier: MIT */
/* source.h - the bytes of a session file, and memory for what is learnt from them.
 * Read with pread: a file that is cut short while it is read gives fewer bytes,
 * where a mapping would give SIGBUS. */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H

#include "core/session.h"

struct source {
	int fd;
	uint64_t bytes;   /* of the file, when it was opened */
	uint64_t damaged; /* lines and pages that made no sense */
};

/* Open a regular file, not through a symbolic link (dir: as for openat(2)).
 * Returns 0 or -errno; EINVAL: not a regular file. */
int source_open(struct source *source, int dir, const char *path);
void source_close(struct source *source);

/* Read len bytes at an offset to buf. Returns how many there were. */
size_t source_read(const struct source *source, void *buf, size_t len, uint64_t at);

/* The first offset from at on that may hold something else than zeros; the
 * file's end if none does. Never less than at. */
uint64_t source_skip_holes(const struct source *source, uint64_t at);

/* The header, in memory that the caller frees; or NULL, with what is wrong in
 * *problem. */
struct session_header *source_header(const struct source *source, const char **problem);

/* Make room for one more item of size bytes in an array with count of them and
 * *room places. Returns the array. */
void *grow(void *array, size_t count, size_t *room, size_t size);

#endif
