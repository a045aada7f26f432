/* SPDX-License-Identifier: MIT */
/* livelog.c - see livelog.h. */
#include "preload/livelog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/event.h"
#include "preload/settings.h"
#include "sys/clock.h"
#include "sys/raw.h"

enum { LOG_LINE_MAX = 800 };

static bool to_stderr;
static struct stat stderr_was;

bool livelog_open(void)
{
	if (!settings.log[0])
		return false;
	to_stderr = strcmp(settings.log, "stderr") == 0;
	return !to_stderr || raw2(SYS_fstat, 2, &stderr_was) == 0;
}

/* A daemon closes standard error, and its number may come to be a client's. */
static void write_stderr(const char *buf, size_t len)
{
	struct stat now;

	if (raw2(SYS_fstat, 2, &now) == 0 && now.st_dev == stderr_was.st_dev &&
	    now.st_ino == stderr_was.st_ino)
		raw_write(2, buf, len);
}

static void write_file(const char *buf, size_t len)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
	long fd = raw4(SYS_openat, AT_FDCWD, settings.log, flags, 0600);

	if (fd < 0)
		return;
	raw_write((int)fd, buf, len);
	raw_close((int)fd);
}

static void write_event(struct event *event)
{
	char buf[LOG_LINE_MAX];
	size_t len;

	event->pid = process.self->pid;
	event->tid = thread.tid;
	event->process = process.self->slot;
	event->program = process.name;
	len = event_json(buf, sizeof(buf), event);
	if (to_stderr)
		write_stderr(buf, len);
	else
		write_file(buf, len);
}

void livelog_line(const struct line *line, uint64_t start, uint64_t end)
{
	struct event event = {.program = NULL};
	unsigned lines = line->flags >> LINE_TEXT_SHIFT;

	if (process.is_sandboxed ||
	    !event_unpack(&event, line, (const char *)(line + 1), lines * SESSION_LINE))
		return;
	event.took_ns = clock_to_ns(end > start ? end - start : 0);
	event.time_ns = clock_ns(CLOCK_REALTIME) - event.took_ns;
	write_event(&event);
}

void livelog_process(enum op_kind kind, const char *text)
{
	struct event event = {
	        .kind = kind,
	        .fd = -1,
	        .arg = -1,
	        .text = text,
	        .text_len = text ? strlen(text) : 0,
	};
	struct session_process *entry = process_entry();

	if (process.is_sandboxed)
		return;
	event.time_ns = clock_ns(CLOCK_REALTIME);
	if (kind == OP_FORK)
		event.result = (int)process.self->pid;
	if (kind == OP_EXIT && entry)
		event.result = entry->status;
	write_event(&event);
}
