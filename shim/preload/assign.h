/* SPDX-License-Identifier: MIT */
/* assign.h - gives sockets ports from a range: the one that a rule of policy names, or
 * that of limit ports where the kernel does not see to it (ports.h).
 *
 * Where the range lies inside the host's own ephemeral range, and the kernel knows
 * IP_LOCAL_PORT_RANGE (Linux 6.3), the kernel chooses. Elsewhere we do: by trying to bind
 * one port of the range after the other, from where the last search of the session
 * ended, so that a port that was just given back is not the next to be given out. */
#ifndef PRELOAD_ASSIGN_H
#define PRELOAD_ASSIGN_H

#include "preload/carry.h"

/* Give the socket of a call with the verdict ASSIGNED (or MOVED to a range) its port; for
 * BIND, that is the call itself. Returns false if nothing is left to be done: the call
 * has succeeded, or verdict.error says as the kernel would that the range is exhausted. */
bool assign_port(struct call *call, enum op_kind kind, struct aim *aim);

/* The same for a call to which policy gives no range, where limit ports is ours to see to;
 * true for all other calls. The verdict becomes LIMITED if there is no port left. */
bool assign_limited(struct call *call, enum op_kind kind, struct aim *aim);

/* The call has been made: the range that it had counts no longer. */
void assign_done(struct call *call);

#endif
