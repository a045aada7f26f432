/* SPDX-License-Identifier: MIT */
/* process.c - see process.h. What wakes it and sets it up is in boot.c. */
#include "preload/process.h"

#include <sys/mman.h>

#include "sys/raw.h"
#include "sys/real.h"

static struct self nobody;

static const _Atomic uint32_t no_page;

struct process process = {.self = &nobody, .rules_page = &no_page};
_Thread_local struct thread thread = {.pid = NEVER_WOKEN};

/* One entry for each of a million descriptors costs address space alone: memory
 * comes where it is touched. */
struct tables {
	uint32_t capacity;
	_Alignas(64) _Atomic uint64_t peers[SOCKETS_PEER_SLOTS];
	struct sock socks[];
};

static struct tables *map_tables(uint32_t capacity)
{
	size_t size = sizeof(struct tables) + capacity * sizeof(struct sock);
	struct tables *made = raw_map(size);

	if (!made)
		return NULL;
	raw3(SYS_madvise, made, size, MADV_NOHUGEPAGE);
	made->capacity = capacity;
	return made;
}

/* Another thread, or a signal handler that interrupts this, may do the same: the
 * first one's tables count, and everybody can finish with them. */
void process_make_tables(void)
{
	enum { FDS = 1 << 20, FDS_TIGHT = 1 << 16 };
	static _Atomic(struct tables *) tables;
	struct sockets *sockets = &process.engine.sockets;
	struct tables *made, *none = NULL;

	real_find();
	if (!atomic_load(&tables)) {
		made = map_tables(FDS);
		if (!made) /* the address space is limited */
			made = map_tables(FDS_TIGHT);
		if (!made)
			return;
		if (!atomic_compare_exchange_strong(&tables, &none, made))
			raw2(SYS_munmap, made,
			     sizeof(*made) + made->capacity * sizeof(struct sock));
	}
	made = atomic_load(&tables);
	sockets->peers = made->peers;
	sockets->at = made->socks;
	atomic_thread_fence(memory_order_release);
	sockets->capacity = made->capacity;
}

bool process_make_asked(void)
{
	struct sockets *sockets = &process.engine.sockets;
	struct asked *none = NULL, *made;
	size_t size;

	if (!sockets->capacity)
		process_make_tables();
	size = sockets->capacity * sizeof(struct asked);
	if (__atomic_load_n(&sockets->asked, __ATOMIC_ACQUIRE))
		return true;
	made = size ? raw_map(size) : NULL;
	if (!made)
		return false;
	raw3(SYS_madvise, made, size, MADV_NOHUGEPAGE);
	if (!__atomic_compare_exchange_n(&sockets->asked, &none, made, false, __ATOMIC_ACQ_REL,
	                                 __ATOMIC_ACQUIRE))
		raw2(SYS_munmap, made, size);
	return true;
}
