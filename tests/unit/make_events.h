/* SPDX-License-Identifier: MIT */
/* make_events.h - plays events to an audit as a session would tell them: each
 * call takes a millisecond. Addresses are 10.0.0.x unless they are said in full. */
#ifndef TESTS_MAKE_EVENTS_H
#define TESTS_MAKE_EVENTS_H

#include <stdio.h>
#include <string.h>

#include "tools/audit.h"

enum { MADE_LOW = 32768, MADE_HIGH = 60999, MADE_STEP_NS = 1000000 };

#define MADE_START_NS (UINT64_C(1795348800) * 1000000000)

static struct audit *audit;
static uint64_t made_now;
static uint32_t made_id; /* the last socket */

static inline void made_begin(void)
{
	audit = audit_new(MADE_LOW, MADE_HIGH);
	made_now = MADE_START_NS;
	made_id = 1000;
}

/* Wait. */
static inline void made_pause(uint64_t ns)
{
	made_now += ns;
}

static inline struct endpoint made_end(uint8_t host, uint16_t port)
{
	return (struct endpoint){{{[10] = 0xff, [11] = 0xff, 10, 0, 0, host}}, port};
}

static inline void made_slot(uint32_t slot, enum process_origin origin, uint32_t parent,
                             uint32_t pid, const char *name)
{
	struct reader_process info = {.slot = slot,
	                              .pid = pid,
	                              .parent = parent,
	                              .origin = origin,
	                              .state = PROCESS_LIVE,
	                              .status = -1,
	                              .fd_limit = 1024};

	snprintf(info.name, sizeof(info.name), "%s", name);
	snprintf(info.program, sizeof(info.program), "/usr/bin/%s", name);
	audit_process(audit, &info, true);
}

/* A TCP event of a process, as yet without addresses. */
static inline struct event made_event(enum op_kind kind, uint32_t slot, int fd, uint32_t sock)
{
	return (struct event){.kind = kind,
	                      .process = slot,
	                      .fd = fd,
	                      .sock = sock,
	                      .family = FAMILY_INET,
	                      .proto = PROTO_TCP,
	                      .arg = -1};
}

static inline void made_play(struct event event)
{
	event.time_ns = made_now;
	audit_event(audit, &event);
	made_now += MADE_STEP_NS;
}

static inline void made_error(struct event event, int error)
{
	event.error = error;
	event.result = -1;
	made_play(event);
}

static inline void made_start(uint32_t slot, enum op_kind kind)
{
	made_play(made_event(kind, slot, -1, 0));
}

/* A process that is there from the beginning. */
static inline void made_root(uint32_t slot, uint32_t pid, const char *name)
{
	made_slot(slot, ORIGIN_ROOT, 0, pid, name);
	made_start(slot, OP_START);
}

static inline void made_exit(uint32_t slot)
{
	made_play(made_event(OP_EXIT, slot, -1, 0));
}

/* socket() = fd. Returns its id. */
static inline uint32_t made_socket(uint32_t slot, int fd)
{
	struct event event = made_event(OP_SOCKET, slot, -1, ++made_id);

	event.result = fd;
	made_play(event);
	return made_id;
}

static inline void made_ends(struct event *event, const struct endpoint *local,
                             const struct endpoint *remote)
{
	event->has_local = local != NULL;
	event->has_remote = remote != NULL;
	if (local)
		event->local = *local;
	if (remote)
		event->remote = *remote;
}

/* connect() of an fd whose socket is sock; error 0: made. */
static inline void made_connect(uint32_t slot, int fd, uint32_t sock, struct endpoint local,
                                struct endpoint remote, int error)
{
	struct event event = made_event(OP_CONNECT, slot, fd, sock);

	made_ends(&event, &local, &remote);
	if (error)
		made_error(event, error);
	else
		made_play(event);
}

static inline void made_bind(uint32_t slot, int fd, uint32_t sock, struct endpoint local,
                             unsigned flags)
{
	struct event event = made_event(OP_BIND, slot, fd, sock);

	made_ends(&event, &local, NULL);
	event.flags = (uint8_t)flags;
	made_play(event);
}

/* socket(), bind(), listen(). Returns the id. */
static inline uint32_t made_listener(uint32_t slot, int fd, struct endpoint local, unsigned flags)
{
	uint32_t sock = made_socket(slot, fd);
	struct event event = made_event(OP_LISTEN, slot, fd, sock);

	made_bind(slot, fd, sock, local, flags);
	made_ends(&event, &local, NULL);
	event.arg = 128;
	event.flags = (uint8_t)flags;
	made_play(event);
	return sock;
}

/* accept() at a listener = fd. Returns the id of the new socket. */
static inline uint32_t made_accept(uint32_t slot, int listener, int fd, struct endpoint local,
                                   struct endpoint remote)
{
	struct event event = made_event(OP_ACCEPT, slot, listener, ++made_id);

	made_ends(&event, &local, &remote);
	event.result = fd;
	made_play(event);
	return made_id;
}

static inline void made_close(uint32_t slot, int fd, uint32_t sock)
{
	made_play(made_event(OP_CLOSE, slot, fd, sock));
}

static inline void made_dup(uint32_t slot, int fd, int to, uint32_t sock)
{
	struct event event = made_event(OP_DUP, slot, fd, sock);

	event.result = to;
	made_play(event);
}

static inline void made_pass(uint32_t slot, int fd, uint32_t sock, uint64_t cookie)
{
	struct event event = made_event(OP_PASS, slot, fd, sock);

	event.cookie = cookie;
	made_play(event);
}

/* A socket is met that has this tuple and cookie. Returns the id it gets. */
static inline uint32_t made_adopt(uint32_t slot, int fd, const struct endpoint *local,
                                  const struct endpoint *remote, uint64_t cookie)
{
	struct event event = made_event(OP_ADOPT, slot, fd, ++made_id);

	made_ends(&event, local, remote);
	event.cookie = cookie;
	event.result = fd;
	made_play(event);
	return made_id;
}

static inline const struct listener *made_listener_row(uint16_t port)
{
	const struct listener *row = audit->ledger.listeners;

	while (row && row->key.place.end.port != port)
		row = row->hh.next;
	return row;
}

static inline const struct destination *made_destination_row(uint16_t port)
{
	const struct destination *row = audit->ledger.destinations;

	while (row && row->place.end.port != port)
		row = row->hh.next;
	return row;
}

static inline uint64_t made_leaks(void)
{
	uint64_t count = 0;

	for (const struct leak *row = audit->ledger.leaks; row; row = row->hh.next)
		count += row->count;
	return count;
}

/* A session of a server and a client, before any call; and what both hold. */
enum { SERVER = 1, CLIENT = 2, HTTP = 80 };

static struct endpoint server, client;

static inline int begin(void **state)
{
	(void)state;
	made_begin();
	server = made_end(1, HTTP);
	client = made_end(2, 40000);
	made_root(SERVER, 100, "server");
	made_root(CLIENT, 200, "client");
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	audit_free(audit);
	return 0;
}

#endif
