/* SPDX-License-Identifier: MIT */
/* csv.h - an event as a line of CSV (RFC 4180). Control characters that come
 * from the program are escaped, so that an event is one line. */
#ifndef TOOLS_CSV_H
#define TOOLS_CSV_H

#include "core/event.h"

enum { CSV_LINE_MAX = 8192 };

/* The first line: the names of the fields. */
extern const char csv_head[];

/* Write the event to a buffer of CSV_LINE_MAX bytes, with a newline and a NUL.
 * Returns the length. */
size_t csv_line(char *buf, const struct event *event);

#endif
