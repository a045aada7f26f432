/* SPDX-License-Identifier: MIT */
/* site.h - from path+0xoffset, as the library records where calls come from, to the name
 * of a function and its line. Reads the programs' own debugging information; without it
 * the text stays what it is. Never asks the network. */
#ifndef TOOLS_SITE_H
#define TOOLS_SITE_H

#include <stddef.h>

struct site_names;

struct site_names *site_names_new(void);
void site_names_free(struct site_names *names);

/* "dial at client.c:42" for a frame of len bytes; "dial in client", where only symbols are
 * left, else the frame; escaped for terminals. For free(). */
char *site_name(struct site_names *names, const char *frame, size_t len);

/* The same for the innermost of frames, one a line. */
char *site_first(struct site_names *names, const char *frames);

#endif
