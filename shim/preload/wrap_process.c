/* SPDX-License-Identifier: MIT */
/* wrap_process.c - calls that make a process or end this one. vfork is in
 * sys/vfork.S. */
#include <sched.h>
#include <stdarg.h>

#include "preload/entry.h"
#include "preload/vfork.h"
#include "sys/clock.h"
#include "sys/real.h"

/* The child can not look names up: another thread may hold the loader's lock. And
 * it should not: each time it would touch pages that only its parent has at hand. */
static void before_fork(void)
{
	real_find();
	if (!process_is_watching())
		return;
	if (UNLIKELY(process.engine.sockets.counted))
		sockets_share(&process.engine.sockets);
	thread.fork_start = clock_ticks();
	thread.fork_parent = process.self->slot;
}

/* A child enters the table at once, also if it never touches a socket. */
static pid_t after_fork(pid_t pid)
{
	if (pid == 0 && !process.is_aside)
		process_forked();
	thread.fork_start = 0;
	return pid;
}

EXPORT pid_t fork(void)
{
	before_fork();
	return after_fork(real.fork());
}

EXPORT pid_t _Fork(void)
{
	before_fork();
	return after_fork(real._Fork());
}

EXPORT int clone(int (*run)(void *), void *stack, int flags, void *arg, ...)
{
	const int vforks = CLONE_VM | CLONE_VFORK;
	bool is_vfork = (flags & vforks) == vforks && !(flags & (CLONE_THREAD | CLONE_SETTLS));
	va_list rest;
	long parent_tid, tls, child_tid;
	int ret;

	va_start(rest, arg);
	parent_tid = va_arg(rest, long);
	tls = va_arg(rest, long);
	child_tid = va_arg(rest, long);
	va_end(rest);
	if (is_vfork)
		vfork_begin();
	ret = real.clone(run, stack, flags, arg, parent_tid, tls, child_tid);
	if (is_vfork)
		vfork_end();
	return ret;
}

/* The parent ends inside libc; its child says so. */
EXPORT int daemon(int keep_dir, int keep_output)
{
	struct session_process *parent = process_is_watching() ? process_entry() : NULL;
	int ret = real.daemon(keep_dir, keep_output);

	if (ret == 0 && parent) {
		parent->status = 0;
		parent->end = clock_ticks();
		atomic_store(&parent->state, PROCESS_ENDED);
		process_forked();
	}
	return ret;
}

/* exit(3) runs handlers that may still make calls: the end is told by the
 * library's destructor, see process.c. */
EXPORT void exit(int status)
{
	process_exits_with(status);
	real.exit(status);
	__builtin_unreachable();
}

EXPORT void _exit(int status)
{
	entry_ends(status);
	real._exit(status);
	__builtin_unreachable();
}

EXPORT void _Exit(int status)
{
	entry_ends(status);
	real._Exit(status);
	__builtin_unreachable();
}

EXPORT void quick_exit(int status)
{
	entry_ends(status);
	real.quick_exit(status);
	__builtin_unreachable();
}
