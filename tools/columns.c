/* SPDX-License-Identifier: MIT */
/* columns.c - see columns.h. */
#include "tools/columns.h"

#include <stdlib.h>
#include <string.h>

#include "tools/memory.h"

enum { COLUMNS_MAX = 16, GAP = 2 };

struct columns columns_new(const char *align)
{
	return (struct columns){.align = align};
}

static size_t width_of(const struct columns *columns)
{
	size_t width = strlen(columns->align);

	return width < COLUMNS_MAX ? width : COLUMNS_MAX;
}

void columns_add(struct columns *columns, const char *cell)
{
	if (columns->count == columns->room) {
		size_t room = columns->room ? 2 * columns->room : 64;
		char **grown = memory_new(room * sizeof(*grown));

		if (columns->count)
			memcpy(grown, columns->cell, columns->count * sizeof(*grown));
		free(columns->cell);
		columns->cell = grown;
		columns->room = room;
	}
	columns->cell[columns->count++] = memory_copy(cell, strlen(cell));
}

static void measure(const struct columns *columns, size_t *longest)
{
	size_t width = width_of(columns);

	for (size_t i = 0; i < columns->count; i++) {
		size_t len = strlen(columns->cell[i]);

		if (len > longest[i % width])
			longest[i % width] = len;
	}
}

static void print_cell(const struct columns *columns, size_t i, const size_t *longest, FILE *out)
{
	size_t column = i % width_of(columns), last = width_of(columns) - 1;
	int pad = (int)longest[column];

	fprintf(out, "%*s", GAP, "");
	if (columns->align[column] == 'r')
		fprintf(out, "%*s", pad, columns->cell[i]);
	else if (column == last)
		fputs(columns->cell[i], out);
	else
		fprintf(out, "%-*s", pad, columns->cell[i]);
}

void columns_print(struct columns *columns, FILE *out, const char *on, const char *off)
{
	size_t longest[COLUMNS_MAX] = {0}, width = width_of(columns);

	measure(columns, longest);
	for (size_t i = 0; i < columns->count; i++) {
		if (i == 0)
			fputs(on, out);
		print_cell(columns, i, longest, out);
		if (i == width - 1)
			fputs(off, out);
		if (i % width == width - 1)
			fputc('\n', out);
	}
	for (size_t i = 0; i < columns->count; i++)
		free(columns->cell[i]);
	free(columns->cell);
	*columns = columns_new(columns->align);
}
