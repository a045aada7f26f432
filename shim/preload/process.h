/* SPDX-License-Identifier: MIT */
/* process.h - this process and its threads, as the shim sees them.
 *
 * What must not survive a fork stands in one page, `self`, that the kernel wipes
 * in the child (MADV_WIPEONFORK), however the fork was made. So one comparison
 * tells every wrapper whether to watch: the pid that the thread remembers against
 * the one in that page. They differ
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
	uint32_t pid;        /* of the process when it was woken, or one of the two below */
	uint32_t pid_before; /* the vfork child's */
	session_cursor cursor;
	uint32_t tid;
	uint32_t step;        /* towards large chunks, see record.c; the main thread starts at 1 */
	uint64_t fork_start;  /* ticks when a fork that runs was called, 0: none */
	uint32_t fork_parent; /* our slot then */
	uint32_t vforks;      /* depth of vfork children that run on this thread */
	uint32_t vfork_slot;  /* process slot of such a child, 0: none yet */
	void *exec_map;       /* what exec left in our memory, for the parent to free */
	size_t exec_map_size;
};

#define NOT_WATCHING UINT32_MAX /* a vfork child */
#define NEVER_WOKEN  (UINT32_MAX - 1)
#define NAMELESS     (UINT32_MAX - 2) /* a process that cannot ask for its pid */

/* This process; all 0 in a forked child. */
struct self {
	uint32_t pid;           /* 0: not woken yet */
	uint32_t slot;          /* in the session's table of processes, 0: none */
	uint32_t fd_peak;       /* highest socket fd so far + 1 */
	uint64_t clock_due;     /* ticks when our clock pair is to be renewed */
	session_cursor shared;  /* page of small chunks */
	session_cursor reserve; /* lines for all threads once sandboxed */
};

enum { FLEETING = 8 };

struct process {
	struct engine engine;
	struct self *self;
	uint64_t mapped_bytes;              /* of the session file */
	_Atomic int state;                  /* boot.c knows */
	bool is_aside;                      /* nothing is recorded at all */
	bool is_recording;                  /* there is a session */
	bool is_logging;                    /* TCPSHIM_LOG */
	bool is_sandboxed;                  /* a seccomp filter is on: no system call of our own */
	bool is_sealed;                     /* the session has no room left, or its disk has none */
	uint16_t host_low, host_high;       /* the host's ephemeral range */
	uint64_t since_mono_ns;             /* when the session began, CLOCK_MONOTONIC */
	const _Atomic uint32_t *rules_page; /* of the session: changes with its rules */
	_Atomic uint32_t rules_seen;        /* the page that the engine has */
	char name[32];                      /* of the program */
	_Atomic uint32_t fd_given;      /* soft RLIMIT_NOFILE before a rule set it, 0: none did */
	_Atomic int fleeting[FLEETING]; /* as fd + 1, see fleeting.h */
};

extern struct process process;
extern _Thread_local struct thread thread;

/* The slow half of process_is_watching(). */
bool process_wake(void);

/* Are this thread's calls to be looked at? */
static inline bool process_is_watching(void)
{
	return LIKELY(thread.pid == process.self->pid) || (!process.is_aside && process_wake());
}

/* Our entry in the session's table of processes, or NULL. */
static inline struct session_process *process_entry(void)
{
	return process.self->slot ? session_process(process.engine.session, process.self->slot)
	                          : NULL;
}

/* Before the first socket: make room to remember it. */
void process_make_tables(void);

/* The same for what moved sockets asked for. Returns false if there is no memory. */
bool process_make_asked(void);

/* In the child of a fork that we stand around. */
void process_forked(void);

/* It ends with this status once its exit handlers have run. */
void process_exits_with(int status);

/* A seccomp filter comes: do what needs system calls now, make none later. */
void process_enter_sandbox(void);

#endif
