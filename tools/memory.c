/* SPDX-License-Identifier: MIT */
/* memory.c - see memory.h. */
#include "tools/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cmd.h"

void memory_gone(void)
{
	fputs("tcpshim: out of memory\n", stderr);
	exit(EXIT_TCPSHIM);
}

void *memory_new(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		memory_gone();
	return memory;
}

char *memory_copy(const char *bytes, size_t len)
{
	char *copy = memory_new(len + 1);

	memcpy(copy, bytes, len);
	return copy;
}
