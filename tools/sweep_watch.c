/* SPDX-License-Identifier: MIT */
/* sweep_watch.c - see sweep_watch.h. Reads the counter of the rule where it lies in the file:
 * a mapping would die with a file that the program cuts short. */
#include "tools/sweep_watch.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "core/rules.h"
#include "core/session.h"
#include "tools/sweep_judge.h"

#define SECOND_NS ((uint64_t)1000 * 1000 * 1000)
#define LOOK_NS   ((uint64_t)SWEEP_WATCH_MS * 1000 * 1000)

void sweep_watch_begin(struct sweep_watch *watch, const char *session, uint32_t rule, uint32_t turn,
                       uint64_t now_ns)
{
	uint64_t rules = (uint64_t)SESSION_PAGES_FIRST * SESSION_PAGE + SESSION_LINE;

	*watch = (struct sweep_watch){
	        .fd = open(session, O_RDONLY | O_CLOEXEC | O_NOFOLLOW),
	        .at = rules + offsetof(struct rules, rule) + (rule - 1) * sizeof(struct rule) +
	              offsetof(struct rule, turns),
	        .calls = turn,
	        .looked_ns = now_ns,
	};
}

bool sweep_watch_look(struct sweep_watch *watch, uint64_t now_ns)
{
	uint64_t passed = now_ns - watch->looked_ns, calls;

	if (watch->fd < 0 || passed < LOOK_NS ||
	    pread(watch->fd, &calls, sizeof(calls), (off_t)watch->at) != sizeof(calls))
		return false;
	watch->looked_ns = now_ns;
	if (calls < watch->calls)
		calls = watch->calls;
	if ((double)(calls - watch->calls) >= (double)passed / SECOND_NS * SWEEP_SPIN_RATE)
		watch->spins_ns += passed;
	else
		watch->spins_ns = 0;
	watch->calls = calls;
	return watch->spins_ns >= SECOND_NS;
}

void sweep_watch_end(struct sweep_watch *watch)
{
	if (watch->fd >= 0)
		close(watch->fd);
	watch->fd = -1;
}
