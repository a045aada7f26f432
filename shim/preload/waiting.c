/* SPDX-License-Identifier: MIT */
/* waiting.c - see waiting.h. A fixed number; more that wait at once keep their places. */
#include "preload/waiting.h"

#include <errno.h>

#include "sys/raw.h"

enum { WAITERS = 256 };

static struct waiter {
	_Atomic uint32_t tid; /* 0: free */
	_Atomic uintptr_t frame;
} waiters[WAITERS];

static void give_back(struct waiter *waiter, uint32_t tid)
{
	if (atomic_compare_exchange_strong(&waiter->tid, &tid, 0))
		atomic_fetch_sub(&process.engine.sockets.flight->making, 1);
}

/* Below a frame of this thread there are none that still wait. (A handler with a stack of its
 * own above may err; waiting_end() puts that right.) */
static void leave_below(uintptr_t frame)
{
	for (size_t i = 0; i < WAITERS; i++)
		if (atomic_load_explicit(&waiters[i].tid, memory_order_relaxed) == thread.tid &&
		    atomic_load(&waiters[i].frame) <= frame)
			give_back(&waiters[i], thread.tid);
}

void waiting_begin(struct call *call)
{
	call->waiting = 0;
	if (!thread.tid)
		return;
	leave_below((uintptr_t)call);
	for (size_t i = 0; i < WAITERS; i++) {
		uint32_t none = 0;

		if (atomic_load_explicit(&waiters[i].tid, memory_order_relaxed) != 0 ||
		    !atomic_compare_exchange_strong(&waiters[i].tid, &none, thread.tid))
			continue;
		atomic_store(&waiters[i].frame, (uintptr_t)call);
		call->waiting = (uint16_t)(i + 1);
		return;
	}
}

void waiting_end_slow(struct call *call)
{
	struct waiter *waiter = &waiters[call->waiting - 1];
	uint32_t tid = thread.tid;
	bool is_here = atomic_load(&waiter->frame) == (uintptr_t)call;

	if (is_here)
		atomic_store(&waiter->frame, UINTPTR_MAX);
	if (!is_here || !atomic_compare_exchange_strong(&waiter->tid, &tid, 0))
		atomic_fetch_add(&process.engine.sockets.flight->making, 1);
}

void waiting_sweep(void)
{
	if (process.is_sandboxed)
		return;
	for (size_t i = 0; i < WAITERS; i++) {
		uint32_t tid = atomic_load_explicit(&waiters[i].tid, memory_order_relaxed);

		if (tid && raw3(SYS_tgkill, process.self->pid, tid, 0) == -ESRCH)
			give_back(&waiters[i], tid);
	}
}

void waiting_entered(void)
{
	for (size_t i = 0; i < WAITERS; i++)
		atomic_store(&waiters[i].tid, 0);
}
