/* SPDX-License-Identifier: MIT */
/* tuple.h - asks the kernel whether a TCP tuple is in use, sock_diag(7).
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

/* Is the one with this local port in use by nobody, TIME_WAIT included? */
bool tuple_is_free(const struct tuple_query *query, uint16_t port);

void tuple_end(const struct tuple_query *query);

/* In a forked child: queries that other threads of the parent had open are none of its. */
void tuple_forked(void);

#endif
