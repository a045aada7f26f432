/* SPDX-License-Identifier: MIT */
/* program.h - finds a program and foretells whether the library comes up in it.
 * Knows $PATH, scripts, and what makes the loader ignore preloads. Reads files,
 * runs nothing. */
#ifndef TOOLS_PROGRAM_H
#define TOOLS_PROGRAM_H

#include <limits.h>
#include <sys/types.h>

#include "core/session.h"

/* What becomes of path when this real user and group exec it. A script counts
 * as its interpreter; what was judged in the end is left in judged, "" when it
 * cannot be read. COVERAGE_SEEN also for that, and for what is no program: exec
 * itself says it better. */
enum coverage program_coverage(const char *path, uid_t uid, gid_t gid, char judged[PATH_MAX]);

/* Where execvp() finds name: as it is if it has a slash, else along $PATH.
 * Returns false if it does not. */
bool program_find(const char *name, char path[PATH_MAX]);

#endif
