/* SPDX-License-Identifier: MIT */
/* lifetime.c - see lifetime.h. */
#include "tools/lifetime.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

static void free_aliases(struct lifetime *life, struct socket *socket)
{
	struct name *next;

	for (struct name *name = socket->aliases; name; name = next) {
		next = name->next;
		HASH_DEL(life->aliases, name);
		free(name);
	}
}

static void end_socket(struct lifetime *life, struct socket *socket, enum end end)
{
	life->ended(life->owner, socket, end);
	lifetime_set_tuple(life, socket, NULL, NULL);
	if (socket->cookie)
		HASH_DELETE(by_cookie, life->by_cookie, socket);
	if (socket->id)
		HASH_DELETE(by_id, life->by_id, socket);
	free_aliases(life, socket);
	level_down(&life->open);
	free(socket);
}

static bool is_in_flight(const struct lifetime *life, const struct socket *socket)
{
	return socket->passed_ns && life->now_ns - socket->passed_ns <= LIFETIME_FLIGHT_NS;
}

static void unname(struct lifetime *life, uint32_t slot, struct fd_name *name, enum end end)
{
	struct socket *socket = name->socket;

	life->unnamed(life->owner, slot, name, end);
	HASH_DEL(life->fds[slot], name);
	free(name);
	life->names--;
	if (--socket->names > 0)
		return;
	if (is_in_flight(life, socket) && end != END_LEFT) {
		socket->nameless_ns = life->now_ns;
		DL_APPEND(life->waiting, socket);
	} else {
		end_socket(life, socket, end);
	}
}

static void end_waiting(struct lifetime *life, enum end end)
{
	struct socket *socket = life->waiting;

	DL_DELETE(life->waiting, socket);
	end_socket(life, socket, end);
}

void lifetime_expire(struct lifetime *life)
{
	while (life->waiting && life->now_ns - life->waiting->nameless_ns > LIFETIME_FLIGHT_NS)
		end_waiting(life, END_CLOSED);
}

struct fd_name *lifetime_fd(struct lifetime *life, uint32_t slot, int fd)
{
	struct fd_name *name;

	HASH_FIND_INT(life->fds[slot], &fd, name);
	return name;
}

struct fd_name *lifetime_name(struct lifetime *life, uint32_t slot, int fd, struct socket *socket)
{
	struct fd_name *name = lifetime_fd(life, slot, fd);

	if (name && name->socket == socket)
		return name;
	if (socket->nameless_ns) {
		socket->nameless_ns = 0;
		DL_DELETE(life->waiting, socket);
	}
	socket->names++; /* first, so that it does not end with a missed close */
	if (name) {
		life->closes_missed++;
		unname(life, slot, name, END_MISSED);
	}
	name = memory_new(sizeof(*name));
	name->fd = fd;
	name->socket = socket;
	HASH_ADD_INT(life->fds[slot], fd, name);
	life->names++;
	if (slot >= life->slots)
		life->slots = slot + 1;
	return name;
}

static struct socket *find_id(struct lifetime *life, uint32_t id)
{
	struct socket *socket;
	struct name *name;

	HASH_FIND(by_id, life->by_id, &id, sizeof(id), socket);
	if (socket || !life->aliases)
		return socket;
	HASH_FIND(hh, life->aliases, &id, sizeof(id), name);
	return name ? name->socket : NULL;
}

struct socket *lifetime_born(struct lifetime *life, uint32_t slot, int fd, uint32_t id)
{
	struct socket *socket = memory_new(sizeof(*socket));

	socket->slot = slot;
	socket->fd = fd;
	if (id && !find_id(life, id)) {
		socket->id = id;
		HASH_ADD(by_id, life->by_id, id, sizeof(socket->id), socket);
	}
	lifetime_name(life, slot, fd, socket);
	level_up(&life->open);
	return socket;
}

struct socket *lifetime_find(struct lifetime *life, uint32_t slot, int fd, uint32_t id)
{
	struct fd_name *name;

	if (id)
		return find_id(life, id);
	name = lifetime_fd(life, slot, fd);
	return name ? name->socket : NULL;
}

void lifetime_close(struct lifetime *life, uint32_t slot, int fd, uint32_t id)
{
	struct fd_name *name = lifetime_fd(life, slot, fd);

	if (name && (!id || find_id(life, id) == name->socket))
		unname(life, slot, name, END_CLOSED);
}

void lifetime_fork(struct lifetime *life, uint32_t parent, uint32_t child)
{
	struct fd_name *name, *next;

	if (parent == child)
		return;
	HASH_ITER (hh, life->fds[parent], name, next) {
		if (life->names >= LIFETIME_NAMES_MAX) {
			life->names_dropped++;
			continue;
		}
		lifetime_name(life, child, name->fd, name->socket);
	}
}

void lifetime_exec(struct lifetime *life, uint32_t from, uint32_t to, const struct program *giver)
{
	struct fd_name *name, *next;

	if (from == to)
		return;
	HASH_ITER (hh, life->fds[from], name, next) {
		if (name->passed) {
			struct fd_name *heir = lifetime_name(life, to, name->fd, name->socket);

			heir->inherited = true;
			heir->giver = giver;
		}
		unname(life, from, name, END_CLOEXEC);
	}
}

void lifetime_pass(struct lifetime *life, uint32_t slot, int fd, struct socket *socket)
{
	struct fd_name *name = lifetime_fd(life, slot, fd);

	if (name)
		name->passed = true;
	socket->passed_ns = life->now_ns;
}

void lifetime_arrive(struct socket *socket)
{
	socket->passed_ns = 0;
}

void lifetime_exit(struct lifetime *life, uint32_t slot, enum end end)
{
	struct fd_name *name, *next;

	HASH_ITER (hh, life->fds[slot], name, next)
		unname(life, slot, name, end);
}

void lifetime_set_tuple(struct lifetime *life, struct socket *socket, const struct endpoint *local,
                        const struct endpoint *remote)
{
	if (socket->has_local)
		HASH_DELETE(by_tuple, life->by_tuple, socket);
	socket->has_local = local != NULL;
	socket->has_remote = remote != NULL;
	memset(&socket->tuple, 0, sizeof(socket->tuple));
	socket->tuple.proto = socket->proto;
	if (remote)
		socket->tuple.remote = *remote;
	if (!local)
		return;
	socket->tuple.local = *local;
	HASH_ADD(by_tuple, life->by_tuple, tuple, sizeof(socket->tuple), socket);
}

struct socket *lifetime_find_tuple(struct lifetime *life, enum proto proto,
                                   const struct endpoint *local, const struct endpoint *remote)
{
	struct tuple tuple = {.local = *local, .proto = (uint16_t)proto};
	struct socket *socket;

	if (remote)
		tuple.remote = *remote;
	HASH_FIND(by_tuple, life->by_tuple, &tuple, sizeof(tuple), socket);
	return socket;
}

struct socket *lifetime_find_cookie(struct lifetime *life, uint64_t cookie)
{
	struct socket *socket;

	HASH_FIND(by_cookie, life->by_cookie, &cookie, sizeof(cookie), socket);
	return socket;
}

struct socket *lifetime_set_cookie(struct lifetime *life, struct socket *socket, uint64_t cookie)
{
	struct socket *other = lifetime_find_cookie(life, cookie);

	if (other)
		return other == socket ? NULL : other;
	if (socket->cookie)
		HASH_DELETE(by_cookie, life->by_cookie, socket);
	socket->cookie = cookie;
	HASH_ADD(by_cookie, life->by_cookie, cookie, sizeof(socket->cookie), socket);
	return NULL;
}

void lifetime_alias(struct lifetime *life, struct socket *socket, uint32_t id)
{
	struct name *name;

	if (!id || find_id(life, id))
		return;
	name = memory_new(sizeof(*name));
	name->id = id;
	name->socket = socket;
	name->next = socket->aliases;
	socket->aliases = name;
	HASH_ADD(hh, life->aliases, id, sizeof(name->id), name);
}

void lifetime_finish(struct lifetime *life)
{
	while (life->waiting)
		end_waiting(life, END_CLOSED);
	for (uint32_t slot = 0; slot < life->slots; slot++)
		lifetime_exit(life, slot, END_LEFT);
}
