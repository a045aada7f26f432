/* SPDX-License-Identifier: MIT */
/* process.h - this process and its threads, as the shim sees them.
 *
 * One comparison tells every wrapper whether to watch: the thread's generation
 * against the one in a page that the kernel wipes in a forked child
 * (MADV_WIPEONFORK, however the fork was made). They differ
 *   - before the library is up, and in a new thread or forked child: then
 *     process_wake() brings it up to date;
 *   - in a vfork child, which runs on its parent's memory: it only looks on;
 *   - when nothing is recorded at all.
 * Nothing here is locked while a real call runs. */
#ifndef PRELOAD_PROCESS_H
#define PRELOAD_PROCESS_H

#include "core/engine.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define EXPORT      __attribute__((visibility("default")))

struct thread {
	uint64_t generation;        /* NOT_WATCHING in a vfork child */
	uint64_t generation_before; /* the vfork child's */
	session_cursor cursor;
	uint32_t tid;
	uint32_t step;       /* towards large chunks, see record.c; the main thread starts at 1 */
	uint64_t fork_start; /* ticks when a fork that runs was called, 0: none */
	uint32_t vforks;     /* depth of vfork children that run on this thread */
	uint32_t vfork_slot; /* process slot of such a child, 0: none yet */
	void *exec_map;      /* what exec left in our memory, for the parent to free */
	size_t exec_map_size;
};

struct process {
	struct engine engine;
	const uint64_t *generation; /* in the page that fork wipes */
	uint64_t mapped_bytes;      /* of the session file */
	uint64_t clock_due;         /* ticks when the process's clock pair is to be renewed */
	uint32_t pid, slot;
	uint32_t fd_peak;         /* highest socket fd so far + 1 */
	_Atomic int state;        /* boot.c knows */
	uint64_t last_generation; /* that the wiped page had */
	bool is_aside;            /* nothing is recorded at all */
	bool is_recording;        /* there is a session */
	bool is_logging;          /* TCPSHIM_LOG */
	bool is_sandboxed;        /* a seccomp filter is on: no system call of our own */
	bool is_sealed;           /* the session has no room left, or its disk has none */
	session_cursor shared;    /* page of small chunks */
	session_cursor reserve;   /* lines for all threads once sandboxed */
	char name[32];            /* of the program */
};

#define NOT_WATCHING UINT64_MAX
#define NEVER_WOKEN  (NOT_WATCHING - 2) /* not 0: that is a forked child's page */

extern struct process process;
extern _Thread_local struct thread thread;

/* The slow half of process_is_watching(). */
bool process_wake(void);

/* Are this thread's calls to be looked at? */
static inline bool process_is_watching(void)
{
	return LIKELY(thread.generation == *process.generation) ||
	       (!process.is_aside && process_wake());
}

/* Our entry in the session's table of processes, or NULL. */
static inline struct session_process *process_entry(void)
{
	return process.slot ? session_process(process.engine.session, process.slot) : NULL;
}

/* Before the first socket: make room to remember it. */
void process_make_tables(void);

/* In the child of a fork that we stand around. */
void process_forked(void);

/* It ends with this status once its exit handlers have run. */
void process_exits_with(int status);

/* A seccomp filter comes: do what needs system calls now, make none later. */
void process_enter_sandbox(void);

#endif
