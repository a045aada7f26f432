/* SPDX-License-Identifier: MIT */
/* cycle.h - a unit of socket work, the same in every test of this folder. */
#ifndef TESTS_CYCLE_H
#define TESTS_CYCLE_H

#include "tests/calls/observe.h"

/* Three sockets: one listens, one connects, one is accepted; all are closed.
 * Events: 2 socket, 1 bind, 1 listen, 1 connect, 1 accept, 3 close. */
static inline void cycle(void)
{
	int pair[2];

	make_pair(pair);
	if (local_port(pair[0]) != peer_port(pair[1])) {
		printf("mixed up\n");
		exit(98);
	}
	close_pair(pair);
}

/* Allow nothing to take longer than a test may, in children too. */
static inline void child_begin(void)
{
	alarm(LIFETIME_S);
}

#endif
