/* SPDX-License-Identifier: MIT */
/* count.h - counts sockets and connections anew: only the kernel knows who was killed, what
 * exec closed, and what is passed around.
 *
 * Sockets are told apart by their inode: fstat(2) of our own, the links of /proc/PID/fd of
 * others; sock_diag(7) tells the connections. Takes memory and one descriptor for a moment;
 * where there is none, or /proc is closed to us, nothing is known. Once sandboxed, nothing is
 * asked. */
#ifndef PRELOAD_COUNT_H
#define PRELOAD_COUNT_H

#include "preload/process.h"

/* How many sockets this process has; those of calls under way count as if they were over, or
 * not begun, whatever gives more. Returns false if it is not known. */
bool count_own_sockets(uint32_t *open);

/* The same of the session. *flight: how many of them are calls under way. */
bool count_tree_sockets(uint32_t *open, uint32_t *flight);

/* How many TCP connections of the session (with `in NAME`: of those programs) a limit of
 * connections speaks of, that were connected (kind OP_CONNECT) or accepted. */
bool count_connections(const struct rules *rules, const struct rule *rule, enum op_kind kind,
                       uint32_t *open);

#endif
