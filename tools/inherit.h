/* SPDX-License-Identifier: MIT */
/* inherit.h - sockets on their way from one process to another: fork, exec,
 * spawn, SCM_RIGHTS. Part of the audit.
 *
 * A program that comes up tells of each socket that it finds (ADOPT) with its
 * cookie; the one before it told of each that it passed on (PASS). So the two are
 * known to be one. A forked child has copies of its parent's fds, and says
 * nothing. */
#ifndef TOOLS_INHERIT_H
#define TOOLS_INHERIT_H

#include "tools/audit.h"

void inherit_start(struct audit *audit, const struct event *event);
void inherit_adopt(struct audit *audit, const struct event *event);
void inherit_pass(struct audit *audit, const struct event *event);

/* For lifetime.unnamed: was it a socket that a program had for nothing? */
void inherit_unnamed(void *owner, uint32_t slot, const struct fd_name *name, enum end end);

#endif
