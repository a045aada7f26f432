/* SPDX-License-Identifier: MIT */
/* memory.h - memory for the tools, and uthash on top of it: there is enough, or
 * tcpshim ends with a message and EXIT_TCPSHIM. Include this, not uthash.h. */
#ifndef TOOLS_MEMORY_H
#define TOOLS_MEMORY_H

#include <stddef.h>

#define uthash_fatal(message) memory_gone()
#include <uthash.h>

/* size bytes, zeroed; for free(). Never NULL. */
void *memory_new(size_t size);

/* A copy of len bytes with a NUL behind it; for free(). Never NULL. */
char *memory_copy(const char *bytes, size_t len);

_Noreturn void memory_gone(void);

#endif
