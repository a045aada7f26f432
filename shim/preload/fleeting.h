/* SPDX-License-Identifier: MIT */
/* fleeting.h - descriptors of our own, open for a moment to ask the kernel something.
 * A child that another thread forks just then inherits them, and must not keep them. Where there
 * is no place to note one, a child keeps it. */
#ifndef PRELOAD_FLEETING_H
#define PRELOAD_FLEETING_H

/* One was opened; it is closed. */
void fleeting_opened(int fd);
void fleeting_close(int fd);

/* In a forked child: those of the parent's other threads. */
void fleeting_forked(void);

#endif
