/* SPDX-License-Identifier: MIT */
/* sweep_pool.h - several runs at once, until there are no more or somebody says stop. */
#ifndef TOOLS_SWEEP_POOL_H
#define TOOLS_SWEEP_POOL_H

#include "tools/sweep_child.h"

struct sweep_pool {
	unsigned jobs;
	/* Start the next run in a child. Returns false if there is none, or none is to be. */
	bool (*next)(void *context, struct sweep_child *child);
	/* A run is over. */
	void (*done)(void *context, struct sweep_child *child);
	/* About once a second, and after each run. */
	void (*tick)(void *context);
	void *context;
};

enum { SWEEP_JOBS_MAX = 256 };

/* Run them all. SIGINT, SIGTERM and SIGHUP end what runs; those runs are not `done`. Returns 0,
 * the signal's number, or -errno. */
int sweep_pool_run(const struct sweep_pool *pool);

/* Between runs, too, those signals wait: what we have made for a while is to be removed first.
 * On release the rest of them ends us, unless one has done so already. */
void sweep_signals_hold(void);
void sweep_signals_release(bool was_interrupted);

#endif
