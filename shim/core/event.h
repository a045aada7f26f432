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
	uint32_t pid, tid;   /* tid 0: unknown */
	uint32_t process;    /* slot, 0: unknown */
	const char *program; /* name of the process, NUL-terminated; NULL: unknown */
	int fd;              /* -1: none */
	int result;    /* -1 if error is set; RESOLVE: EAI_ code if negative; EXIT: -1 unknown */
	int error;     /* errno, 0: success */
	uint32_t sock; /* 0: unknown */
	enum family family;
	enum proto proto;
	enum verdict_kind verdict;
	uint16_t rule;
	uint32_t set;  /* number of the set of rules that rule is in; 0: unknown */
	uint8_t flags; /* LINE_ bits */
	bool has_local, has_remote;
	struct endpoint local, remote;
	bool has_asked; /* VERDICT_MOVED: what the program asked for is known */
	struct endpoint asked;
	int64_t arg; /* backlog, shutdown's how, limit; BIND: 1 if any port was asked for; -1: none
	              */
	uint64_t cookie;  /* 0: unknown */
	const char *text; /* not NUL-terminated; bytes from the program: escape them */
	size_t text_len;
};

/* Unpack a line into the fields that the line itself knows (not the times, the
 * process and its ids, the set: those stay as they are). text: the lines behind it,
 * text_len what they hold. Returns false if the line is not a valid event. */
bool event_unpack(struct event *event, const struct line *line, const char *text, size_t text_len);

/* Did the call fail? */
bool event_failed(const struct event *event);

/* The name of what made it fail ("EMFILE", "EAI_NONAME"), NULL if nothing did
 * or the number has no name. */
const char *event_error_name(const struct event *event);

/* Take the text of an OP_SITE for what it is: *site without its frames; those are *frames,
 * site->len bytes, lines. Returns false if the event is no such, or not whole. */
bool event_site(const struct event *event, struct session_site *site, const char **frames);

/* Write the event as one JSON object with a newline, NUL-terminated, to buf of
 * size bytes (EVENT_JSON_MAX is always enough). Returns the length; a text that
 * does not fit is cut, the object stays whole. 0: too small even so. No malloc,
 * no locale, signal-safe.
 *
 * Always there: time (RFC 3339, UTC), time_ns, took_ns, call, verdict.
 * Where known: pid, tid, process (slot), program, fd, sock, family, proto,
 * local, remote, asked (what a moved call named; local of a bind, else remote is
 * where it went), result, errno or, of getaddrinfo, error; rule, and set from the
 * second set of rules on; backlog, how, limit; cookie (hex); address and name (getaddrinfo), path
 * (unix sockets, programs), text (blind); reuseaddr, no_port, any_port (bind was asked for port 0),
 * cloexec when true; turn and frames[] (site). An IPv4 address is written as such on IPv6 sockets
 * too: family tells them apart. */
size_t event_json(char *buf, size_t size, const struct event *event);

#endif
