/* SPDX-License-Identifier: MIT */
/* entry.c - see entry.h. */
#include "preload/entry.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "preload/adopt.h"
#include "preload/fdlimit.h"
#include "preload/limit.h"
#include "preload/record.h"
#include "sys/clock.h"
#include "sys/raw.h"

/* Of this program, copied: the original stands where programs write their title. */
static char program[sizeof(((struct session_process *)0)->program)];

static bool touch(void *page)
{
	return record_allocate(page, SESSION_PAGE) == 0;
}

/* At the head of the list of all processes. */
static void enlist(struct session_header *session, struct session_process *entry, uint32_t slot)
{
	uint32_t newest = atomic_load(&session->newest);

	do
		atomic_store(&entry->older, newest);
	while (!atomic_compare_exchange_weak(&session->newest, &newest, slot));
}

uint32_t entry_take(uint32_t pid)
{
	struct session_header *session = process.engine.session;
	uint32_t slot = session_take_process(session, pid, touch);
	struct session_process *entry = session_process(session, slot);

	if (!slot)
		return 0;
	entry->first = (struct clock_pair){clock_ticks(), clock_ns(CLOCK_MONOTONIC)};
	entry->last = entry->first;
	entry->start = entry->first.ticks;
	enlist(session, entry, slot);
	return slot;
}

struct session_process *entry_of_child(uint32_t pid, enum process_origin origin, uint32_t *slot)
{
	struct session_process *own = process_entry(), *entry;

	*slot = entry_take(pid);
	if (!*slot)
		return NULL;
	entry = session_process(process.engine.session, *slot);
	entry->ppid = process.self->pid;
	entry->parent = process.self->slot;
	entry->uid = own ? own->uid : 0;
	atomic_store(&entry->fd_given, own ? atomic_load(&own->fd_given) : 0);
	entry->origin = origin;
	entry->status = STATUS_UNKNOWN;
	return entry;
}

/* Keep the end of a path that is too long. */
static void put_tail(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);
	const char *tail = len < size ? from : from + len - size + 1;

	memset(to, 0, size);
	memcpy(to, tail, strlen(tail));
}

void entry_read_program(void)
{
	unsigned long at =
	        getauxval(AT_EXECFN); /* the path that exec was given, the script's if so */
	const char *path = at ? (const char *)at : "unknown";
	const char *slash = strrchr(path, '/');

	put_tail(program, sizeof(program), path);
	put_tail(process.name, sizeof(process.name), slash ? slash + 1 : path);
	process.engine.name = process.name;
	process.engine.program = program;
	process.engine.who[1] = rules_name_hash(process.name);
	process.engine.who[2] = rules_name_hash(program);
}

void entry_fd_limit(uint64_t limit)
{
	struct session_process *entry = process_entry();

	if (entry)
		atomic_store(&entry->fd_limit, limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX);
}

static void fill(enum process_origin origin, uint32_t parent)
{
	struct session_process *entry = process_entry();
	struct rlimit limit = {0, 0};

	entry->ppid = (uint32_t)raw1(SYS_getppid, 0);
	entry->parent = parent;
	entry->uid = (uint32_t)raw1(SYS_getuid, 0);
	entry->origin = origin;
	entry->coverage = COVERAGE_SEEN;
	entry->status = STATUS_UNKNOWN;
	memcpy(entry->program, program, sizeof(program));
	memcpy(entry->name, process.name, sizeof(entry->name));
	raw4(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
	entry_fd_limit(limit.rlim_cur);
	atomic_store(&entry->state, PROCESS_LIVE);
}

/* A program is up: the first of the session, or one that a process of it became
 * (then `before` is what it was) or spawned (then it is the parent). */
void entry_of_program(void)
{
	struct session_header *session = process.engine.session;
	uint32_t ppid = (uint32_t)raw1(SYS_getppid, 0);
	uint32_t self = session_find_process(session, process.self->pid, touch);
	uint32_t before = self ? self : session_find_process(session, ppid, touch);
	struct session_process *old = before ? session_process(session, before) : NULL;
	enum process_origin origin = self ? ORIGIN_EXEC : before ? ORIGIN_SPAWN : ORIGIN_ROOT;
	uint32_t passed_top = old ? old->passed_top : 0;
	struct fdlimit_before limit = {old ? old->fd_given : 0, old ? old->fd_limit : 0};

	if (self && atomic_load(&old->chunks) == 0) {
		process.self->slot = self; /* it has told nothing: one entry serves both */
		before = old->parent;
		old->passed_top = 0;
	} else {
		process.self->slot = entry_take(process.self->pid);
	}
	if (self && process.self->slot != self) {
		old->end = clock_ticks();
		atomic_store(&old->state, PROCESS_EXECED);
	}
	limit_entered();
	fdlimit_start(limit);
	if (!process.self->slot)
		return;
	fill(origin, before);
	record_process(origin == ORIGIN_ROOT ? OP_START : OP_EXEC, process_entry()->program);
	adopt_inherited(passed_top);
}

void entry_of_fork(void)
{
	struct session_header *session = process.engine.session;
	uint32_t parent = thread.fork_start ? thread.fork_parent : 0;

	if (!parent) /* a fork that we did not stand around */
		parent = session_find_process(session, (uint32_t)raw1(SYS_getppid, 0), touch);
	process.self->slot = entry_take(process.self->pid);
	limit_forked(thread.fork_start != 0);
	fdlimit_enter();
	if (!process.self->slot)
		return;
	if (thread.fork_start) /* what the parent did since is not inherited */
		process_entry()->start = thread.fork_start;
	fill(ORIGIN_FORK, parent);
	record_process(OP_FORK, NULL);
}

void entry_renew_clock(void)
{
	struct session_process *entry = process_entry();
	struct clock_pair pair = {clock_ticks(),
	                          process.is_sandboxed ? 0 : clock_ns(CLOCK_MONOTONIC)};
	uint64_t age = entry ? pair.ticks - entry->first.ticks : 0;
	uint64_t wait = age < 1u << 20 ? 1u << 20 : age; /* 0.4 ms, then doubling */

	process.self->clock_due = pair.ticks + (wait < 1u << 31 ? wait : 1u << 31);
	if (entry && pair.mono_ns)
		entry->last = pair;
}

void entry_is_blind(unsigned bits)
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

void entry_ends(int status)
{
	struct session_process *entry = process_entry();

	vfork_child_ends(status);
	if (!entry || thread.pid != process.self->pid ||
	    atomic_load(&entry->state) == PROCESS_ENDED)
		return;
	entry_renew_clock();
	entry->status = status == STATUS_UNKNOWN ? status : status & 0xff;
	entry->end = clock_ticks();
	atomic_store(&entry->state, PROCESS_ENDED);
	record_process(OP_EXIT, NULL);
}
