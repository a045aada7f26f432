/* SPDX-License-Identifier: MIT */
/* sweep_kin.c - see sweep_kin.h. */
#include "tools/sweep_kin.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/find.h"
#include "tools/reader.h"

/* The number is held while we look whose it is. */
static uint64_t send(const struct reader_process *process, int number)
{
	int held = (int)syscall(SYS_pidfd_open, process->pid, 0);
	bool is_there = find_is_running(process->pid, process->start_ns);

	if (held >= 0) {
		if (is_there && number)
			syscall(SYS_pidfd_send_signal, held, number, NULL, 0);
		close(held);
	}
	return is_there;
}

/* How long the threads of a process have run, or waited for a CPU to run on: a machine that has
 * much to do makes no idle program of a busy one. 0 where the kernel does not tell. */
static uint64_t busy_of(uint32_t pid)
{
	char path[64];
	uint64_t sum = 0, ran, waited;
	const struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%u/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%u/task/%.16s/schedstat", pid, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (file && fscanf(file, "%" SCNu64 " %" SCNu64, &ran, &waited) == 2)
			sum += ran + waited;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return sum;
}

/* Do it for each process of the session, the root aside, that may run. Returns the sum. */
static uint64_t for_each(const char *session, pid_t root,
                         uint64_t (*do_it)(const struct reader_process *process, int number),
                         int number)
{
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(session, error, sizeof(error));
	struct reader_process process;
	uint64_t sum = 0;

	if (!reader)
		return 0;
	for (uint32_t slot = 1; slot <= reader_process_count(reader); slot++)
		if (reader_process(reader, slot, &process) &&
		    (process.state == PROCESS_LIVE || process.state == PROCESS_EXECING) &&
		    process.pid != (uint32_t)root)
			sum += do_it(&process, number);
	reader_close(reader);
	return sum;
}

static uint64_t busy(const struct reader_process *process, int unused)
{
	return send(process, unused) ? busy_of(process->pid) : 0;
}

static uint64_t has_vanished(const struct reader_process *process, int unused)
{
	(void)unused;
	return process->state == PROCESS_LIVE && !find_is_running(process->pid, process->start_ns);
}

uint32_t sweep_kin_send(const char *session, pid_t root, int number)
{
	return (uint32_t)for_each(session, root, send, number);
}

uint32_t sweep_kin_vanished(const char *session, pid_t root)
{
	return (uint32_t)for_each(session, root, has_vanished, 0);
}

uint64_t sweep_kin_busy_ns(const char *session, pid_t root)
{
	return busy_of((uint32_t)root) + for_each(session, root, busy, 0);
}
