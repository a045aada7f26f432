/* SPDX-License-Identifier: MIT */
/* reset.h - connections that a rule breaks off.
 * The peer gets a reset, and the socket is brought into the state in which a reset by its peer
 * would have left it: the kernel then answers every later call, and poll, by itself. Three
 * things it answers otherwise, and they are put right: connect (EISCONN), listen (EINVAL) and
 * getsockname. */
#ifndef PRELOAD_RESET_H
#define PRELOAD_RESET_H

#include "preload/carry.h"

/* Break the TCP connection off; the next call will be told ECONNRESET. Returns false if it
 * cannot be. */
bool reset_connection(struct call *call);

/* The same; that has been told already. */
bool reset_told_connection(struct call *call);

/* Is this a connect of a socket that, but for a rule, would still be connected? */
bool reset_is_connected(const struct call *call, const struct aim *aim);

#endif
