/* SPDX-License-Identifier: MIT */
/* wrap_wait.c - calls that wait until a descriptor is ready: a socket that a delay holds back
 * is not, before its time. Without delays each is a look and a jump.
 *
 * With them, the real call is made without what is held, up to the time when the next is let
 * go, and again with the time that is left. What another thread begins to hold meanwhile is
 * taken out of the answer. */
#include <errno.h>
#include <limits.h>

#include "preload/call.h"
#include "preload/hold.h"
#include "preload/interest.h"
#include "sys/raw.h"

enum { SECOND = 1000000000, MILLI = 1000000 };

#define FOR_EVER UINT64_MAX

/* ---- time ---- */

/* The moment that is so many ns from now; 0, long past, for none: then no clock is asked. */
static uint64_t moment_in(uint64_t ns)
{
	uint64_t now = ns ? clock_ns(CLOCK_MONOTONIC) : 0;

	return now + ns < now ? FOR_EVER : now + ns;
}

static uint64_t moment_in_ms(int ms)
{
	return ms < 0 ? FOR_EVER : moment_in((uint64_t)ms * MILLI);
}

/* Returns false if the kernel is to say what is wrong with it. */
static bool read_timeout(uint64_t *deadline, const struct timespec *timeout)
{
	struct timespec span;

	*deadline = FOR_EVER;
	if (!timeout)
		return true;
	if (!raw_peek(&span, timeout, sizeof(span)) || span.tv_sec < 0 || span.tv_nsec < 0 ||
	    span.tv_nsec >= SECOND)
		return false;
	if (span.tv_sec < INT32_MAX)
		*deadline = moment_in((uint64_t)span.tv_sec * SECOND + (uint64_t)span.tv_nsec);
	return true;
}

static uint64_t left_until(uint64_t moment)
{
	uint64_t now = moment && moment != FOR_EVER ? clock_ns(CLOCK_MONOTONIC) : 0;

	return moment > now ? moment - now : 0;
}

static bool is_past(uint64_t deadline)
{
	return deadline != FOR_EVER && left_until(deadline) == 0;
}

/* How long the real call may wait. Returns false if it may for ever. */
static bool span_of(struct timespec *span, uint64_t deadline)
{
	uint64_t due = hold_release(), ns;

	due = due < deadline ? due : deadline;
	if (due == FOR_EVER)
		return false;
	ns = left_until(due);
	span->tv_sec = (time_t)(ns / SECOND);
	span->tv_nsec = (long)(ns % SECOND);
	return true;
}

/* ---- poll ---- */

enum { POLLS = 64 };

static uint32_t hidden_of(const struct pollfd *at)
{
	return at->fd < 0 ? 0 : hold_hides(at->fd);
}

static bool hides_any(const struct pollfd *fds, nfds_t count)
{
	if (hold_is_any())
		for (nfds_t i = 0; i < count; i++)
			if (hidden_of(&fds[i]))
				return true;
	return false;
}

/* Without what is held: a negative descriptor is not looked at. */
static void hide(struct pollfd *to, const struct pollfd *fds, nfds_t count)
{
	for (nfds_t i = 0; i < count; i++) {
		uint32_t hidden = hidden_of(&fds[i]), asked = (uint16_t)fds[i].events;

		to[i] = fds[i];
		to[i].revents = 0;
		if (!hidden)
			continue;
		to[i].events = (short)hold_leaves(hidden, asked, asked);
		if (hold_leaves(hidden, asked, POLLERR) == 0)
			to[i].fd = -1;
	}
}

/* Take out of ret answers those that have come too early. */
static int without_early(struct pollfd *fds, nfds_t count, int ret)
{
	for (nfds_t i = 0; hold_is_any() && ret > 0 && i < count; i++) {
		uint32_t hidden = fds[i].revents ? hidden_of(&fds[i]) : 0;

		if (!hidden)
			continue;
		fds[i].revents = (short)hold_leaves(hidden, (uint16_t)fds[i].events,
		                                    (uint16_t)fds[i].revents);
		ret -= fds[i].revents == 0;
	}
	return ret;
}

static int poll_with(struct pollfd *own, struct pollfd *fds, nfds_t count,
                     const struct timespec *span, const sigset_t *mask)
{
	int ret;

	hide(own, fds, count);
	ret = real.ppoll(own, count, span, mask);
	for (nfds_t i = 0; ret >= 0 && i < count; i++)
		fds[i].revents = own[i].revents;
	return ret;
}

static __attribute__((noinline)) int poll_few(struct pollfd *fds, nfds_t count,
                                              const struct timespec *span, const sigset_t *mask)
{
	struct pollfd own[POLLS];

	return poll_with(own, fds, count, span, mask);
}

static int poll_many(struct pollfd *fds, nfds_t count, const struct timespec *span,
                     const sigset_t *mask)
{
	struct pollfd *own = raw_map(count * sizeof(*own));
	int ret;

	if (!own)
		return real.ppoll(fds, count, span, mask);
	ret = poll_with(own, fds, count, span, mask);
	raw2(SYS_munmap, own, count * sizeof(*own));
	return ret;
}

static int poll_until(struct pollfd *fds, nfds_t count, uint64_t deadline, const sigset_t *mask)
{
	struct timespec span;
	int ret;

	do {
		const struct timespec *wait = span_of(&span, deadline) ? &span : NULL;

		if (!hides_any(fds, count))
			ret = real.ppoll(fds, count, wait, mask);
		else if (count <= POLLS)
			ret = poll_few(fds, count, wait, mask);
		else
			ret = poll_many(fds, count, wait, mask);
		ret = without_early(fds, count, ret);
	} while (ret == 0 && !is_past(deadline));
	return ret;
}

static bool is_readable(const struct pollfd *fds, nfds_t count)
{
	return count == 0 ||
	       (count < INT32_MAX && raw_is_readable((uintptr_t)fds, count * sizeof(*fds)));
}

EXPORT int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (LIKELY(!hold_is_near()) || !is_readable(fds, count))
		return real.poll(fds, count, timeout);
	return poll_until(fds, count, moment_in_ms(timeout), NULL);
}

/* A fortified poll: where there is less room, libc's own ends the program. */
EXPORT int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
	if (room / sizeof(*fds) < count)
		return real.__poll_chk(fds, count, timeout, room);
	return poll(fds, count, timeout);
}

EXPORT int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
	uint64_t deadline;

	if (LIKELY(!hold_is_near()) || !is_readable(fds, count) ||
	    !read_timeout(&deadline, timeout))
		return real.ppoll(fds, count, timeout, mask);
	return poll_until(fds, count, deadline, mask);
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                       const sigset_t *mask, size_t room)
{
	if (room / sizeof(*fds) < count)
		return real.__ppoll_chk(fds, count, timeout, mask, room);
	return ppoll(fds, count, timeout, mask);
}

/* ---- select ---- */

/* The program's three sets, of which some may be missing; and as many bytes of them as count. */
struct sets {
	fd_set *in, *out, *except;
	int count;
	size_t bytes;
};

static bool are_readable(const struct sets *sets)
{
	const fd_set *all[] = {sets->in, sets->out, sets->except};

	if (sets->count < 0 || sets->count > FD_SETSIZE)
		return false;
	for (size_t i = 0; i < 3 && sets->bytes; i++)
		if (all[i] && !raw_is_readable((uintptr_t)all[i], sets->bytes))
			return false;
	return true;
}

/* Clear what must not be seen. Returns how many that were. */
static int clear(fd_set *set, int count, uint32_t way)
{
	int cleared = 0;

	for (int fd = 0; set && hold_is_any() && fd < count; fd++)
		if (FD_ISSET(fd, set) && hold_hides(fd) & way) {
			FD_CLR(fd, set);
			cleared++;
		}
	return cleared;
}

static int clear_early(const struct sets *own)
{
	return clear(own->in, own->count, EPOLLIN) + clear(own->out, own->count, EPOLLOUT) +
	       clear(own->except, own->count, EPOLLPRI);
}

static void copy_sets(const struct sets *to, const struct sets *from)
{
	fd_set *const pairs[][2] = {
	        {to->in, from->in}, {to->out, from->out}, {to->except, from->except}};

	for (size_t i = 0; i < 3; i++)
		if (pairs[i][0] && pairs[i][1])
			memcpy(pairs[i][0], pairs[i][1], to->bytes);
}

static __attribute__((noinline)) int select_once(const struct sets *sets,
                                                 const struct timespec *span, const sigset_t *mask)
{
	fd_set in, out, except;
	struct sets own = *sets;
	int ret;

	own.in = sets->in ? &in : NULL;
	own.out = sets->out ? &out : NULL;
	own.except = sets->except ? &except : NULL;
	copy_sets(&own, sets);
	clear_early(&own);
	ret = real.pselect(own.count, own.in, own.out, own.except, span, mask);
	if (ret > 0)
		ret -= clear_early(&own);
	if (ret > 0)
		copy_sets(sets, &own);
	return ret;
}

static int select_until(const struct sets *sets, uint64_t deadline, const sigset_t *mask)
{
	fd_set *const all[] = {sets->in, sets->out, sets->except};
	struct timespec span;
	int ret;

	do
		ret = select_once(sets, span_of(&span, deadline) ? &span : NULL, mask);
	while (ret == 0 && !is_past(deadline));
	for (size_t i = 0; ret == 0 && i < 3; i++)
		if (all[i])
			memset(all[i], 0, sets->bytes);
	return ret;
}

static struct sets sets_of(int count, fd_set *in, fd_set *out, fd_set *except)
{
	const int bits = 8 * (int)sizeof(long);

	return (struct sets){in, out, except, count,
	                     count > 0 ? sizeof(long) * (size_t)((count - 1) / bits + 1) : 0};
}

static bool read_timeval(struct timespec *to, const struct timeval *timeout)
{
	struct timeval span;

	if (!raw_peek(&span, timeout, sizeof(span)) || span.tv_usec < 0 || span.tv_sec < 0)
		return false;
	to->tv_sec = span.tv_sec + span.tv_usec / 1000000;
	to->tv_nsec = span.tv_usec % 1000000 * 1000;
	return true;
}

/* Linux leaves the time that was not slept, select(2). */
static void write_left(struct timeval *timeout, uint64_t deadline)
{
	uint64_t us = left_until(deadline) / 1000;

	timeout->tv_sec = (time_t)(us / 1000000);
	timeout->tv_usec = (suseconds_t)(us % 1000000);
}

EXPORT int select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
	struct sets sets;
	struct timespec span;
	uint64_t deadline;
	int ret;

	if (LIKELY(!hold_is_near()))
		return real.select(count, in, out, except, timeout);
	sets = sets_of(count, in, out, except);
	if (!are_readable(&sets) || (timeout && !read_timeval(&span, timeout)) ||
	    !read_timeout(&deadline, timeout ? &span : NULL))
		return real.select(count, in, out, except, timeout);
	ret = select_until(&sets, deadline, NULL);
	if (timeout && deadline != FOR_EVER)
		write_left(timeout, deadline);
	return ret;
}

EXPORT int pselect(int count, fd_set *in, fd_set *out, fd_set *except,
                   const struct timespec *timeout, const sigset_t *mask)
{
	struct sets sets;
	uint64_t deadline;

	if (LIKELY(!hold_is_near()))
		return real.pselect(count, in, out, except, timeout, mask);
	sets = sets_of(count, in, out, except);
	if (!are_readable(&sets) || !read_timeout(&deadline, timeout))
		return real.pselect(count, in, out, except, timeout, mask);
	return select_until(&sets, deadline, mask);
}

/* ---- epoll ---- */

/* Returns what epoll_ctl returns. */
static int control(int epfd, int op, int fd, struct epoll_event *event)
{
	struct interest_change change;
	int error = 0, before = errno;

	hold_release();
	if (!interest_begin(&change, epfd, op, fd, event))
		return real.epoll_ctl(epfd, op, fd, event);
	if (real.epoll_ctl(epfd, op, fd, event) != 0)
		error = errno;
	error = interest_end(&change, error);
	errno = error ? error : before;
	return error ? -1 : 0;
}

EXPORT int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
	if (LIKELY(!hold_is_near()))
		return real.epoll_ctl(epfd, op, fd, event);
	return control(epfd, op, fd, event);
}

/* Milliseconds, rounded up: never too early. */
static int to_ms(const struct timespec *span)
{
	if (span->tv_sec >= INT_MAX / 1000 - 1)
		return INT_MAX;
	return (int)(span->tv_sec * 1000 + (span->tv_nsec + MILLI - 1) / MILLI);
}

/* It is over when the kernel itself has nothing to tell: of what was taken out the next call
 * is silent. */
static int epoll_until(int epfd, struct epoll_event *events, int room, uint64_t deadline,
                       const sigset_t *mask)
{
	struct timespec span;
	int got, ret;

	do {
		int wait = span_of(&span, deadline) ? to_ms(&span) : -1;

		got = real.epoll_pwait(epfd, events, room, wait, mask);
		ret = got > 0 ? interest_filter(epfd, events, got) : got;
	} while (ret == 0 && (got > 0 || !is_past(deadline)));
	return ret;
}

EXPORT int epoll_wait(int epfd, struct epoll_event *events, int room, int timeout)
{
	if (LIKELY(!hold_is_near()))
		return real.epoll_wait(epfd, events, room, timeout);
	return epoll_until(epfd, events, room, moment_in_ms(timeout), NULL);
}

EXPORT int epoll_pwait(int epfd, struct epoll_event *events, int room, int timeout,
                       const sigset_t *mask)
{
	if (LIKELY(!hold_is_near()))
		return real.epoll_pwait(epfd, events, room, timeout, mask);
	return epoll_until(epfd, events, room, moment_in_ms(timeout), mask);
}

EXPORT int epoll_pwait2(int epfd, struct epoll_event *events, int room,
                        const struct timespec *timeout, const sigset_t *mask)
{
	uint64_t deadline;

	if (LIKELY(!hold_is_near()) || !read_timeout(&deadline, timeout))
		return real.epoll_pwait2(epfd, events, room, timeout, mask);
	return epoll_until(epfd, events, room, deadline, mask);
}
