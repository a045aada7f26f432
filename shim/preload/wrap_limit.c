/* SPDX-License-Identifier: MIT */
/* wrap_limit.c - the limit of descriptors, as the program sees and sets it. */
#include "preload/entry.h"
#include "preload/record.h"
#include "sys/clock.h"
#include "sys/real.h"

/* The program has a new soft limit. */
static void tell(uint64_t limit)
{
	struct op op = {.kind = OP_LIMIT, .fd = -1, .start = clock_ticks()};
	struct outcome outcome = {.end = op.start};

	if (!process_is_watching())
		return;
	op.arg = limit < INT32_MAX ? (int)limit : INT32_MAX;
	entry_fd_limit(limit);
	record_note(&op, &outcome);
}

EXPORT int setrlimit(rlimit_resource resource, const struct rlimit *limit)
{
	int ret = real.setrlimit(resource, limit);

	if (ret == 0 && resource == RLIMIT_NOFILE)
		tell(limit->rlim_cur);
	return ret;
}

EXPORT int prlimit(pid_t pid, rlimit_resource resource, const struct rlimit *limit,
                   struct rlimit *old)
{
	int ret = real.prlimit(pid, resource, limit, old);

	if (ret == 0 && limit && resource == RLIMIT_NOFILE &&
	    (pid == 0 || (uint32_t)pid == process.self->pid))
		tell(limit->rlim_cur);
	return ret;
}

EXPORT int getrlimit(rlimit_resource resource, struct rlimit *limit)
{
	return real.getrlimit(resource, limit);
}

EXPORT long sysconf(int name)
{
	return real.sysconf(name);
}

EXPORT int getdtablesize(void)
{
	return real.getdtablesize();
}
