/* SPDX-License-Identifier: MIT */
/* traffic.h - what the calls of sockets mean for ports, listeners and
 * destinations. Part of the audit: audit.c finds the socket, this file counts. */
#ifndef TOOLS_TRAFFIC_H
#define TOOLS_TRAFFIC_H

#include "tools/audit.h"

/* A new socket, of the family and protocol that the event tells, as fd. */
struct socket *traffic_born(struct audit *audit, const struct event *event, int fd);

void traffic_bind(struct audit *audit, struct socket *socket, const struct event *event);
void traffic_listen(struct audit *audit, struct socket *socket, const struct event *event);
void traffic_connect(struct audit *audit, struct socket *socket, const struct event *event);
void traffic_send(struct audit *audit, struct socket *socket, const struct event *event);
void traffic_recv(struct audit *audit, struct socket *socket, const struct event *event);

/* An accept failed at a listener, which may be unknown (NULL). */
void traffic_accept_failed(struct audit *audit, struct socket *listener, const struct event *event);

/* An accept made a socket. */
void traffic_accepted(struct audit *audit, struct socket *socket, struct socket *listener,
                      const struct event *event);

/* A socket was met whose birth was not seen. */
void traffic_adopted(struct audit *audit, struct socket *socket, const struct event *event);

/* Its holder has begun to close a connection. */
void traffic_closing(struct audit *audit, struct socket *socket);

/* A socket is gone: everything that it held is free. */
void traffic_ended(struct audit *audit, struct socket *socket);

#endif
