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

enum { FLOWS_MAX = 64 }; /* looked through for each send of a socket */

static const struct program *program_of(struct audit *audit, const struct event *event)
{
	return audit->process[event->process]->program;
}

static struct ports *ports_of(struct audit *audit, const struct socket *socket)
{
	return socket->proto == PROTO_TCP ? &audit->tcp : &audit->udp;
}

static bool is_inet(const struct socket *socket)
{
	return socket->family == FAMILY_INET || socket->family == FAMILY_INET6;
}

/* Sockets that were accepted share their listener's port. */
static void hold_port(struct audit *audit, struct socket *socket)
{
	uint16_t port = socket->tuple.local.port;
	struct ports *ports = ports_of(audit, socket);

	if (socket->has_port || !port || socket->use == USE_SERVER || !is_inet(socket) ||
	    (socket->proto != PROTO_TCP && socket->proto != PROTO_UDP))
		return;
	socket->has_port = true;
	if (ports->holders[port]++ == 0 && audit_is_ephemeral(audit, port))
		level_up(&ports->ephemeral);
}

static void release_port(struct audit *audit, struct socket *socket)
{
	uint16_t port = socket->tuple.local.port;
	struct ports *ports = ports_of(audit, socket);

	if (!socket->has_port)
		return;
	socket->has_port = false;
	if (--ports->holders[port] == 0 && audit_is_ephemeral(audit, port))
		level_down(&ports->ephemeral);
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
		release_port(audit, socket);
	lifetime_set_tuple(&audit->life, socket, has_local ? &local : NULL,
	                   has_remote ? &remote : NULL);
	hold_port(audit, socket);
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

static void note_local(struct destination *destination, const struct ip *ip)
{
	for (unsigned i = 0; i < destination->locals && i < LEDGER_LOCALS; i++)
		if (addr_equal(&destination->local[i], ip))
			return;
	if (destination->locals < LEDGER_LOCALS)
		destination->local[destination->locals++] = *ip;
}

static struct port_use *take_use(struct audit *audit, struct destination *destination,
                                 const struct endpoint *local)
{
	struct port_use *use = ledger_port_use(destination, local);
	uint64_t pause_ns = audit->now_ns - use->closed_ns;

	note_local(destination, &local->ip);
	if (use->now++ > 0)
		return use;
	if (!use->closed_ns)
		destination->ports++;
	else if (audit->now_ns >= use->closed_ns && pause_ns < destination->reuse_ns)
		destination->reuse_ns = pause_ns;
	return use;
}

static void open_flow(struct audit *audit, struct socket *socket, struct destination *destination)
{
	struct flow *flow = memory_new(sizeof(*flow));

	flow->destination = destination;
	if (socket->has_local && socket->tuple.local.port)
		flow->port = take_use(audit, destination, &socket->tuple.local);
	flow->next = socket->flows;
	socket->flows = flow;
	socket->flow_count++;
	level_up(&destination->connected);
}

static void close_flows(struct audit *audit, struct socket *socket)
{
	struct flow *next;

	for (struct flow *flow = socket->flows; flow; flow = next) {
		next = flow->next;
		level_down(&flow->destination->connected);
		if (flow->port) {
			flow->port->now--;
			flow->port->closed_ns = audit->now_ns;
		}
		free(flow);
	}
	socket->flows = NULL;
	socket->flow_count = 0;
}

static struct flow *find_flow(struct socket *socket, const struct destination *destination)
{
	struct flow *flow = socket->flows;

	while (flow && flow->destination != destination)
		flow = flow->next;
	return flow;
}

/* The other end of a connection, if it is in the session. */
static struct socket *peer_of(struct audit *audit, const struct socket *socket)
{
	if (socket->proto != PROTO_TCP || !socket->has_local || !socket->has_remote)
		return NULL;
	return lifetime_find_tuple(&audit->life, PROTO_TCP, &socket->tuple.remote,
	                           &socket->tuple.local);
}

/* A connection that was under way is there. */
static void confirm(struct socket *socket)
{
	struct flow *flow = socket->flows;

	if (!flow || !flow->is_pending)
		return;
	flow->is_pending = false;
	flow->destination->pending--;
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

	if (find_flow(socket, destination)) {
		confirm(socket);
		if (destination->made > 0)
			destination->made--; /* it had only been under way */
		close_flows(audit, socket);
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
	close_flows(audit, socket);
	release_port(audit, socket);
	lifetime_set_tuple(&audit->life, socket, event->has_local ? &event->local : NULL, NULL);
	hold_port(audit, socket);
}

void traffic_connect(struct audit *audit, struct socket *socket, const struct event *event)
{
	struct destination *destination;

	if (event->error == EISCONN)
		confirm(socket);
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
	destination->retries.count = 0;
	if (find_flow(socket, destination)) {
		confirm(socket);
		return;
	}
	close_flows(audit, socket);
	learn(audit, socket, event);
	if (event->flags & LINE_NO_PORT)
		socket->no_port = true;
	if (socket->bound && !socket->no_port &&
	    audit_is_ephemeral(audit, socket->tuple.local.port))
		destination->bound_first++;
	set_use(socket, USE_CLIENT);
	socket->closing = socket->peer_first = false;
	destination->made++;
	open_flow(audit, socket, destination);
	if (event->error && !peer_of(audit, socket)) { /* accept may have been faster */
		socket->flows->is_pending = true;
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
	if (find_flow(socket, destination))
		return;
	destination->made++;
	if (socket->flow_count < FLOWS_MAX)
		open_flow(audit, socket, destination);
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
		confirm(peer);
}

void traffic_adopted(struct audit *audit, struct socket *socket, const struct event *event)
{
	learn(audit, socket, event);
	if (!event->has_remote || !is_inet(socket)) {
		socket->use = event->has_local && event->local.port ? USE_BOUND : USE_UNUSED;
		return;
	}
	if (!audit_is_ephemeral(audit, socket->tuple.local.port)) {
		release_port(audit, socket);
		socket->use = USE_SERVER;
		return;
	}
	socket->use = USE_CLIENT;
	open_flow(audit, socket, destination_of(audit, socket, event));
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

static void count_closing(struct audit *audit, const struct socket *socket, bool is_known)
{
	struct destination *destination = socket->flows->destination;

	if (socket->peer_first) {
		destination->closed_second++;
		return;
	}
	if (is_known)
		destination->closed_first++;
	else
		destination->closed_unknown++;
	minute_add(&destination->closing, audit->now_ns);
}

void traffic_closing(struct audit *audit, struct socket *socket)
{
	struct socket *peer;

	if (socket->closing || socket->proto != PROTO_TCP || !socket->has_local ||
	    !socket->has_remote)
		return;
	socket->closing = true;
	peer = peer_of(audit, socket);
	if (peer && !peer->closing)
		peer->peer_first = true;
	if (socket->use == USE_CLIENT && socket->flows)
		count_closing(audit, socket, peer || is_served(audit, &socket->tuple.remote));
}

void traffic_ended(struct audit *audit, struct socket *socket)
{
	close_flows(audit, socket);
	leave_listener(socket);
	release_port(audit, socket);
	free(socket->path);
	socket->path = NULL;
}
