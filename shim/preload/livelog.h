/* SPDX-License-Identifier: MIT */
/* livelog.h - TCPSHIM_LOG: events as JSON Lines while they happen, one write(2)
 * a line. Keeps no descriptor: a file is opened for each line, and standard
 * error is written to only while it is what it was when the library came up. */
#ifndef PRELOAD_LIVELOG_H
#define PRELOAD_LIVELOG_H

#include "preload/process.h"

/* Read the setting. Returns whether there is a live log. */
bool livelog_open(void);

/* Write a line of the session; it took from start to end, in ticks. */
void livelog_line(const struct line *line, uint64_t start, uint64_t end);

/* Write a start, fork, exec or end of this process. text may be NULL. */
void livelog_process(enum op_kind kind, const char *text);

#endif
