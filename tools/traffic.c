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

/* What a rule had to do with the port that was not to be had. */
static void note_giver(struct shortage *shortage, const struct event *event)
{
	if (event->verdict != VERDICT_ASSIGNED && event->verdict != VERDICT_LIMITED)
		return;
	shortage->rule = event->rule;
	shortage->set = event->set;
}

static void bind_failed(struct audit *audit, const struct socket *socket, const struct event *event)
{
	struct shortage *shortage = &audit->bind_short;

	if (event->kind == OP_BIND)
		errors_add(&audit->bind_failed, event->error);
	if (!recovery_lacks_port(event) || shortage->count++ > 0)
		return;
	shortage->program = program_of(audit, event);
	shortage->open = (socket->proto == PROTO_UDP ? &audit->udp : &audit->tcp)->ephemeral.now;
	note_giver(shortage, event);
}

void traffic_bind(struct audit *audit, struct socket *socket, const struct event *event)
{
	if (event->error) {
		bind_failed(audit, socket, event);
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
	if (event->error) {
		bind_failed(audit, socket, event);
		return;
	}
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

/* How things stood when the first call to a destination found no port. */
static void note_shortage(struct audit *audit, struct destination *destination,
                          const struct event *event)
{
	struct shortage *shortage = &destination->shortage;

	if (!recovery_lacks_port(event) || shortage->count++ > 0)
		return;
	shortage->program = program_of(audit, event);
	shortage->open = destination->connected.now;
	note_giver(shortage, event);
	if (!destination->lately)
		return;
	shortage->closed = lately_count(destination->lately, 0, audit->now_ns);
	shortage->closed_unknown = lately_count(destination->lately, 1, audit->now_ns);
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
	if (socket->is_failing && event->error != EINPROGRESS) { /* it has been counted */
		errors_rename(&destination->failed, EINPROGRESS, event->error, 1);
		socket->is_failing = false;
		return;
	}
	socket->is_failing = event->error == EINPROGRESS;
	errors_add(&destination->failed, event->error);
	note_shortage(audit, destination, event);
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

/* A connect that does not wait, and that a rule has failed: it is yet to know. */
static bool is_sure_to_fail(const struct event *event)
{
	return event->verdict == VERDICT_FAILED && event->error == EINPROGRESS;
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
	if (!is_under_way(event->error) || is_sure_to_fail(event)) {
		connect_failed(audit, socket, destination, event);
		return;
	}
	socket->is_failing = false;
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

/* What is sent and received on a connection makes none. It is in the record only because a
 * rule had a part in it. */
static bool is_stream(const struct socket *socket)
{
	return socket->proto == PROTO_STREAM ||
	       (socket->proto == PROTO_TCP &&
	        (socket->use == USE_CLIENT || socket->use == USE_SERVER));
}

void traffic_send(struct audit *audit, struct socket *socket, const struct event *event)
{
	struct destination *destination;

	if (event->has_local && !event->error)
		learn(audit, socket, event);
	if ((!event->has_remote && !event->text_len) || is_stream(socket))
		return;
	destination = destination_of(audit, socket, event);
	if (!is_under_way(event->error)) {
		if (event->verdict != VERDICT_DELAYED) /* that comes again, when it is time */
			errors_add(&destination->failed, event->error);
		note_shortage(audit, destination, event);
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
	if (!event->error && socket->listener && !is_stream(socket))
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

/* Will accept fail again at once, if nothing is done about it? */
static bool is_lasting(const struct event *event)
{
	return event->error == EMFILE || event->error == ENFILE || event->error == ENOBUFS ||
	       event->error == ENOMEM || event->verdict == VERDICT_FAILED ||
	       event->verdict == VERDICT_LIMITED;
}

void traffic_accept_failed(struct audit *audit, struct socket *listener, const struct event *event)
{
	struct listener *row;

	if (event->error == EAGAIN || event->error == EINTR || !listener ||
	    (!listener->listener && !listener->has_local))
		return;
	row = row_of(audit, listener, NULL, event);
	errors_add(&row->failed, event->error);
	if (is_lasting(event))
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
	if (!peer)
		return;
	flow_confirm(peer);
	if (peer->flows)
		recovery_connected(audit, peer->slot, &peer->flows->destination->place);
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
	if (!flow->destination->lately)
		flow->destination->lately = memory_new(sizeof(struct lately));
	lately_add(flow->destination->lately, !is_known, 1, audit->now_ns);
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
		if (socket->peer_counted->lately)
			lately_add(socket->peer_counted->lately, 0, -1, audit->now_ns);
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
