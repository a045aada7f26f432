/* SPDX-License-Identifier: MIT */
/* event.h - an event as people and programs read it.
 * Knows how a line of the session unpacks and how an event becomes JSON: the
 * same text in the library's live log and in `tcpshim log --json`. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/session.h"

enum { EVENT_TEXT_MAX = LINE_TEXT_MAX * SESSION_LINE, EVENT_JSON_MAX = 4096 };

struct event {
	enum op_kind kind;
	uint64_t time_ns; /* CLOCK_REALTIME, ns */
	uint64_t took_ns;
	uint32_t pid, tid; /* tid 0: unknown */
	uint32_t process;  /* slot, 0: unknown */
	const char *program; /* name of the process, NUL-terminated; NULL: unknown */
	int fd;            /* -1: none */
	int result;        /* >= 0 when error is 0 */
	int error;         /* errno, 0: success */
	uint32_t sock;     /* 0: unknown */
	enum family family;
	enum proto proto;
	enum verdict_kind verdict;
	uint16_t rule;
	uint8_t flags; /* LINE_ bits */
	bool has_local, has_remote;
	struct endpoint local, remote;
	int64_t arg;        /* backlog, shutdown's how, limit; -1: none */
	uint64_t cookie;    /* 0: unknown */
	const char *text;   /* not NUL-terminated; bytes from the program: escape them */
	size_t text_len;
};

/* Unpack a line into the fields that the line itself knows (not the times, the
 * process and its ids). text: the lines behind it, text_len what they hold.
 * Returns false if the line is not a valid event. */
bool event_unpack(struct event *event, const struct line *line, const char *text, size_t text_len);

/* Write the event as one JSON object with a newline, NUL-terminated, to buf of
 * size bytes (EVENT_JSON_MAX is always enough). Returns the length; a text that
 * does not fit is cut, the object stays whole. No malloc, no locale, signal-safe. */
size_t event_json(char *buf, size_t size, const struct event *event);

#endif
