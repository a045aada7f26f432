/* SPDX-License-Identifier: MIT */
/* library.h - where libtcpshim.so is. */
#ifndef TOOLS_LIBRARY_H
#define TOOLS_LIBRARY_H

#include <limits.h>

#include "tools/cmd.h"

enum { LIBRARY_MAX = PATH_MAX + 32 };

/* Beside this tool, as in the build tree; in lib beside its bin, wherever the
 * whole was put; else where it was to be installed. Returns 0, or EXIT_TCPSHIM, said. */
int library_find(const struct command *command, char path[LIBRARY_MAX]);

#endif
