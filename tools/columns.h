/* SPDX-License-Identifier: MIT */
/* columns.h - a table for the terminal: cells in, aligned lines out.
 * Cells are printable ASCII or escaped; the first row is the heading. */
#ifndef TOOLS_COLUMNS_H
#define TOOLS_COLUMNS_H

#include <stdio.h>

struct columns {
	const char *align; /* a letter a column: 'l' or 'r'; the last 'l' is not padded */
	char **cell;
	size_t count, room;
};

/* An empty table. align stays the caller's. */
struct columns columns_new(const char *align);

/* Add the next cell, a copy. */
void columns_add(struct columns *columns, const char *cell);

/* Print to out, two spaces in, the heading between on and off (escape sequences
 * or ""), and forget the cells. */
void columns_print(struct columns *columns, FILE *out, const char *on, const char *off);

#endif
