/* SPDX-License-Identifier: MIT */
/* sweep_child.h - one run of the program: in a process group of its own, with a session of
 * its own, its output taken in, until it and all of its session have ended.
 *
 * What takes too long is asked to end (SIGTERM), then made to (SIGKILL); so is what still
 * runs when the program itself has ended. The program stays a zombie until then, so
 * that its pid, and the group's, cannot be somebody else's. */
#ifndef TOOLS_SWEEP_CHILD_H
#define TOOLS_SWEEP_CHILD_H

#include <limits.h>
#include <sys/types.h>

#include "tools/sweep_judge.h"
#include "tools/sweep_watch.h"

enum { SWEEP_NEVER = 0 };

/* What comes out of a pipe: a hash of all, the end of it. */
struct sweep_output {
	int fd; /* -1: at its end */
	uint64_t hash, bytes;
	char tail[512];
	size_t tail_len;
};

enum sweep_stage {
	STAGE_RUNS,
	STAGE_ASKED, /* to end */
	STAGE_KILLED,
	STAGE_OVER, /* nothing of it is left */
};

struct sweep_child {
	pid_t pid; /* 0: none */
	char session[PATH_MAX];
	struct sweep_output out, err;
	enum sweep_stage stage;
	uint64_t start_ns, deadline_ns; /* CLOCK_MONOTONIC; SWEEP_NEVER: none */
	bool has_ended;                 /* the program itself */
	bool timed_out, was_stopped;
	uint64_t busy_ns;  /* when it was ended for its time */
	uint32_t vanished; /* when it ended: its other processes that had died without a word */
	struct sweep_watch watch;
	struct sweep_end end;
	size_t number; /* the caller's */
};

struct sweep_start {
	char **argv;
	const char *library;
	uint64_t timeout_ns; /* SWEEP_NEVER: none */
	bool wants_sites;
	uint32_t rule, turn; /* of this rule all calls fail from this turn on; 0: not so */
};

uint64_t sweep_now_ns(void);

/* Start the program on child->session, which is there. Signals that the caller blocks are not
 * blocked in it. Returns 0, or -errno of fork or exec. */
int sweep_child_start(struct sweep_child *child, const struct sweep_start *start);

/* Take what is to be read. */
void sweep_child_read(struct sweep_output *output);

/* Look at the clock and at the processes, and do what is due. Afterwards, at STAGE_OVER, the
 * program has been waited for and `end` is known. */
void sweep_child_step(struct sweep_child *child);

/* Make it end. */
void sweep_child_stop(struct sweep_child *child);

#endif
