/* SPDX-License-Identifier: MIT */
/* flow.c - see flow.h. */
#include "tools/flow.h"

#include <stdlib.h>

static struct ports *ports_of(struct audit *audit, const struct socket *socket)
{
	return socket->proto == PROTO_TCP ? &audit->tcp : &audit->udp;
}

void flow_hold_port(struct audit *audit, struct socket *socket)
{
	uint16_t port = socket->tuple.local.port;
	struct ports *ports = ports_of(audit, socket);

	if (socket->has_port || !port || socket->use == USE_SERVER ||
	    (socket->proto != PROTO_TCP && socket->proto != PROTO_UDP))
		return;
	socket->has_port = true;
	if (ports->holders[port]++ == 0 && audit_is_ephemeral(audit, port))
		level_up(&ports->ephemeral);
}

void flow_release_port(struct audit *audit, struct socket *socket)
{
	uint16_t port = socket->tuple.local.port;
	struct ports *ports = ports_of(audit, socket);

	if (!socket->has_port)
		return;
	socket->has_port = false;
	if (--ports->holders[port] == 0 && audit_is_ephemeral(audit, port))
		level_down(&ports->ephemeral);
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

struct flow *flow_open(struct audit *audit, struct socket *socket, struct destination *destination)
{
	struct flow *flow = memory_new(sizeof(*flow));

	flow->destination = destination;
	if (socket->has_local && socket->tuple.local.port)
		flow->port = take_use(audit, destination, &socket->tuple.local);
	flow->next = socket->flows;
	socket->flows = flow;
	socket->flow_count++;
	level_up(&destination->connected);
	return flow;
}

void flow_close_all(struct audit *audit, struct socket *socket)
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

struct flow *flow_find(struct socket *socket, const struct destination *destination)
{
	struct flow *flow = socket->flows;

	while (flow && flow->destination != destination)
		flow = flow->next;
	return flow;
}

void flow_confirm(struct socket *socket)
{
	struct flow *flow = socket->flows;

	if (!flow || !flow->is_pending)
		return;
	flow->is_pending = false;
	flow->destination->pending--;
}
