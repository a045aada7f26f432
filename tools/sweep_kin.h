/* SPDX-License-Identifier: MIT */
/* sweep_kin.h - the other processes of a run: those that its session knows. */
#ifndef TOOLS_SWEEP_KIN_H
#define TOOLS_SWEEP_KIN_H

#include <stdint.h>
#include <sys/types.h>

/* Send a signal (0: none) to those that run, but for the root. Returns how many do. */
uint32_t sweep_kin_send(const char *session, pid_t root, int number);

/* How many have gone, without a word of theirs: killed, by whatever it was. */
uint32_t sweep_kin_vanished(const char *session, pid_t root);

/* How long all that run, the root too, have been on a CPU or waited for one. */
uint64_t sweep_kin_busy_ns(const char *session, pid_t root);

#endif
