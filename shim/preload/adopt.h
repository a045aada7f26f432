/* SPDX-License-Identifier: MIT */
/* adopt.h - sockets whose birth was not seen: inherited over exec, received by
 * SCM_RIGHTS, or behind a close that was missed. The kernel says what they are;
 * SO_COOKIE, recorded when a socket is passed on, says which. */
#ifndef PRELOAD_ADOPT_H
#define PRELOAD_ADOPT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/sockets.h"

/* What the kernel says of a socket that has no place in the table, without its id.
 * Returns false if the fd is none. */
bool adopt_look(int fd, struct sock *sock);

/* If the fd is a socket, enter it with its real state. */
void adopt(int fd);

/* Look for sockets among the first top descriptors: a program that exec'd us
 * had that many. */
void adopt_inherited(uint32_t top);

/* This fd number came from elsewhere (SCM_RIGHTS, pidfd_getfd): whatever we
 * believed of it, ask. */
void adopt_arrival(int fd);

/* A known socket goes to another program or process: record its cookie. */
void adopt_pass(int fd);

/* All that are not close-on-exec do; returns the highest such fd + 1. */
uint32_t adopt_pass_all(void);

#endif
