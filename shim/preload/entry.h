/* SPDX-License-Identifier: MIT */
/* entry.h - our place in the session's table of processes: who we are, since
 * when, and how it ended. */
#ifndef PRELOAD_ENTRY_H
#define PRELOAD_ENTRY_H

#include "preload/process.h"

enum { STATUS_UNKNOWN = -1 };

/* Copy the program's path and name, before it writes its title over them. */
void entry_read_program(void);

/* Enter this program: the first of the session, or one that a process of it
 * became or spawned. Meets the sockets that it was left. */
void entry_of_program(void);

/* Enter this process: a forked child. */
void entry_of_fork(void);

/* Take a slot for a process that is or will be; its start and first clock pair
 * are filled. Returns 0 if there is none. */
uint32_t entry_take(uint32_t pid);

/* The same for a child that cannot enter by itself; who made it is filled. */
struct session_process *entry_of_child(uint32_t pid, enum process_origin origin, uint32_t *slot);

/* The process ends now, with this status or STATUS_UNKNOWN. */
void entry_ends(int status);

/* Part of its calls can not be seen: BLIND_ bits. */
void entry_is_blind(unsigned bits);

/* Note the time on both clocks, so that readers can tell ticks. */
void entry_renew_clock(void);

/* The soft limit of descriptors is now this. */
void entry_fd_limit(uint64_t limit);

#endif
