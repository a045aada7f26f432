/* SPDX-License-Identifier: MIT */
/* make_session.h - makes a session file with chosen contents, for tests of its
 * readers. A tick is a nanosecond, the session began at 2026-11-22T12:00:00Z. */
#ifndef TESTS_MAKE_SESSION_H
#define TESTS_MAKE_SESSION_H

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/rules.h"
#include "core/session.h"

#define MADE_REAL_NS (UINT64_C(1795348800) * 1000000000)
#define MADE_EPOCH   UINT64_C(5000000000)

struct made {
	char path[64];
	int fd;
	uint64_t bytes;
	struct session_header *header; /* of a shared mapping of the file */
};

/* A file of its own, with room for some events. */
static inline struct made made_open(uint64_t events)
{
	struct made made = {.path = "/tmp/made-XXXXXX" SESSION_SUFFIX,
	                    .bytes = session_bytes(events)};
	static struct session_header identity;

	made.fd = mkstemps(made.path, (int)strlen(SESSION_SUFFIX));
	assert(made.fd >= 0);
	assert(ftruncate(made.fd, (off_t)made.bytes) == 0);
	made.header = mmap(NULL, made.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, made.fd, 0);
	assert(made.header != MAP_FAILED);
	identity.epoch = (struct clock_pair){MADE_EPOCH, MADE_EPOCH};
	identity.real_ns = MADE_REAL_NS;
	identity.seed = 42;
	identity.port_low = 32768;
	identity.port_high = 60999;
	strcpy(identity.host, "host");
	strcpy(identity.kernel, "6.1.0");
	session_format(made.header, &identity, made.bytes, 0);
	made.header->processes_used = 1; /* made_slot() counts */
	return made;
}

static inline void made_close(struct made *made)
{
	munmap(made->header, made->bytes);
	close(made->fd);
	unlink(made->path);
}

static inline bool made_touch(void *page)
{
	return page != NULL;
}

/* The next slot, whatever the pid. */
static inline uint32_t made_slot(struct made *made, uint32_t pid)
{
	uint32_t slot = made->header->processes_used++;

	session_process(made->header, slot)->pid = pid;
	return slot;
}

/* Put a set in force at a time since the epoch, and free it. Returns where it stands. */
static inline struct rules *made_enforce(struct made *made, struct rules *rules, uint64_t since)
{
	uint32_t before = made->header->rules_page, page;
	struct session_chunk head;
	struct rules *at;

	rules->before = before;
	rules->number = before ? session_rules_at(made->header, before)->number + 1 : 1;
	rules->since = MADE_EPOCH + since;
	page = session_take_rules(made->header, made->bytes, rules->bytes);
	assert(page);
	at = session_rules_at(made->header, page);
	head = session_rules_head(rules->bytes);
	memcpy((char *)at - SESSION_LINE, &head, sizeof(head));
	memcpy(at, rules, rules->bytes);
	free(rules);
	session_enforce_rules(made->header, page);
	return at;
}

/* A live process that began at a time since the epoch. Returns its slot. */
static inline uint32_t made_process(struct made *made, enum process_origin origin, uint32_t pid,
                                    const char *name, uint64_t start)
{
	uint32_t slot = made_slot(made, pid);
	struct session_process *process = session_process(made->header, slot);

	process->origin = (uint8_t)origin;
	process->start = MADE_EPOCH + start;
	snprintf(process->name, sizeof(process->name), "%s", name);
	snprintf(process->program, sizeof(process->program), "/usr/bin/%s", name);
	process->state = PROCESS_LIVE;
	return slot;
}

static inline void made_exit(struct made *made, uint32_t slot, uint64_t end, int status)
{
	struct session_process *process = session_process(made->header, slot);

	process->end = MADE_EPOCH + end;
	process->status = status;
	process->state = PROCESS_ENDED;
}

/* A chunk for a thread of a process in a slot. */
static inline void made_chunk(struct made *made, session_cursor *cursor, unsigned class,
                              uint32_t slot, uint32_t tid)
{
	struct session_chunk chunk = {.class = class, .process = slot, .tid = tid};
	uint32_t page = session_take_pages(made->header, made->bytes, class);

	assert(page != 0);
	if (slot)
		chunk.pid = session_process(made->header, slot)->pid;
	session_open_chunk(made->header, cursor, page, 0, &chunk);
}

/* A line with fd and result set, not yet published. */
static inline struct line *made_line(struct made *made, session_cursor *cursor, int fd, int result)
{
	struct line *line = session_take_lines(made->header, cursor, 1);

	assert(line);
	line->fd = fd;
	line->result = result;
	return line;
}

/* A line with text behind it. */
static inline struct line *made_text(struct made *made, session_cursor *cursor, int fd, int result,
                                     const char *text)
{
	size_t len = strlen(text), lines = (len + SESSION_LINE - 1) / SESSION_LINE;
	struct line *line = session_take_lines(made->header, cursor, 1 + (unsigned)lines);

	assert(line && lines <= LINE_TEXT_MAX);
	line->fd = fd;
	line->result = result;
	line->flags = (uint8_t)(lines << LINE_TEXT_SHIFT);
	memcpy(line + 1, text, len);
	return line;
}

static inline void made_publish(struct line *line, enum op_kind kind, uint64_t start, uint32_t took)
{
	line->took = took;
	session_publish(line, kind, start);
}

/* An event that says which it is by its fd. */
static inline void made_event(struct made *made, session_cursor *cursor, enum op_kind kind, int fd,
                              uint64_t start, uint32_t took)
{
	made_publish(made_line(made, cursor, fd, 0), kind, start, took);
}

static inline uint8_t made_kind(enum family family, enum proto proto, enum verdict_kind verdict)
{
	return (uint8_t)((unsigned)family | (unsigned)proto << 2 | (unsigned)verdict << 4);
}

/* An IPv4 address. */
static inline struct ip made_ip(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (struct ip){{[10] = 0xff, [11] = 0xff, a, b, c, d}};
}

#endif
