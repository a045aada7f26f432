/* SPDX-License-Identifier: MIT */
/* learn.h - what a program had asked epoll for before rules of delay came, which nobody had
 * noted then: /proc tells. Without it a socket that is held back would give an edge-triggered
 * waiter no edge when its time comes. */
#ifndef PRELOAD_LEARN_H
#define PRELOAD_LEARN_H

#include <stdbool.h>

/* Note it all (interest.h). Returns false if it cannot be known. For one thread at a time. */
bool learn_interests(void);

#endif
