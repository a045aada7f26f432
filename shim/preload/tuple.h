/* SPDX-License-Identifier: MIT */
/* tuple.h - asks the kernel which TCP tuples and which ports are in use, sock_diag(7).
 * Needs a descriptor for a moment. Where the kernel does not say, every tuple counts as
 * free: then connect tells. */
#ifndef PRELOAD_TUPLE_H
#define PRELOAD_TUPLE_H

#include "core/op.h"

struct tuple_query {
	int fd;
	struct endpoint local, remote;
};

/* Begin to ask about tuples from local (any address: the one that the route gives) to
 * remote. Returns false if there is no way there at all. */
bool tuple_begin(struct tuple_query *query, enum family family, const struct endpoint *local,
                 const struct endpoint *remote);

/* Is the one with this local port free? Where TIME_WAIT has it: would the kernel give it to a
 * new connection? */
bool tuple_is_free(const struct tuple_query *query, uint16_t port);

void tuple_end(const struct tuple_query *query);

/* The address that a packet to remote would leave from. Returns false if there is no way there;
 * true, and *ip as it was, if nothing can be known. */
bool tuple_source(struct ip *ip, enum family family, const struct endpoint *remote);

/* Which ports does anybody use, TCP or UDP, IPv4 or IPv6? None where the kernel does not say.
 * For one thread at a time. */
struct tuple_ports {
	uint8_t bits[65536 / 8];
};
void tuple_ports_in_use(struct tuple_ports *used);

static inline void tuple_mark_port(struct tuple_ports *used, unsigned port)
{
	used->bits[port / 8 % sizeof(used->bits)] |= (uint8_t)(1 << port % 8);
}

static inline bool tuple_has_port(const struct tuple_ports *used, unsigned port)
{
	return used->bits[port / 8 % sizeof(used->bits)] >> port % 8 & 1;
}

#endif
