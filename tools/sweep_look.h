/* SPDX-License-Identifier: MIT */
/* sweep_look.h - what the session of one run says: was the fault injected, what
 * followed, what was left behind. */
#ifndef TOOLS_SWEEP_LOOK_H
#define TOOLS_SWEEP_LOOK_H

#include <sys/types.h>

#include "tools/sweep_faults.h"

struct sweep_seen {
	bool is_covered;    /* the root process was seen */
	uint64_t fired;     /* calls that the fault's rule failed */
	uint64_t streak;    /* then: calls that failed one after another, without a pause */
	uint64_t streak_ns; /* how long that went on */
	uint32_t leaks;     /* sockets open when their process ended */
	uint32_t vanished;  /* processes, other than the root, that died without a word; not told
	                       by the session alone */
	uint64_t events_dropped;
};

/* Look at a session whose processes have all ended. rule: number of the fault's. Returns false
 * if it cannot be read. */
bool sweep_look(struct sweep_seen *seen, const char *session, pid_t root, uint32_t rule);

/* Take the turns of the probes of a round, whose rules begin at number first, and where their
 * calls came from. */
bool sweep_look_probes(struct sweep_faults *faults, unsigned round, const char *session,
                       uint32_t first);

#endif
