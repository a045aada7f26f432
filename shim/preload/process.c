/* SPDX-License-Identifier: MIT */
/* process.c - see process.h.
 * The composition root: reads the settings, attaches the session, builds the
 * engine. If anything fails the library stands aside and says so once. */
#include "preload/process.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "core/names.h"
#include "core/text.h"
#include "preload/adopt.h"
#include "preload/attach.h"
#include "preload/record.h"
#include "preload/settings.h"
#include "sys/clock.h"
#include "sys/raw.h"
#include "sys/real.h"

enum { STATUS_UNKNOWN = -1 };
enum { ASLEEP, WAKING, AWAKE, ASIDE };

int on_exit(void (*)(int, void *), void *) __attribute__((weak));

static const uint64_t no_generation = NOT_WATCHING - 1;
#define NEVER_WOKEN (NOT_WATCHING - 2) /* not 0: that is a forked child's page */
static _Atomic int state = ASLEEP;
/* The page that process.generation points into. */
static union {
	uint64_t generation;
	char page[SESSION_PAGE];
} wiped_by_fork __attribute__((aligned(SESSION_PAGE)));

static uint64_t last_generation;

struct process process = {.generation = &no_generation};
_Thread_local struct thread thread = {
        .generation = NEVER_WOKEN,
};

/* ---- our entry in the table of processes ---- */

static bool touch(void *page)
{
	return record_allocate(page, SESSION_PAGE) == 0;
}

uint32_t process_take_slot(uint32_t pid)
{
	struct session_header *session = process.engine.session;
	uint32_t slot = session_take_process(session, pid, touch);
	struct session_process *entry = session_process(session, slot);

	if (!slot)
		return 0;
	entry->first = (struct clock_pair){clock_ticks(), clock_ns(CLOCK_MONOTONIC)};
	entry->last = entry->first;
	entry->start = entry->first.ticks;
	return slot;
}

/* The path that exec was given: the script's, where it is one. */
static const char *program_path(void)
{
	unsigned long path = getauxval(AT_EXECFN);

	return path ? (const char *)path : "unknown";
}

/* Keep the end of a path that is too long. */
static void put_tail(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);
	const char *tail = len < size ? from : from + len - size + 1;

	memset(to, 0, size);
	memcpy(to, tail, strlen(tail));
}

void process_fd_limit(uint64_t limit)
{
	struct session_process *entry = process_entry();

	if (entry)
		atomic_store(&entry->fd_limit, limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX);
}

static void fill_entry(struct session_process *entry, enum process_origin origin, uint32_t parent)
{
	struct rlimit limit = {0, 0};

	entry->ppid = (uint32_t)raw1(SYS_getppid, 0);
	entry->parent = parent;
	entry->uid = (uint32_t)raw1(SYS_getuid, 0);
	entry->origin = origin;
	entry->coverage = COVERAGE_SEEN;
	entry->status = STATUS_UNKNOWN;
	put_tail(entry->program, sizeof(entry->program), program_path());
	put_tail(entry->name, sizeof(entry->name), process.name);
	raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	process_fd_limit(limit.rlim_cur);
	atomic_store(&entry->state, PROCESS_LIVE);
}

/* A program is up: the first of the session, or one that a process of it became
 * (then `before` is what it was) or spawned (then it is the parent). */
static void enter_table(void)
{
	struct session_header *session = process.engine.session;
	uint32_t ppid = (uint32_t)raw1(SYS_getppid, 0);
	uint32_t self = session_find_process(session, process.pid, touch);
	uint32_t before = self ? self : session_find_process(session, ppid, touch);
	struct session_process *old = before ? session_process(session, before) : NULL;
	enum process_origin origin = self ? ORIGIN_EXEC : before ? ORIGIN_SPAWN : ORIGIN_ROOT;
	uint32_t passed_top = old ? old->passed_top : 0;

	if (self && atomic_load(&old->chunks) == 0) {
		process.slot = self; /* it has told nothing: one entry serves both */
		before = old->parent;
		old->passed_top = 0;
	} else {
		process.slot = process_take_slot(process.pid);
	}
	if (self && process.slot != self) {
		old->end = clock_ticks();
		atomic_store(&old->state, PROCESS_EXECED);
	}
	if (!process.slot)
		return;
	fill_entry(process_entry(), origin, before);
	record_process(origin == ORIGIN_ROOT ? OP_START : OP_EXEC, process_entry()->program);
	adopt_inherited(passed_top);
}

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
	text_put(&text, "; the program runs without a record\n");
	raw_write(2, buf, text.len);
}

static void read_name(void)
{
	const char *path = program_path();
	const char *slash = strrchr(path, '/');

	put_tail(process.name, sizeof(process.name), slash ? slash + 1 : path);
}

static bool attach(void)
{
	struct attached attached = attach_session(process.name);
	struct engine *engine = &process.engine;

	if (!attached.session) {
		if (process.is_logging)
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

static void come_up(void)
{
	settings_read();
	read_name();
	process.pid = raw_getpid();
	process.is_logging = record_open_log();
	process.is_recording = attach();
	if ((!process.is_recording && !process.is_logging) || !make_wiped_page()) {
		process.is_recording = process.is_logging = false;
		process.is_aside = true;
		atomic_store(&state, ASIDE);
		return;
	}
	wiped_by_fork.generation = last_generation = 1;
	process.generation = &wiped_by_fork.generation;
	process_renew_clock();
	atomic_store(&state, AWAKE);
	thread.generation = 1;
	thread.tid = raw_gettid();
	thread.step = thread.tid == process.pid;
	if (process.is_recording)
		enter_table();
}

/* One entry for each of a million descriptors costs address space alone: memory
 * comes where it is touched. Nothing of it before there is a socket. */
void process_make_tables(void)
{
	enum { FDS = 1 << 20, FDS_TIGHT = 1 << 16 };
	static _Atomic bool is_made;
	struct sockets *sockets = &process.engine.sockets;
	size_t peers_size = SOCKETS_PEER_SLOTS * sizeof(uint64_t);
	uint32_t capacity = FDS;
	char *at;

	if (atomic_exchange(&is_made, true))
		return; /* by another thread, perhaps just now: what it misses is adopted */
	real_find();
	at = raw_map(peers_size + FDS * sizeof(struct sock));
	if (!at) { /* the address space is limited */
		capacity = FDS_TIGHT;
		at = raw_map(peers_size + FDS_TIGHT * sizeof(struct sock));
	}
	if (!at)
		return;
	raw3(SYS_madvise, at, peers_size + capacity * sizeof(struct sock), MADV_NOHUGEPAGE);
	sockets->peers = (_Atomic uint64_t *)at;
	sockets->at = (struct sock *)(at + peers_size);
	atomic_thread_fence(memory_order_release);
	sockets->capacity = capacity;
}

/* ---- forks ---- */

/* In a forked child, before its first event. */
static void start_anew(void)
{
	uint32_t parent = process.slot;

	wiped_by_fork.generation = ++last_generation;
	process.pid = raw_getpid();
	process.fd_peak = 0;
	atomic_store(&process.reserve, 0);
	atomic_store(&process.shared, 0);
	thread.vforks = 0;
	if (!process.is_recording)
		return;
	process.slot = process_take_slot(process.pid);
	if (!process.slot)
		return;
	if (thread.fork_start) /* what the parent did since is not inherited */
		process_entry()->start = thread.fork_start;
	fill_entry(process_entry(), ORIGIN_FORK, parent);
	record_process(OP_FORK, NULL);
}

bool process_wake(void)
{
	int asleep = ASLEEP;

	if (thread.generation == NOT_WATCHING)
		return false; /* a vfork child */
	if (atomic_compare_exchange_strong(&state, &asleep, WAKING)) {
		int error = errno;

		come_up();
		errno = error;
		return atomic_load(&state) == AWAKE;
	}
	if (asleep != AWAKE)
		return false;
	if (wiped_by_fork.generation == 0 && process.is_sandboxed)
		return false; /* a new process cannot even ask for its pid */
	if (wiped_by_fork.generation == 0)
		start_anew();
	thread.generation = wiped_by_fork.generation;
	atomic_store(&thread.cursor, 0);
	thread.tid = process.is_sandboxed ? 0 : raw_gettid();
	thread.step = thread.tid == process.pid;
	return true;
}

/* ---- the rest of a life ---- */

void process_renew_clock(void)
{
	struct session_process *entry = process_entry();
	struct clock_pair pair = {clock_ticks(),
	                          process.is_sandboxed ? 0 : clock_ns(CLOCK_MONOTONIC)};
	uint64_t age = entry ? pair.ticks - entry->first.ticks : 0;
	uint64_t wait = age < 1u << 20 ? 1u << 20 : age; /* 0.4 ms, then doubling */

	process.clock_due = pair.ticks + (wait < 1u << 31 ? wait : 1u << 31);
	if (entry && pair.mono_ns)
		entry->last = pair;
}

void process_is_blind(unsigned bits)
{
	struct session_process *entry = process_entry();

	if (entry)
		entry->blind |= (uint8_t)bits;
}

/* A vfork child ends without a trace in the memory that it shares. */
static void vfork_child_ends(int status)
{
	struct session_process *entry;

	if (!thread.vforks || !thread.vfork_slot)
		return;
	entry = session_process(process.engine.session, thread.vfork_slot);
	entry->status = status & 0xff;
	entry->end = clock_ticks();
	atomic_store(&entry->state, PROCESS_ENDED);
}

void process_ends(int status)
{
	struct session_process *entry = process_entry();

	vfork_child_ends(status);
	if (!entry || thread.generation != *process.generation ||
	    atomic_load(&entry->state) == PROCESS_ENDED)
		return;
	process_renew_clock();
	entry->status = status == STATUS_UNKNOWN ? status : status & 0xff;
	entry->end = clock_ticks();
	atomic_store(&entry->state, PROCESS_ENDED);
	record_process(OP_EXIT, NULL);
}

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
	process_ends(status);
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
		process_ends(exit_status);
}

void process_enter_sandbox(void)
{
	if (process.is_sandboxed)
		return;
	if (process.is_recording)
		record_reserve();
	process_renew_clock();
	clock_freeze();
	process.is_sandboxed = true;
}
