/* SPDX-License-Identifier: MIT */
/* sweep_watch.h - while a program runs: does it do nothing any more but to repeat the call
 * that fails? Then there is nothing to be learnt by waiting for its time to end. */
#ifndef TOOLS_SWEEP_WATCH_H
#define TOOLS_SWEEP_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum { SWEEP_WATCH_MS = 100 };

struct sweep_watch {
	int fd;         /* of the session; -1: nobody watches */
	uint64_t at;    /* where the number of calls is */
	uint64_t calls; /* at the last look; before the first that fails, that one */
	uint64_t looked_ns;
	uint64_t spins_ns; /* how long it does by now */
};

/* Watch the calls of rule number `rule` in a session that has just been made, from
 * call `turn` on: from there all fail. */
void sweep_watch_begin(struct sweep_watch *watch, const char *session, uint32_t rule, uint32_t turn,
                       uint64_t now_ns);

/* Look, if it is time to. Returns true once it has spun for a second. */
bool sweep_watch_look(struct sweep_watch *watch, uint64_t now_ns);

void sweep_watch_end(struct sweep_watch *watch);

#endif
