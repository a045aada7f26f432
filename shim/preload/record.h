/* SPDX-License-Identifier: MIT */
/* record.h - where events go: into the session's chunks, and as JSON into the
 * live log. */
#ifndef PRELOAD_RECORD_H
#define PRELOAD_RECORD_H

#include "preload/process.h"

/* Report one op to the engine and record it. */
void record(const struct op *op, const struct sock *before, const struct verdict *verdict,
            const struct outcome *outcome);

/* Record something that is not a socket call: BLIND, LIMIT, RESOLVE. */
void record_note(const struct op *op, const struct outcome *outcome);

/* Starts, forks, execs and ends stand in the table of processes; only the live
 * log is told of them. text may be NULL. */
void record_process(enum op_kind kind, const char *text);

/* Make the kernel allocate whole pages of the session. Returns 0, or -errno
 * where touching them would kill us. */
long record_allocate(void *at, size_t size);

/* Take a chunk for all threads to use once no system call can be made. */
void record_reserve(void);

/* Read TCPSHIM_LOG. Returns whether there is a live log. */
bool record_open_log(void);

#endif
