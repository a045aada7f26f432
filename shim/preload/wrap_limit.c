/* SPDX-License-Identifier: MIT */
/* wrap_limit.c - the limit of descriptors, as the program sees and sets it. Under a rule its
 * hard limit is the rule's number, and to raise that is refused as to a process without
 * privileges, getrlimit(2). */
#include <errno.h>

#include "preload/call.h"
#include "preload/fdlimit.h"
#include "preload/record.h"
#include "sys/clock.h"
#include "sys/raw.h"
#include "sys/real.h"

/* The program has asked for a new soft limit. */
static void tell(uint64_t limit, uint32_t rule)
{
	struct call call = {.op = {.kind = OP_LIMIT, .fd = -1, .start = clock_ticks()}};

	call.op.arg = limit < INT32_MAX ? (int)limit : INT32_MAX;
	call.outcome.end = call.op.start;
	if (rule) {
		call.verdict.kind = VERDICT_LIMITED;
		call.verdict.rule = (uint16_t)rule;
		call.verdict.error = EPERM;
		call.outcome.result = -EPERM;
	}
	record(&call);
}

static rlim_t lesser(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

/* What a process has, as it is told; number: of the rule that limits it, 0: none. */
static bool ask(pid_t pid, struct rlimit *limit, rlim_t *most, uint32_t *number)
{
	*most = fdlimit_of(pid, number);
	return *number && real.prlimit(pid, RLIMIT_NOFILE, NULL, limit) == 0;
}

/* New limits for a process, as the kernel is to set them. Returns false with errno if they
 * are above what it may have. What cannot be read, or is nonsense, the kernel refuses. */
static bool fit(pid_t pid, const struct rlimit **limit, struct rlimit *copy)
{
	struct rlimit now;
	rlim_t most;
	uint32_t number;
	int error = errno;

	if (!*limit || !process_is_watching() || !ask(pid, &now, &most, &number)) {
		errno = error;
		return true;
	}
	if (process.is_sandboxed)
		*copy = **limit;
	else if (!raw_peek(copy, *limit, sizeof(*copy)))
		return true;
	*limit = copy;
	if (copy->rlim_cur > copy->rlim_max)
		return true;
	if (copy->rlim_max > lesser(now.rlim_max, most)) {
		tell(copy->rlim_cur, number);
		errno = EPERM;
		return false;
	}
	if (copy->rlim_max == lesser(now.rlim_max, most))
		copy->rlim_max = now.rlim_max;
	return true;
}

static void was_set(pid_t pid, const struct rlimit *limit)
{
	if (!process_is_watching() || !fdlimit_is_own(pid))
		return;
	entry_fd_limit(limit->rlim_cur);
	fdlimit_was_set(limit->rlim_cur);
	tell(limit->rlim_cur, 0);
}

/* The rules may have changed since the last call. */
static void look(void)
{
	if (process_is_watching())
		call_is_ruled(OP_LIMIT);
}

static void cap(pid_t pid, struct rlimit *limit)
{
	uint32_t number;
	rlim_t most = fdlimit_of(pid, &number);

	limit->rlim_cur = lesser(limit->rlim_cur, most);
	limit->rlim_max = lesser(limit->rlim_max, most);
}

EXPORT int setrlimit(rlimit_resource resource, const struct rlimit *limit)
{
	struct rlimit copy;
	int ret;

	if (resource != RLIMIT_NOFILE)
		return real.setrlimit(resource, limit);
	look();
	if (!fit(0, &limit, &copy))
		return -1;
	ret = real.setrlimit(resource, limit);
	if (ret == 0 && limit) /* with NULL the kernel does nothing, and glibc says 0 */
		was_set(0, limit);
	return ret;
}

EXPORT int prlimit(pid_t pid, rlimit_resource resource, const struct rlimit *limit,
                   struct rlimit *old)
{
	struct rlimit copy;
	int ret;

	if (resource != RLIMIT_NOFILE)
		return real.prlimit(pid, resource, limit, old);
	look();
	if (!fit(pid, &limit, &copy))
		return -1;
	ret = real.prlimit(pid, resource, limit, old);
	if (ret == 0 && old)
		cap(pid, old);
	if (ret == 0 && limit)
		was_set(pid, limit);
	return ret;
}

EXPORT int getrlimit(rlimit_resource resource, struct rlimit *limit)
{
	struct rlimit *volatile to = limit; /* NULL, whatever its declaration promises */
	int ret;

	if (resource == RLIMIT_NOFILE)
		look();
	ret = real.getrlimit(resource, limit);
	if (ret == 0 && resource == RLIMIT_NOFILE && to)
		cap(0, to);
	return ret;
}

EXPORT long sysconf(int name)
{
	if (name == _SC_OPEN_MAX)
		look();
	return real.sysconf(name);
}

EXPORT int getdtablesize(void)
{
	look();
	return real.getdtablesize();
}
