/* SPDX-License-Identifier: MIT */
/* hold.c - see hold.h. */
#include "preload/hold.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>

#include "preload/call.h"
#include "preload/interest.h"
#include "sys/clock.h"

enum { HOLDS = 4096, PROBES = 16, BEING_FILLED = -1, OVER = 1 };

/* until: 0: none, OVER: the next call goes through, else ns. */
struct hold {
	_Atomic uint32_t id; /* of the socket; 0: free */
	int fd;              /* that it was begun on */
	_Atomic uint64_t until[HOLD_SIDES];
	struct hold_fate fate[HOLD_SIDES];
};

static struct hold holds[HOLDS];

/* When the first is due, rounded up; below, in the bits that this leaves free, a number that
 * changes with each hold that begins: so whoever has looked at all of them knows whether one has
 * come since. */
enum { TURN = 0xfff };
#define NEVER (~(uint64_t)TURN)
static _Atomic uint64_t next_due = NEVER;

_Atomic uint32_t hold_count;

bool hold_is_near_slow(void)
{
	const struct rules *rules;

	if (process.is_sandboxed || !process_is_watching())
		return false;
	call_is_limited(OP_RECV); /* rules that are new count from here on */
	rules = atomic_load_explicit(&process.engine.rules, memory_order_acquire);
	return hold_is_any() || (rules && rules->actions >> ACTION_DELAY & 1);
}

static uint32_t id_of(int fd)
{
	const struct sock *sock = sockets_at(&process.engine.sockets, fd);

	return sock ? (uint32_t)(sockets_word(sock) >> 32) : 0;
}

/* ---- places ---- */

static struct hold *place(uint32_t id, uint32_t i)
{
	return &holds[(id * UINT32_C(0x9e3779b9) + i) % HOLDS];
}

static struct hold *find(uint32_t id)
{
	if (!id || !hold_is_any())
		return NULL;
	for (uint32_t i = 0; i < PROBES; i++) {
		struct hold *hold = place(id, i);

		if (atomic_load_explicit(&hold->id, memory_order_acquire) == id)
			return hold;
	}
	return NULL;
}

static void leave(struct hold *hold, uint32_t id)
{
	if (atomic_compare_exchange_strong(&hold->id, &id, 0))
		atomic_fetch_sub(&hold_count, 1);
}

static bool is_waiting(struct hold *hold)
{
	for (int side = 0; side < HOLD_SIDES; side++)
		if (atomic_load(&hold->until[side]) > OVER)
			return true;
	return false;
}

/* Nobody comes back for it: the socket is closed; or there is nothing left to come back for. */
static bool is_forgotten(struct hold *hold, uint32_t id)
{
	if (id == (uint32_t)BEING_FILLED || is_waiting(hold))
		return false;
	return id_of(hold->fd) != id ||
	       !(atomic_load(&hold->until[HOLD_IN]) || atomic_load(&hold->until[HOLD_OUT]));
}

static bool take(struct hold *hold, uint32_t id, int fd)
{
	uint32_t there = atomic_load(&hold->id);

	if (there && is_forgotten(hold, there)) {
		leave(hold, there);
		there = 0;
	}
	if (there || !atomic_compare_exchange_strong(&hold->id, &there, (uint32_t)BEING_FILLED))
		return false;
	atomic_fetch_add(&hold_count, 1);
	for (int side = 0; side < HOLD_SIDES; side++)
		atomic_store(&hold->until[side], 0);
	hold->fd = fd;
	atomic_store(&hold->id, id);
	return true;
}

static struct hold *find_or_take(uint32_t id, int fd)
{
	struct hold *hold = find(id);

	for (uint32_t i = 0; id && !hold && i < PROBES; i++)
		if (take(place(id, i), id, fd))
			hold = place(id, i);
	return hold;
}

/* ---- in time ---- */

static uint64_t earlier(uint64_t due, uint64_t until)
{
	until = (until + TURN) & ~(uint64_t)TURN;
	return until < due ? until : due;
}

static void begin_due(uint64_t until)
{
	uint64_t word = atomic_load(&next_due), now;

	do
		now = earlier(word & ~(uint64_t)TURN, until) | ((word + 1) & TURN);
	while (!atomic_compare_exchange_weak(&next_due, &word, now));
}

bool hold_begin(int fd, enum hold_side side, uint64_t until, struct hold_fate fate)
{
	uint32_t id = id_of(fd);
	struct hold *hold = interest_is_missing(id) ? NULL : find_or_take(id, fd);

	if (!hold)
		return false;
	hold->fate[side] = fate;
	atomic_store(&hold->until[side], until);
	begin_due(until);
	interest_wake(id);
	return true;
}

enum hold_state hold_look(int fd, enum hold_side side, uint64_t *until, struct hold_fate *fate)
{
	struct hold *hold = find(id_of(fd));

	*until = hold ? atomic_load(&hold->until[side]) : 0;
	if (!*until)
		return HOLD_NONE;
	*fate = hold->fate[side];
	return *until > OVER ? HOLD_WAITS : HOLD_OVER;
}

void hold_end(int fd, enum hold_side side)
{
	uint32_t id = id_of(fd);
	struct hold *hold = find(id);

	if (!hold)
		return;
	if (atomic_exchange(&hold->until[side], 0) > OVER)
		interest_wake(id);
	if (is_forgotten(hold, id))
		leave(hold, id);
}

/* Let go of one that is due. Returns when its next side is. */
static uint64_t release(struct hold *hold, uint64_t now)
{
	uint32_t id = atomic_load(&hold->id);
	uint64_t due = NEVER;
	bool is_free = false;

	if (!id || id == (uint32_t)BEING_FILLED)
		return due;
	for (int side = 0; side < HOLD_SIDES; side++) {
		uint64_t until = atomic_load(&hold->until[side]);

		if (until > now && until < due)
			due = until;
		if (until > OVER && until <= now)
			is_free |= atomic_compare_exchange_strong(&hold->until[side], &until,
			                                          side == HOLD_CONNECT ? 0 : OVER);
	}
	if (is_free)
		interest_wake(id);
	if (is_forgotten(hold, id))
		leave(hold, id);
	return due;
}

static uint64_t release_all(uint64_t now)
{
	uint64_t due = NEVER;

	for (size_t i = 0; i < HOLDS; i++)
		due = earlier(due, release(&holds[i], now));
	return due;
}

uint64_t hold_release(void)
{
	uint64_t word = atomic_load(&next_due), now;

	while (word < NEVER && (now = clock_ns(CLOCK_MONOTONIC)) >= (word & ~(uint64_t)TURN)) {
		uint64_t due = release_all(now) | (word & TURN);

		if (atomic_compare_exchange_strong(&next_due, &word, due))
			word = due;
	}
	return word < NEVER ? word & ~(uint64_t)TURN : UINT64_MAX;
}

/* ---- what is seen ---- */

enum {
	WAY_IN = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND | EPOLLMSG | EPOLLRDHUP,
	WAY_OUT = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND,
};

uint32_t hold_hides(int fd)
{
	struct hold *hold = find(id_of(fd));
	uint32_t hidden = 0;

	if (!hold)
		return 0;
	if (atomic_load(&hold->until[HOLD_CONNECT]) > OVER)
		return HOLD_ALL;
	if (atomic_load(&hold->until[HOLD_IN]) > OVER)
		hidden |= WAY_IN;
	if (atomic_load(&hold->until[HOLD_OUT]) > OVER)
		hidden |= WAY_OUT;
	return hidden;
}

/* Who asks for nothing but what is held is not told of errors either: as far as he can know,
 * there is no news yet. */
uint32_t hold_leaves(uint32_t hidden, uint32_t asked, uint32_t events)
{
	const uint32_t ways = WAY_IN | WAY_OUT;

	if (hidden == HOLD_ALL || (asked & ways & hidden && !(asked & ways & ~hidden)))
		return 0;
	return events & ~hidden;
}
