/* SPDX-License-Identifier: MIT */
/* recovery_call.c - which calls recovery.c watches, and where each is made. */
#include <errno.h>
#include <string.h>

#include "tools/audit.h"
#include "tools/recovery.h"

static bool is_by_rule(const struct event *event)
{
	return event->verdict == VERDICT_FAILED || event->verdict == VERDICT_LIMITED;
}

static bool lacks_local_port(const struct event *event)
{
	return !event->has_local || event->local.port == 0;
}

bool recovery_lacks_port(const struct event *event)
{
	bool is_inet = event->family == FAMILY_INET || event->family == FAMILY_INET6;

	if (!is_inet || event->verdict == VERDICT_FAILED || event->verdict == VERDICT_DENIED)
		return false;
	if (event->kind == OP_BIND)
		return event->error == EADDRINUSE &&
		       (event->arg == 1 || (event->has_local && event->local.port == 0));
	if (event->kind == OP_LISTEN)
		return event->error == EADDRINUSE && lacks_local_port(event);
	if (event->kind == OP_CONNECT && event->proto == PROTO_TCP)
		return event->error == EADDRNOTAVAIL;
	return (event->kind == OP_CONNECT || event->kind == OP_SEND) && event->error == EAGAIN &&
	       event->proto == PROTO_UDP && event->verdict != VERDICT_DELAYED &&
	       lacks_local_port(event);
}

/* Failed by a rule, or because the kernel was out of what limits are about. */
bool recovery_is_trouble(const struct event *event)
{
	if (!event_failed(event) || event->verdict == VERDICT_DENIED || event->kind == OP_LIMIT)
		return false;
	if (is_by_rule(event))
		return true;
	switch (event->error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return true;
	default:
		return recovery_lacks_port(event);
	}
}

bool recovery_is_at_fd(enum op_kind kind)
{
	return kind == OP_ACCEPT || kind == OP_SEND || kind == OP_RECV || kind == OP_LISTEN ||
	       kind == OP_DUP;
}

bool recovery_has_place(enum op_kind kind)
{
	return kind == OP_BIND || kind == OP_CONNECT || kind == OP_RESOLVE ||
	       recovery_is_at_fd(kind);
}

struct place recovery_place(struct audit *audit, const struct event *event)
{
	struct socket *socket =
	        lifetime_find(&audit->life, event->process, event->fd,
	                      event->kind == OP_ACCEPT && !event->error ? 0 : event->sock);
	bool is_local =
	        event->kind == OP_BIND || event->kind == OP_LISTEN || event->kind == OP_ACCEPT;
	bool is_known = is_local ? event->has_local : event->has_remote;
	const struct endpoint *end = event->has_asked ? &event->asked
	                             : is_local       ? &event->local
	                                              : &event->remote;
	const char *path = event->family == FAMILY_UNIX ? event->text : NULL;

	if (event->kind == OP_RESOLVE)
		return ledger_place(FAMILY_OTHER, PROTO_OTHER, NULL, event->text, event->text_len);
	if (!is_known && socket && (is_local ? socket->has_local : socket->has_remote)) {
		is_known = true;
		end = is_local ? &socket->tuple.local : &socket->tuple.remote;
	}
	if (!path && is_local && socket && socket->path)
		return ledger_place(FAMILY_UNIX, (enum proto)socket->proto, NULL, socket->path,
		                    strlen(socket->path));
	return ledger_place(event->family, event->proto, is_known ? end : NULL, path,
	                    path ? event->text_len : 0);
}
