/* SPDX-License-Identifier: MIT */
/* launch.h - runs a program as if tcpshim were not there.
 * Knows fork, exec, signals and job control. One program at a time. */
#ifndef TOOLS_LAUNCH_H
#define TOOLS_LAUNCH_H

#include <signal.h>
#include <sys/types.h>

struct launch {
	pid_t pid;
	sigset_t mask; /* what the caller had, and the program gets */
	struct sigaction on_child;
};

/* In the child, before exec: put library in front of LD_PRELOAD, set TCPSHIM_SESSION, and take
 * out what asks for rules. Returns 0 or -ENOMEM. */
int launch_environment(const char *library, const char *session);

/* Start argv, found along $PATH, with library in front of LD_PRELOAD and
 * TCPSHIM_SESSION set; what asks for rules is taken out of its environment. Returns 0, or -errno of
 * fork or exec. On success, launch_wait() must follow: signals are held back until then. */
int launch_start(struct launch *launch, char **argv, const char *library, const char *session);

/* Wait for the program, handing on signals that were meant for it, and stop when
 * it is stopped from the terminal. Its descendants may live on. Returns its exit
 * status, 128+N after signal N. */
int launch_wait(struct launch *launch);

#endif
