/* SPDX-License-Identifier: MIT */
/* fdlimit.h - limit fds: the kernel's own soft RLIMIT_NOFILE, with a hard one that only the
 * program believes in. The real hard limit stays, so that a descendant with another rule, or
 * with none, can have another limit. */
#ifndef PRELOAD_FDLIMIT_H
#define PRELOAD_FDLIMIT_H

#include <sys/resource.h>
#include <sys/types.h>

#include "core/rules.h"
#include "preload/process.h"

/* Put the limit of these rules (or none) in force for this process. Nothing is done before
 * fdlimit_start(), unless there is no session. */
void fdlimit_prepare(struct rules *rules);

/* A program has entered the session. before: what it was, or who spawned it; or NULL. Its
 * fd_given and fd_limit are those of that one; our entry is not filled yet. */
struct fdlimit_before {
	uint32_t given, limit;
};
void fdlimit_start(struct fdlimit_before before);

/* Write into our entry what the limit was before a rule set it. */
void fdlimit_enter(void);

/* The hard limit that a process is told, as far as rules say: RLIM_INFINITY if they do not.
 * *rule: their number. pid 0: this one. */
rlim_t fdlimit_of(pid_t pid, uint32_t *rule);

/* Is it this process, or a vfork child of it? */
bool fdlimit_is_own(pid_t pid);

/* The program has set its own soft limit. */
void fdlimit_was_set(rlim_t soft);

#endif
