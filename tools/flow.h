/* SPDX-License-Identifier: MIT */
/* flow.h - the port that a socket holds, and its ways to destinations: one for
 * a connection, many for a UDP socket that sends to many. Part of the audit. */
#ifndef TOOLS_FLOW_H
#define TOOLS_FLOW_H

#include "tools/audit.h"

/* Count the port of the socket's local endpoint as held, and no more. Sockets
 * that were accepted share their listener's. */
void flow_hold_port(struct audit *audit, struct socket *socket);
void flow_release_port(struct audit *audit, struct socket *socket);

/* A way to a destination is open; it stays so until all of the socket's close. */
struct flow *flow_open(struct audit *audit, struct socket *socket, struct destination *destination);
void flow_close_all(struct audit *audit, struct socket *socket);

/* The socket's way to a destination, or NULL. */
struct flow *flow_find(struct socket *socket, const struct destination *destination);

/* A connection that was under way is there. */
void flow_confirm(struct socket *socket);

#endif
