/* SPDX-License-Identifier: MIT */
/* sweep_pool.c - see sweep_pool.h. Signals are fetched with the rest by poll. */
#include "tools/sweep_pool.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tools/memory.h"

enum {
	TICK_MS = 1000,
	LOOK_MS = 10, /* while something is to end that we are not told of */
};

struct hall {
	const struct sweep_pool *pool;
	struct sweep_child *child;
	struct pollfd *poll;
	int signals;
	int stopped_by;
	bool is_dry; /* there are no more runs */
	unsigned running;
	sigset_t mask;
};

static void start_more(struct hall *hall)
{
	for (unsigned i = 0; i < hall->pool->jobs && !hall->is_dry; i++) {
		if (hall->child[i].pid)
			continue;
		hall->is_dry = !hall->pool->next(hall->pool->context, &hall->child[i]);
		hall->running += !hall->is_dry;
	}
}

static int wait_ms(const struct hall *hall)
{
	int wait = TICK_MS;

	for (unsigned i = 0; i < hall->pool->jobs; i++) {
		const struct sweep_child *child = &hall->child[i];
		uint64_t now = sweep_now_ns(), left_ms;

		if (!child->pid)
			continue;
		if (child->stage != STAGE_RUNS)
			return LOOK_MS;
		if (child->watch.fd >= 0 && wait > SWEEP_WATCH_MS)
			wait = SWEEP_WATCH_MS;
		if (!child->deadline_ns)
			continue;
		left_ms = child->deadline_ns > now ? (child->deadline_ns - now) / 1000000 + 1 : 0;
		if (left_ms < (uint64_t)wait)
			wait = (int)left_ms;
	}
	return wait;
}

static void wait_for_something(struct hall *hall)
{
	nfds_t count = 0;

	hall->poll[count++] = (struct pollfd){.fd = hall->signals, .events = POLLIN};
	for (unsigned i = 0; i < hall->pool->jobs; i++) {
		if (!hall->child[i].pid)
			continue;
		hall->poll[count++] =
		        (struct pollfd){.fd = hall->child[i].out.fd, .events = POLLIN};
		hall->poll[count++] =
		        (struct pollfd){.fd = hall->child[i].err.fd, .events = POLLIN};
	}
	poll(hall->poll, count, wait_ms(hall));
}

static void stop(struct hall *hall, int number)
{
	if (!hall->stopped_by)
		hall->stopped_by = number;
	hall->is_dry = true;
	for (unsigned i = 0; i < hall->pool->jobs; i++)
		if (hall->child[i].pid)
			sweep_child_stop(&hall->child[i]);
}

static void fetch_signals(struct hall *hall)
{
	struct signalfd_siginfo info;

	while (read(hall->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			stop(hall, (int)info.ssi_signo);
}

static void step(struct hall *hall, struct sweep_child *child)
{
	sweep_child_read(&child->out);
	sweep_child_read(&child->err);
	sweep_child_step(child);
	if (child->stage != STAGE_OVER)
		return;
	if (!child->was_stopped)
		hall->pool->done(hall->pool->context, child);
	unlink(child->session);
	child->pid = 0;
	hall->running--;
	hall->pool->tick(hall->pool->context);
}

/* nohup(1) wants SIGHUP ignored; a shell that starts us in the background ignores SIGINT, too,
 * but whoever sends it then means us. */
static sigset_t signals_that_end(void)
{
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	return set;
}

void sweep_signals_hold(void)
{
	sigset_t set = signals_that_end();

	sigprocmask(SIG_BLOCK, &set, NULL);
}

void sweep_signals_release(bool was_interrupted)
{
	const struct timespec now = {.tv_sec = 0};
	sigset_t set = signals_that_end();

	while (was_interrupted && sigtimedwait(&set, NULL, &now) > 0)
		;
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Signals wait for us to fetch them. */
static int open_signals(struct hall *hall)
{
	sigset_t set = signals_that_end();

	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &hall->mask);
	signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, there would be no status */
	hall->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return hall->signals < 0 ? -errno : 0;
}

static void run(struct hall *hall)
{
	uint64_t told = sweep_now_ns();

	for (;;) {
		if (!hall->stopped_by)
			start_more(hall);
		if (hall->running == 0)
			return;
		wait_for_something(hall);
		fetch_signals(hall);
		for (unsigned i = 0; i < hall->pool->jobs; i++)
			if (hall->child[i].pid)
				step(hall, &hall->child[i]);
		if (sweep_now_ns() - told >= (uint64_t)TICK_MS * 1000000) {
			told = sweep_now_ns();
			hall->pool->tick(hall->pool->context);
		}
	}
}

int sweep_pool_run(const struct sweep_pool *pool)
{
	struct hall hall = {.pool = pool};
	int error = open_signals(&hall);

	hall.child = memory_new(pool->jobs * sizeof(*hall.child));
	hall.poll = memory_new((1 + 2 * pool->jobs) * sizeof(*hall.poll));
	if (!error) {
		run(&hall);
		close(hall.signals);
	}
	sigprocmask(SIG_SETMASK, &hall.mask, NULL);
	free(hall.child);
	free(hall.poll);
	return error ? error : hall.stopped_by;
}
