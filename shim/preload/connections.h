/* SPDX-License-Identifier: MIT */
/* connections.h - the TCP connections of some sockets, as the kernel lists them, sock_diag(7). */
#ifndef PRELOAD_CONNECTIONS_H
#define PRELOAD_CONNECTIONS_H

#include "core/rules.h"
#include "preload/inodes.h"

/* How many of them a rule speaks of: connected (kind OP_CONNECT) or accepted ones. An accepted
 * one is known by its local port, that of a listener. A connection whose socket is closed
 * (TIME_WAIT, FIN_WAIT) is nobody's. Returns false if the kernel does not say. */
bool connections_count(const struct inodes *inodes, const struct rules *rules,
                       const struct rule *rule, enum op_kind kind, uint32_t *count);

#endif
