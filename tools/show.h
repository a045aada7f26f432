/* SPDX-License-Identifier: MIT */
/* show.h - an event as a line for people, in the manner of strace.
 * Bytes that come from the program are escaped: a terminal obeys none of them. */
#ifndef TOOLS_SHOW_H
#define TOOLS_SHOW_H

#include "core/event.h"

enum { SHOW_LINE_MAX = 8192 };

struct show {
	bool has_colours;
	uint64_t second; /* the last one printed, */
	char clock[16];  /* as local time */
};

/* Write the event to a buffer of SHOW_LINE_MAX bytes, with a newline and a NUL.
 * Returns the length. */
size_t show_line(char *buf, const struct event *event, struct show *show);

#endif
