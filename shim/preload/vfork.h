/* SPDX-License-Identifier: MIT */
/* vfork.h - the two returns of vfork (sys/vfork.S).
 * A vfork child runs on its parent's memory, thread-locals too, while the parent's
 * thread waits: it must change nothing there that outlives it. So the thread
 * stops watching until the parent is back. */
#ifndef PRELOAD_VFORK_H
#define PRELOAD_VFORK_H

#include <sys/types.h>

/* ret: 0. Returns 0. */
pid_t vfork_in_child(long ret);

/* ret: the child's pid, or -errno. Returns what vfork returns. */
pid_t vfork_in_parent(long ret);

/* Around any other call whose child runs on our memory while we wait. */
void vfork_begin(void);
void vfork_end(void);

#endif
