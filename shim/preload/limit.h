/* SPDX-License-Identifier: MIT */
/* limit.h - limits that are counted here, not by the kernel: sockets, connections; and the cap
 * of listen's backlog. */
#ifndef PRELOAD_LIMIT_H
#define PRELOAD_LIMIT_H

#include "preload/carry.h"

/* These rules, or none, are about to come into force: is anything to be counted? is_new: this
 * process was up before, and what it did then was perhaps not counted. */
void limit_prepare(const struct rules *rules, bool is_new);

/* May a call go that makes a socket or a connection? If not, verdict says why. */
bool limit_may_go(struct call *call, enum op_kind kind);

/* The same of an accept on something that is no socket: without a free descriptor the kernel
 * says that first. */
bool limit_accept_stray(struct call *call);

/* How many sockets the session has open. */
uint32_t limit_open_sockets(void);

/* This process has a place in the session now, or it is a forked child. */
void limit_entered(void);
void limit_forked(bool is_announced);

#endif
