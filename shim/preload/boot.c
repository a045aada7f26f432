/* SPDX-License-Identifier: MIT */
/* boot.c - the library's life in a process: it comes up, survives forks, ends.
 * The composition root: reads the settings, attaches the session, builds the
 * engine. If anything fails the library stands aside and says so once. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "core/names.h"
#include "core/text.h"
#include "preload/attach.h"
#include "preload/enforce.h"
#include "preload/entry.h"
#include "preload/fleeting.h"
#include "preload/limit.h"
#include "preload/livelog.h"
#include "preload/process.h"
#include "preload/record.h"
#include "preload/settings.h"
#include "preload/site.h"
#include "sys/clock.h"
#include "sys/raw.h"
#include "sys/real.h"

enum { ASLEEP, WAKING, AWAKE, ASIDE };

int on_exit(void (*)(int, void *), void *) __attribute__((weak));

static union {
	struct self self;
	char page[SESSION_PAGE];
} wiped_by_fork __attribute__((aligned(SESSION_PAGE)));

/* ---- coming up ---- */

static void say(const char *problem, int error)
{
	char buf[512];
	struct text text = text_on(buf, sizeof(buf));

	text_put(&text, "tcpshim: no session: ");
	text_put(&text, problem);
	if (settings.session[0]) {
		text_put(&text, " ");
		text_visible(&text, settings.session, strlen(settings.session));
	}
	if (error) {
		text_put(&text, ": ");
		text_put(&text, name_errno(error) ? name_errno(error) : "?");
	}
	text_put(&text, enforce_asked() ? "; the program runs by its rules, without a record\n"
	                                : "; the program runs without a record, and without the "
	                                  "rules that the session may have\n");
	raw_write(2, buf, text.len);
}

static bool attach(void)
{
	struct attached attached = attach_session(process.name);
	struct engine *engine = &process.engine;

	if (!attached.session) {
		if (process.is_logging || enforce_asked())
			clock_start(clock_cpu_is_good());
		if (attached.problem) {
			say(attached.problem, attached.error);
			settings.session = "off"; /* descendants need not try again */
		}
		return false;
	}
	clock_start(attached.session->flags & SESSION_TICKS_CPU);
	engine->session = attached.session;
	engine->epoch = attached.session->epoch.ticks;
	process.mapped_bytes = attached.bytes;
	return true;
}

static bool make_wiped_page(void)
{
	return raw3(SYS_madvise, &wiped_by_fork, SESSION_PAGE, MADV_WIPEONFORK) == 0;
}

/* Up to date, with no chunk yet. */
static void wake_thread(void)
{
	thread.pid = process.self->pid;
	atomic_store(&thread.cursor, 0);
	thread.tid = process.is_sandboxed ? 0 : raw_gettid();
	thread.step = thread.tid == process.self->pid;
}

static void come_up(void)
{
	bool has_rules; /* or could get some */

	settings_read();
	site_start();
	entry_read_program();
	process.is_logging = livelog_open();
	process.is_recording = attach();
	enforce_start();
	has_rules = process.is_recording || atomic_load(&process.engine.rules);
	if ((!has_rules && !process.is_logging) || !make_wiped_page()) {
		enforce_aside();
		process.is_recording = process.is_logging = false;
		process.is_aside = true;
		atomic_store(&process.state, ASIDE);
		return;
	}
	wiped_by_fork.self.pid = raw_getpid();
	process.self = &wiped_by_fork.self;
	entry_renew_clock();
	atomic_store(&process.state, AWAKE);
	wake_thread();
	if (process.is_recording)
		entry_of_program();
}

/* ---- forks ---- */

/* In a forked child, before its first event. */
static void start_anew(void)
{
	process.self->pid = raw_getpid();
	if (process.is_recording)
		entry_of_fork();
	else
		limit_forked(thread.fork_start != 0);
}

/* A new process cannot even ask for its pid once sandboxed. */
static bool can_start_anew(void)
{
	return atomic_load(&process.state) == AWAKE && !process.is_sandboxed;
}

/* Then it has no place in the record, but rules hold for it. */
static bool go_on_unrecorded(void)
{
	if (atomic_load(&process.state) != AWAKE)
		return false;
	process.is_recording = process.is_logging = false;
	process.self->pid = NAMELESS;
	return true;
}

/* Does not look whether the page was wiped: that would touch it once more. */
void process_forked(void)
{
	thread.pid = NEVER_WOKEN; /* not a vfork child's, if one forked */
	thread.vforks = 0;
	if (!can_start_anew())
		return;
	fleeting_forked();
	start_anew();
	wake_thread();
}

bool process_wake(void)
{
	int asleep = ASLEEP;

	if (thread.pid == NOT_WATCHING)
		return false; /* a vfork child */
	if (atomic_load(&process.state) == ASLEEP &&
	    atomic_compare_exchange_strong(&process.state, &asleep, WAKING)) {
		int error = errno;

		come_up();
		errno = error;
		return atomic_load(&process.state) == AWAKE;
	}
	if (process.self->pid == 0) {
		if (can_start_anew())
			start_anew();
		else if (!go_on_unrecorded()) /* another thread is just coming up */
			return false;
	}
	wake_thread();
	return true;
}

/* ---- the end ---- */

static int exit_status = STATUS_UNKNOWN;

void process_exits_with(int status)
{
	exit_status = status & 0xff;
}

/* Registered before all other handlers and the loader's own, so run last: this is
 * the end, also by return from main. musl has no on_exit; there the library's
 * destructor is the end. */
static void last_handler(int status, void *nothing)
{
	(void)nothing;
	entry_ends(status);
}

__attribute__((constructor)) static void construct(void)
{
	/* others' constructors may have called us before */
	if (process_is_watching() && on_exit)
		on_exit(last_handler, NULL);
}

__attribute__((destructor)) static void destruct(void)
{
	if (!on_exit)
		entry_ends(exit_status);
}

/* ---- seccomp ---- */

void process_enter_sandbox(void)
{
	if (process.is_sandboxed)
		return;
	if (process.is_recording)
		record_reserve();
	entry_renew_clock();
	clock_freeze();
	process.is_sandboxed = true;
}
