/* SPDX-License-Identifier: MIT */
/* fdlimit.c - see fdlimit.h.
 * The limit is set when a program starts and when the rules change; forked children have it
 * from their parent. What a program itself sets it to stays, and is what its children get. */
#include "preload/fdlimit.h"

#include "core/limits.h"
#include "preload/record.h"
#include "sys/raw.h"

static _Atomic uint32_t rule; /* its number, 0: none */
static _Atomic uint32_t most; /* its amount */
static _Atomic bool has_started;

static bool get(struct rlimit *limit)
{
	return raw4(SYS_prlimit64, process.self->pid, RLIMIT_NOFILE, NULL, limit) == 0;
}

/* By pid: in a vfork child, too, it is the process that the rules are for. */
static bool set_soft(rlim_t soft)
{
	struct rlimit limit;

	if (!get(&limit))
		return false;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	if (raw4(SYS_prlimit64, process.self->pid, RLIMIT_NOFILE, &limit, NULL) != 0)
		return false;
	entry_fd_limit(limit.rlim_cur);
	return true;
}

static uint32_t to_32(rlim_t limit)
{
	return limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
}

static void set_by_rule(uint32_t amount)
{
	struct rlimit limit;

	if (!atomic_load(&process.fd_given) && get(&limit))
		atomic_store(&process.fd_given, to_32(limit.rlim_cur));
	if (!set_soft(amount))
		atomic_store(&process.fd_given, 0);
}

static void give_back(void)
{
	uint32_t soft = atomic_exchange(&process.fd_given, 0);

	if (soft)
		set_soft(soft);
}

void fdlimit_enter(void)
{
	struct session_process *entry = process_entry();

	if (entry && atomic_load(&entry->fd_given) != atomic_load(&process.fd_given))
		atomic_store(&entry->fd_given, atomic_load(&process.fd_given));
}

void fdlimit_prepare(struct rules *rules)
{
	uint32_t number =
	        rules ? limits_rule(rules, LIMIT_FDS, process.engine.name, process.engine.program)
	              : 0;
	uint32_t amount = number ? rules->rule[number - 1].amount : 0;
	bool is_same = number && atomic_load(&rule) && atomic_load(&most) == amount;

	if (process.is_sandboxed || (process.engine.session && !atomic_load(&has_started)))
		return;
	atomic_store(&most, amount);
	atomic_store(&rule, number);
	if (is_same)
		return;
	if (number) {
		set_by_rule(amount);
		atomic_fetch_add_explicit(&rules->rule[number - 1].matched, 1,
		                          memory_order_relaxed);
	} else {
		give_back();
	}
	fdlimit_enter();
}

/* A limit that somebody set after the rule did is the program's own. */
void fdlimit_start(struct fdlimit_before before)
{
	struct rules *rules = atomic_load(&process.engine.rules);
	struct rlimit limit;

	if (process.is_sandboxed)
		return;
	if (before.given && get(&limit) && to_32(limit.rlim_cur) == before.limit)
		atomic_store(&process.fd_given, before.given);
	atomic_store(&has_started, true);
	fdlimit_prepare(rules);
	fdlimit_enter();
}

bool fdlimit_is_own(pid_t pid)
{
	return pid == 0 || (uint32_t)pid == process.self->pid ||
	       (!process.is_sandboxed && (uint32_t)pid == raw_getpid());
}

static bool touch(void *page)
{
	return record_allocate(page, SESSION_PAGE) == 0;
}

/* Of another process of the session. */
static uint32_t rule_of(const struct rules *rules, pid_t pid)
{
	struct session_header *session = process.engine.session;
	uint32_t slot = session ? session_find_process(session, (uint32_t)pid, touch) : 0;
	struct session_process *entry = slot ? session_process(session, slot) : NULL;

	return entry ? limits_rule(rules, LIMIT_FDS, entry->name, entry->program) : 0;
}

rlim_t fdlimit_of(pid_t pid, uint32_t *number)
{
	struct rules *rules = atomic_load(&process.engine.rules);

	*number = fdlimit_is_own(pid) ? atomic_load(&rule) : rules ? rule_of(rules, pid) : 0;
	if (!*number)
		return RLIM_INFINITY;
	if (fdlimit_is_own(pid))
		return atomic_load(&most);
	return rules->rule[*number - 1].amount;
}

/* To set it to what it is at most is not to choose another. */
void fdlimit_was_set(rlim_t soft)
{
	if (atomic_load(&rule) && soft >= atomic_load(&most))
		return;
	atomic_store(&process.fd_given, 0);
	fdlimit_enter();
}
