/* SPDX-License-Identifier: MIT */
/* inherit.c - see inherit.h. */
#include "tools/inherit.h"

#include <string.h>

#include "tools/traffic.h"

enum { STDIO_FDS = 3 }; /* sockets there are meant to be inherited: inetd, pipes */

/* A program that inherited a socket over exec has not touched it at all. Reads
 * and writes are not recorded, so that of connections nothing can be said. */
void inherit_unnamed(void *owner, uint32_t slot, const struct fd_name *name, enum end end)
{
	struct audit *audit = owner;
	const struct socket *socket = name->socket;
	struct heirloom like, *heirloom;

	if ((end != END_EXITED && end != END_LEFT) || !name->inherited || name->used ||
	    name->fd < STDIO_FDS ||
	    (socket->family != FAMILY_INET && socket->family != FAMILY_INET6))
		return;
	memset(&like, 0, sizeof(like));
	like.key.from = name->giver;
	like.key.to = audit_at(audit, slot)->program;
	like.key.listening = socket->use == USE_LISTENING;
	like.slot = slot;
	like.fd = name->fd;
	like.has_local = socket->has_local;
	like.local = socket->tuple.local;
	heirloom = ledger_heirloom(&audit->ledger, &like);
	heirloom->count++;
}

/* An adopted socket was inherited over exec if it looks like the one that was. */
static bool is_heir(const struct fd_name *name, const struct event *event)
{
	const struct socket *socket = name->socket;

	return name->inherited && socket->proto == event->proto &&
	       (!event->has_local || !socket->has_local ||
	        memcmp(&socket->tuple.local, &event->local, sizeof(event->local)) == 0);
}

/* The socket of an adoption, if it is known by another id: by its cookie, by the
 * fd that was inherited, or by addresses that only one open socket can have. */
static struct socket *recognize(struct audit *audit, const struct event *event, int fd)
{
	struct fd_name *name = lifetime_fd(&audit->life, event->process, fd);
	struct socket *socket = NULL;

	if (event->cookie)
		socket = lifetime_find_cookie(&audit->life, event->cookie);
	if (socket)
		return socket;
	if (name && is_heir(name, event))
		socket = name->socket;
	else if (event->has_local && event->local.port)
		socket = lifetime_find_tuple(&audit->life, event->proto, &event->local,
		                             event->has_remote ? &event->remote : NULL);
	if (socket && socket->cookie && event->cookie)
		return NULL; /* another cookie: another socket */
	return socket;
}

/* A program that has just come up meets what it inherited. */
static void note_heir(struct audit *audit, const struct event *event, struct fd_name *name)
{
	const struct process *process = audit_at(audit, event->process);

	if (process->busy || name->inherited ||
	    (process->info.origin != ORIGIN_EXEC && process->info.origin != ORIGIN_SPAWN))
		return;
	name->inherited = true;
	name->giver = audit_at(audit, process->info.parent)->program;
}

void inherit_adopt(struct audit *audit, const struct event *event)
{
	struct socket *socket;

	if (event->error || event->fd < 0)
		return;
	socket = recognize(audit, event, event->fd);
	if (socket) {
		lifetime_alias(&audit->life, socket, event->sock);
		lifetime_name(&audit->life, event->process, event->fd, socket);
		lifetime_arrive(socket);
	} else {
		socket = traffic_born(audit, event, event->fd);
		traffic_adopted(audit, socket, event);
	}
	note_heir(audit, event, lifetime_fd(&audit->life, event->process, event->fd));
	if (event->cookie)
		lifetime_set_cookie(&audit->life, socket, event->cookie);
}

void inherit_pass(struct audit *audit, const struct event *event)
{
	struct socket *socket = lifetime_find(&audit->life, event->process, event->fd, event->sock);

	if (event->error || !socket)
		return;
	lifetime_pass(&audit->life, event->process, event->fd, socket);
	if (event->cookie)
		lifetime_set_cookie(&audit->life, socket, event->cookie);
}

void inherit_start(struct audit *audit, const struct event *event)
{
	const struct reader_process *info = &audit_at(audit, event->process)->info;
	uint32_t parent = info->parent;

	if (parent == 0 || parent >= SESSION_PROCESSES || !event->process)
		return;
	switch (info->origin) {
	case ORIGIN_ROOT:
		break;
	case ORIGIN_FORK:
		lifetime_fork(&audit->life, parent, event->process);
		break;
	case ORIGIN_EXEC:
		/* with another pid: it had forked before, and done nothing in between */
		if (audit_at(audit, parent)->info.pid == info->pid)
			lifetime_exec(&audit->life, parent, event->process,
			              audit_at(audit, parent)->program);
		break;
	case ORIGIN_SPAWN: /* it will tell what it got */
		break;
	}
}
