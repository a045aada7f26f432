/* SPDX-License-Identifier: MIT */
/* exec.h - what an exec or spawn needs: an environment in which the next program
 * joins the session, and a word in the record of what it will be. */
#ifndef PRELOAD_EXEC_H
#define PRELOAD_EXEC_H

#include <stdint.h>
#include <sys/types.h>

#include "core/session.h"

struct exec {
	char *const *envp; /* pass this one */
	void *map;         /* where it is, if it is a copy */
	size_t map_size;
	enum coverage coverage; /* of the program */
	bool is_there;          /* not one of many places that are tried in turn */
	const char *path;
};

/* Before this process becomes path (searched along PATH if `searches` and it
 * has no slash); path NULL: unknown, an fd. */
void exec_begin(struct exec *exec, const char *path, bool searches, char *const envp[]);

/* It did not: take it all back. Leaves errno as it is. */
void exec_failed(struct exec *exec);

/* The same for a child that posix_spawn makes; pid 0: it failed. */
void exec_begin_spawn(struct exec *exec, const char *path, bool searches, char *const envp[]);
void exec_end_spawn(struct exec *exec, pid_t pid);

#endif
