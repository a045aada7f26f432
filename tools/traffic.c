/* SPDX-License-Identifier: MIT */
/* traffic.c - see traffic.h.
 *
 * Who closed first: reads are not recorded, so that of one end alone nobody can
 * say whether the other had closed before. Where both ends are in the session,
 * they find each other by their tuples, one the reverse of the other; where the
 * listener is in the session and its end has not even been accepted, the client
 * was first. Everything else counts as unknown. */
#include "tools/traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/flow.h"

enum { FLOWS_MAX = 64 }; /* looked through for each send of a socket */

static const struct program *program_of(struct audit *audit, const struct event *event)
{
	return audit->process[event->process]->program;
}

/* Take over what the event says of the socket's addresses; what it does not say
 * stays. */
static void learn(struct audit *audit, struct socket *socket, const struct event *event)
{
	struct endpoint local = event->has_local ? event->local : socket->tuple.local;
	struct endpoint remote = event->has_remote ? event->remote : socket->tuple.remote;
	bool has_local = event->has_local || socket->has_local;
	bool has_remote = event->has_remote || socket->has_remote;

	if (event->flags & LINE_REUSEADDR)
		socket->reuse = true;
	if (event->family == FAMILY_UNIX && event->text_len && event->kind != OP_CONNECT) {
		free(socket->path);
		socket->path = memory_copy(event->text, event->text_len);
	}
	if (!event->has_local && !event->has_remote)
		return;
	if (socket->has_port && local.port != socket->tuple.local.port)
		flow_release_port(audit, socket);
	lifetime_set_tuple(&audit->life, socket, has_local ? &local : NULL,
	                   has_remote ? &remote : NULL);
	flow_hold_port(audit, socket);
}

static void leave_listener(struct socket *socket)
{
	if (!socket->listener)
		return;
	level_down(socket->use == USE_SERVER ? &socket->listener->connected
	                                     : &socket->listener->listening);
	socket->listener = NULL;
}

/* It becomes something else than it was. */
static void set_use(struct socket *socket, enum use use)
{
	if (socket->use == USE_SERVER && use != USE_SERVER)
		leave_listener(socket);
	socket->use = (uint8_t)use;
}

static struct place local_place(const struct socket *socket)
{
	return ledger_place((enum family)socket->family, (enum proto)socket->proto,
	                    &socket->tuple.local, socket->path,
	                    socket->path ? strlen(socket->path) : 0);
}

static void enter_listener(struct audit *audit, struct socket *socket, const struct event *event)
{
	struct place place = local_place(socket);
	bool any_port = socket->proto == PROTO_UDP && audit_is_ephemeral(audit, place.end.port);
	struct listener *listener;

	if (any_port)
		place.end.port = 0;
	listener = ledger_listener(&audit->ledger, &place, program_of(audit, event));
	if (socket->listener == listener)
		return;
	leave_listener(socket);
	if (listener->opened++ == 0)
		listener->slot = event->process;
	listener->any_port = any_port;
	socket->listener = listener;
	level_up(&listener->listening);
}

struct socket *traffic_born(struct audit *audit, const struct event *event, int fd)
{
	struct socket *socket = lifetime_born(&audit->life, event->process, fd, event->sock);

	socket->family = (uint8_t)event->family;
	socket->proto = (uint8_t)event->proto;
	socket->born_ns = audit->now_ns;
	return socket;
}

void traffic_bind(struct audit *audit, struct socket *socket, const struct event *event)
{
	if (event->error) {
		errors_add(&audit->bind_failed, event->error);
		return;
	}
	learn(audit, socket, event);
	socket->no_port = event->flags & LINE_NO_PORT;
	socket->bound = socket->tuple.local.port != 0;
	if (socket->use == USE_UNUSED)
		set_use(socket, USE_BOUND);
	if (socket->proto == PROTO_UDP)
		enter_listener(audit, socket, event);
}

void traffic_listen(struct audit *audit, struct socket *socket, const struct event *event)
{
	if (event->error)
		return;
	learn(audit, socket, event);
	set_use(socket, USE_LISTENING);
	enter_listener(audit, socket, event);
	socket->listener->backlog = (int)event->arg;
	/* a port that the kernel chose is another one after a restart */
	socket->listener->no_reuse = socket->proto == PROTO_TCP && socket->bound && !socket->reuse;
}

/* The other end of a connection, if it is in the session. */
static struct socket *peer_of(struct audit *audit, const struct socket *socket)
{
	if (socket->proto != PROTO_TCP || !socket->has_local || !socket->has_remote)
		return NULL;
	return lifetime_find_tuple(&audit->life, PROTO_TCP, &socket->tuple.remote,
	                           &socket->tuple.local);
}

static struct destination *destination_of(struct audit *audit, const struct socket *socket,
                                          const struct event *event)
{
	bool is_unix = socket->family == FAMILY_UNIX;
	struct place place = ledger_place((enum family)socket->family, (enum proto)socket->proto,
	                                  event->has_remote ? &event->remote : NULL,
	                                  is_unix ? event->text : NULL, event->text_len);
	struct destination *destination = ledger_destination(&audit->ledger, &place);

	programs_add(&destination->programs, program_of(audit, event));
	return destination;
}

/* Is the connection made, or on its way? */
static bool is_under_way(int error)
{
	return error == 0 || error == EINPROGRESS || error == EINTR;
}

static void connect_failed(struct audit *audit, struct socket *socket,
                           struct destination *destination, const struct event *event)
{
	bool same = destination->retry_slot == event->process;

	if (flow_find(socket, destination)) {
		flow_confirm(socket);
		if (destination->made > 0)
			destination->made--; /* it had only been under way */
		flow_close_all(audit, socket);
	}
	set_use(socket, USE_FAILED);
	errors_add(&destination->failed, event->error);
	if (!same)
		destination->retries.count = 0;
	destination->retry_slot = event->process;
	streak_add(&destination->retries, event->time_ns, audit->now_ns, AUDIT_PAUSE_NS);
}

/* connect() to AF_UNSPEC: the socket has no peer any more, and no port unless it
 * was bound to it. */
static void dissolve(struct audit *audit, struct socket *socket, const struct event *event)
{
	flow_close_all(audit, socket);
	flow_release_port(audit, socket);
	lifetime_set_tuple(&audit->life, socket, event->has_local ? &event->local : NULL, NULL);
	flow_hold_port(audit, socket);
}

void traffic_connect(struct audit *audit, struct socket *socket, const struct event *event)
{
	struct destination *destination;
	struct flow *flow;

	if (event->error == EISCONN)
		flow_confirm(socket);
	if (event->error == EISCONN || event->error == EALREADY)
		return; /* asks how an earlier connect is doing */
	if (!event->has_remote && !event->text_len) {
		if (!event->error)
			dissolve(audit, socket, event);
		return;
	}
	destination = destination_of(audit, socket, event);
	if (!is_under_way(event->error)) {
		connect_failed(audit, socket, destination, event);
		return;
	}
	if (event->error == 0) /* one that is on its way may still fail */
		destination->retries.count = 0;
	if (flow_find(socket, destination)) {
		flow_confirm(socket);
		return;
	}
	flow_close_all(audit, socket);
	learn(audit, socket, event);
	if (event->flags & LINE_NO_PORT)
		socket->no_port = true;
	if (socket->bound && !socket->no_port &&
	    audit_is_ephemeral(audit, socket->tuple.local.port))
		destination->bound_first++;
	set_use(socket, USE_CLIENT);
	socket->closing = socket->peer_first = false;
	destination->made++;
	flow = flow_open(audit, socket, destination);
	if (event->error && !peer_of(audit, socket)) { /* accept may have been faster */
		flow->is_pending = true;
		destination->pending++;
	}
}

void traffic_send(struct audit *audit, struct socket *socket, const struct event *event)
{
	struct destination *destination;

	if (event->has_local && !event->error)
		learn(audit, socket, event);
	if (!event->has_remote && !event->text_len)
		return;
	destination = destination_of(audit, socket, event);
	if (!is_under_way(event->error)) {
		errors_add(&destination->failed, event->error);
		return;
	}
	if (flow_find(socket, destination))
		return;
	destination->made++;
	if (socket->flow_count < FLOWS_MAX)
		flow_open(audit, socket, destination);
	if (socket->use == USE_UNUSED)
		set_use(socket, USE_CLIENT);
}

void traffic_recv(struct audit *audit, struct socket *socket, const struct event *event)
{
	(void)audit;
	if (!event->error && socket->listener)
		socket->listener->peers++;
}

/* The row of a listener; where its listen() was not seen, one made of what the
 * accepted connection tells. */
static struct listener *row_of(struct audit *audit, struct socket *listener,
                               const struct socket *accepted, const struct event *event)
{
	struct place place = local_place(listener ? listener : accepted);

	if (listener && listener->listener)
		return listener->listener;
	if (listener && listener->has_local) {
		set_use(listener, USE_LISTENING);
		enter_listener(audit, listener, event);
		return listener->listener;
	}
	if (accepted)
		place = local_place(accepted);
	return ledger_listener(&audit->ledger, &place, program_of(audit, event));
}

void traffic_accept_failed(struct audit *audit, struct socket *listener, const struct event *event)
{
	struct listener *row;

	if (event->error == EAGAIN || event->error == EINTR || !listener ||
	    (!listener->listener && !listener->has_local))
		return;
	row = row_of(audit, listener, NULL, event);
	errors_add(&row->failed, event->error);
	if (event->error == EMFILE || event->error == ENFILE)
		streak_add(&row->spinning, event->time_ns, audit->now_ns, AUDIT_PAUSE_NS);
}

void traffic_accepted(struct audit *audit, struct socket *socket, struct socket *listener,
                      const struct event *event)
{
	struct listener *row;
	struct socket *peer;

	socket->use = USE_SERVER;
	learn(audit, socket, event);
	row = row_of(audit, listener, socket, event);
	socket->listener = row;
	row->accepted++;
	row->spinning.count = 0;
	level_up(&row->connected);
	peer = peer_of(audit, socket);
	if (peer)
		flow_confirm(peer);
}

void traffic_adopted(struct audit *audit, struct socket *socket, const struct event *event)
{
	learn(audit, socket, event);
	if (!event->has_remote) {
		socket->use = event->has_local && event->local.port ? USE_BOUND : USE_UNUSED;
		return;
	}
	if (!audit_is_ephemeral(audit, socket->tuple.local.port)) {
		flow_release_port(audit, socket);
		socket->use = USE_SERVER;
		return;
	}
	socket->use = USE_CLIENT;
	flow_open(audit, socket, destination_of(audit, socket, event));
}

/* Does a socket of the session listen at this endpoint? */
static bool is_served(struct audit *audit, const struct endpoint *end)
{
	struct endpoint any_v4 = {.ip.byte = {[10] = 0xff, [11] = 0xff}, .port = end->port};
	struct endpoint any_v6 = {.port = end->port};

	return lifetime_find_tuple(&audit->life, PROTO_TCP, end, NULL) ||
	       lifetime_find_tuple(&audit->life, PROTO_TCP, &any_v4, NULL) ||
	       lifetime_find_tuple(&audit->life, PROTO_TCP, &any_v6, NULL);
}

/* is_known: that the other end has not closed before, unless peer_first. peer:
 * the other end, if it is still to close. */
static void count_closing(struct audit *audit, const struct socket *socket, struct socket *peer,
                          bool is_known)
{
	struct flow *flow = socket->flows;

	if (socket->peer_first) {
		flow->destination->closed_second++;
		return;
	}
	if (flow->is_pending)
		return; /* perhaps it was never there */
	if (is_known)
		flow->destination->closed_first++;
	else
		flow->destination->closed_unknown++;
	if (peer)
		peer->peer_counted = flow->destination;
	minute_add(&flow->destination->closing, audit->now_ns);
}

/* Calls come in the order in which they ended. The other end, woken by our close,
 * may have ended its own while ours was still under way: ours was first. */
static void check_who_was_first(const struct audit *audit, struct socket *socket)
{
	if (!socket->peer_first || audit->start_ns >= socket->peer_first_ns)
		return;
	socket->peer_first = false;
	if (socket->peer_counted) {
		socket->peer_counted->closed_first--;
		socket->peer_counted->closed_second++;
	}
}

void traffic_closing(struct audit *audit, struct socket *socket)
{
	struct socket *peer;
	bool has_peer, is_ours;

	if (socket->closing || socket->proto != PROTO_TCP || !socket->has_local ||
	    !socket->has_remote)
		return;
	socket->closing = true;
	peer = peer_of(audit, socket);
	has_peer = peer != NULL;
	if (peer && peer->closing)
		peer = NULL;
	check_who_was_first(audit, socket);
	if (peer) {
		peer->peer_first = true;
		peer->peer_first_ns = audit->start_ns;
		peer->peer_counted = NULL;
	}
	if (socket->use != USE_CLIENT || !socket->flows)
		return;
	is_ours = has_peer || is_served(audit, &socket->tuple.remote);
	if (is_ours)
		flow_confirm(socket);
	count_closing(audit, socket, peer, is_ours);
}

void traffic_ended(struct audit *audit, struct socket *socket)
{
	flow_close_all(audit, socket);
	leave_listener(socket);
	flow_release_port(audit, socket);
	free(socket->path);
	socket->path = NULL;
}
