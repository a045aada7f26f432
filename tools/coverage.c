/* SPDX-License-Identifier: MIT */
/* coverage.c - see coverage.h. */
#include "tools/coverage.h"

#include <stdio.h>

#include "core/names.h"

static const struct {
	unsigned bit;
	const char *what, *why;
} blindness[] = {
        {BLIND_URING, "io_uring", "what it does through io_uring makes no call"},
        {BLIND_DEEPBIND, "deepbind",
         "it loaded a library that calls past preloads (RTLD_DEEPBIND)"},
        {BLIND_DLMOPEN, "dlmopen", "it loaded a library into a namespace of its own (dlmopen)"},
};

static struct unseen unseen(const struct reader_process *process, const char *program)
{
	struct unseen found = {.pid = process->pid, .count = 1};

	snprintf(found.program, sizeof(found.program), "%s", program);
	return found;
}

static struct unseen uncovered(const struct reader_process *process, const char *program,
                               enum coverage coverage)
{
	struct unseen found = unseen(process, program);

	found.coverage = coverage;
	found.what = name_coverage(coverage);
	found.why = name_coverage_reason(coverage);
	return found;
}

size_t coverage_of(const struct reader_process *process, bool is_starting, struct unseen *list)
{
	size_t count = 0;

	if (process->coverage != COVERAGE_SEEN)
		list[count++] = uncovered(process, process->program, process->coverage);
	else if (process->state == PROCESS_EXECING && process->next_coverage != COVERAGE_SEEN)
		list[count++] = uncovered(process, process->next, process->next_coverage);
	else if (process->state == PROCESS_EXECING && !is_starting)
		list[count++] = uncovered(process, process->next, COVERAGE_SILENT);
	for (size_t i = 0; i < sizeof(blindness) / sizeof(blindness[0]); i++) {
		if (!(process->blind & blindness[i].bit))
			continue;
		list[count] = unseen(process, process->program);
		list[count].is_partial = true;
		list[count].what = blindness[i].what;
		list[count++].why = blindness[i].why;
	}
	return count;
}
