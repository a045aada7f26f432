/* SPDX-License-Identifier: MIT */
/* interest.c - see interest.h. */
#include "preload/interest.h"

#include <errno.h>
#include <poll.h>

#include "preload/call.h"
#include "preload/hold.h"
#include "sys/raw.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

enum { INTERESTS = 4096, PROBES = 16 };

struct interest {
	_Atomic uint64_t key; /* epfd << 32 | fd + 1; 0: free */
	_Atomic uint64_t data;
	_Atomic uint32_t events;
	_Atomic bool is_silent; /* the kernel does not tell what it should */
};

static struct interest interests[INTERESTS];
static _Atomic uint32_t interest_count;
static _Atomic bool any_missing; /* some have found no place */

static uint64_t key_of(int epfd, int fd)
{
	return (uint64_t)(uint32_t)epfd << 32 | ((uint32_t)fd + 1);
}

static int epfd_of(uint64_t key)
{
	return (int)(key >> 32);
}

static int fd_of(uint64_t key)
{
	return (int)((uint32_t)key - 1);
}

static struct epoll_event wanted(struct interest *interest)
{
	return (struct epoll_event){.events = atomic_load(&interest->events),
	                            .data.u64 = atomic_load(&interest->data)};
}

/* ---- places ---- */

static struct interest *place(uint64_t key, uint32_t i)
{
	return &interests[((key * UINT64_C(0x9e3779b97f4a7c15) >> 32) + i) % INTERESTS];
}

static struct interest *find(uint64_t key)
{
	for (uint32_t i = 0; i < PROBES; i++)
		if (atomic_load(&place(key, i)->key) == key)
			return place(key, i);
	return NULL;
}

static void leave(struct interest *interest, uint64_t key)
{
	if (atomic_compare_exchange_strong(&interest->key, &key, 0))
		atomic_fetch_sub(&interest_count, 1);
}

/* A free place, or one of a socket that was closed. */
static struct interest *take(uint64_t key)
{
	for (uint32_t i = 0; i < PROBES; i++) {
		struct interest *interest = place(key, i);
		uint64_t there = atomic_load(&interest->key);

		if (there && call_knows(fd_of(there)))
			continue;
		if (!atomic_compare_exchange_strong(&interest->key, &there, key))
			continue;
		if (!there)
			atomic_fetch_add(&interest_count, 1);
		atomic_store(&interest->is_silent, false);
		return interest;
	}
	return NULL;
}

/* ---- as the program changes it ---- */

bool interest_begin(struct interest_change *change, int epfd, int op, int fd,
                    const struct epoll_event *event)
{
	uint64_t key = key_of(epfd, fd);
	struct epoll_event now = {0};

	if (!call_knows(fd) || (op != EPOLL_CTL_DEL && !raw_peek(&now, event, sizeof(now))))
		return false;
	change->op = op;
	change->interest = find(key);
	change->is_new = !change->interest && op != EPOLL_CTL_DEL;
	if (change->is_new)
		change->interest = take(key);
	if (change->is_new && !change->interest)
		interest_missed();
	if (!change->interest)
		return false;
	change->before = wanted(change->interest);
	if (op == EPOLL_CTL_DEL)
		return true;
	/* in this order: whoever silences it behind our back is to know the new ones */
	atomic_store(&change->interest->events, now.events);
	atomic_store(&change->interest->data, now.data.u64);
	change->was_silent = atomic_exchange(&change->interest->is_silent, false);
	return true;
}

void interest_learn(int epfd, int fd, const struct epoll_event *event)
{
	uint64_t key = key_of(epfd, fd);
	struct interest *interest = call_knows(fd) ? find(key) : NULL;

	if (!call_knows(fd) || (interest && atomic_load(&interest->is_silent)))
		return;
	if (!interest)
		interest = take(key);
	if (!interest) {
		interest_missed();
		return;
	}
	atomic_store(&interest->events, event->events);
	atomic_store(&interest->data, event->data.u64);
}

static void take_back(struct interest_change *change)
{
	struct interest *interest = change->interest;

	if (change->is_new) {
		leave(interest, atomic_load(&interest->key));
		return;
	}
	atomic_store(&interest->events, change->before.events);
	atomic_store(&interest->data, change->before.data.u64);
	atomic_store(&interest->is_silent, change->was_silent);
}

int interest_end(struct interest_change *change, int error)
{
	struct interest *interest = change->interest;

	if (change->op != EPOLL_CTL_DEL) {
		if (error)
			take_back(change);
		return error;
	}
	/* an exclusive one is silenced by taking it out */
	if (error == ENOENT && atomic_load(&interest->is_silent) &&
	    change->before.events & EPOLLEXCLUSIVE)
		error = 0;
	if (!error)
		leave(interest, atomic_load(&interest->key));
	return error;
}

/* ---- as we change it ---- */

static long control(uint64_t key, int op, struct epoll_event event)
{
	return raw4(SYS_epoll_ctl, epfd_of(key), op, fd_of(key), &event);
}

/* The kernel is not to tell of it again before its time, of errors neither. Returns false if
 * this is not what is registered there. left: events that may be told. */
static bool silence(struct interest *interest, uint64_t key, uint32_t left)
{
	struct epoll_event event = wanted(interest);
	uint32_t flags = event.events & (EPOLLWAKEUP | EPOLLET);
	long error;

	atomic_store(&interest->is_silent, true);
	if (event.events & EPOLLONESHOT) /* silent by itself */
		return true;
	if (event.events & EPOLLEXCLUSIVE) {
		error = control(key, EPOLL_CTL_DEL, event);
	} else {
		event.events = left ? left | flags : EPOLLONESHOT;
		error = control(key, EPOLL_CTL_MOD, event);
	}
	if (error) {
		atomic_store(&interest->is_silent, false);
		leave(interest, key);
	}
	return !error;
}

/* Registered anew it is told of at once, if it is ready. */
static void renew(struct interest *interest, uint64_t key)
{
	struct epoll_event event = wanted(interest);
	bool was_silent = atomic_exchange(&interest->is_silent, false);
	long error;

	if (!was_silent && (event.events & EPOLLONESHOT || !(event.events & EPOLLET)))
		return;
	if (event.events & EPOLLEXCLUSIVE) {
		if (!was_silent)
			control(key, EPOLL_CTL_DEL, event);
		error = control(key, EPOLL_CTL_ADD, event);
	} else {
		error = control(key, EPOLL_CTL_MOD, event);
	}
	if (error && error != -EEXIST)
		leave(interest, key);
}

/* Is it what is wanted to be told of this socket? */
static bool is_of(const struct interest *interest, uint32_t id, uint64_t *key)
{
	const struct sock *sock;

	*key = atomic_load_explicit(&interest->key, memory_order_relaxed);
	sock = *key ? sockets_at(&process.engine.sockets, fd_of(*key)) : NULL;
	return sock && sockets_word(sock) >> 32 == id;
}

void interest_missed(void)
{
	atomic_store(&any_missing, true);
}

bool interest_is_missing(uint32_t id)
{
	uint64_t key;

	if (LIKELY(!atomic_load(&any_missing)))
		return false;
	for (size_t i = 0; i < INTERESTS; i++)
		if (is_of(&interests[i], id, &key))
			return false;
	return true;
}

void interest_wake(uint32_t id)
{
	uint64_t key;

	if (!atomic_load(&interest_count))
		return;
	for (size_t i = 0; i < INTERESTS; i++)
		if (is_of(&interests[i], id, &key))
			renew(&interests[i], key);
}

/* ---- what has come ---- */

enum {
	WAYS = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND | EPOLLMSG | EPOLLRDHUP | EPOLLOUT |
	       EPOLLWRNORM | EPOLLWRBAND,
};

static bool is_ready(int fd, uint32_t events)
{
	const struct timespec now = {0, 0};
	struct pollfd look = {.fd = fd, .events = (short)(events & 0xffff)};

	return raw5(SYS_ppoll, &look, 1, &now, NULL, 0) > 0;
}

/* Could this be what tells of events, and is not to? */
static bool is_early(struct interest *interest, uint64_t key, uint32_t events)
{
	return (!atomic_load(&interest->is_silent) || !(events & WAYS)) && hold_hides(fd_of(key)) &&
	       is_ready(fd_of(key), events);
}

/* Most programs have the descriptor in the data; then it is found at once. In others several
 * may have the same data. */
static struct interest *find_by_data(int epfd, uint64_t data, uint32_t events, uint64_t *key)
{
	struct interest *interest = find(key_of(epfd, (int)data));

	*key = key_of(epfd, (int)data);
	if (interest && atomic_load(&interest->data) == data)
		return interest;
	for (size_t i = 0; i < INTERESTS; i++) {
		*key = atomic_load_explicit(&interests[i].key, memory_order_acquire);
		if (*key && epfd_of(*key) == epfd && atomic_load(&interests[i].data) == data &&
		    is_early(&interests[i], *key, events))
			return &interests[i];
	}
	return NULL;
}

/* Returns what may be seen of an event. */
static uint32_t look(int epfd, const struct epoll_event *event)
{
	uint64_t key;
	struct interest *interest = find_by_data(epfd, event->data.u64, event->events, &key);
	uint32_t hidden = interest ? hold_hides(fd_of(key)) : 0;
	uint32_t asked, left;

	if (!hidden)
		return event->events;
	asked = atomic_load(&interest->events);
	left = hold_leaves(hidden, asked, event->events);
	if (left)
		return left;
	left = hold_leaves(hidden, asked, asked) & WAYS;
	return silence(interest, key, left) ? 0 : event->events;
}

int interest_filter(int epfd, struct epoll_event *events, int count)
{
	int left = 0;

	if (!hold_is_any())
		return count;
	for (int i = 0; i < count; i++) {
		uint32_t seen = look(epfd, &events[i]);

		if (!seen)
			continue;
		events[left] = events[i];
		events[left++].events = seen;
	}
	return left;
}
