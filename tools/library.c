/* SPDX-License-Identifier: MIT */
/* library.c - see library.h. */
#include "tools/library.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int library_find(const struct command *command, char path[LIBRARY_MAX])
{
	static const char *const places[] = {"", "/../lib"};
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	while (len > 0 && self[--len] != '/')
		;
	for (size_t i = 0; len > 0 && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, LIBRARY_MAX, "%.*s%s/libtcpshim.so", (int)len, self, places[i]);
		if (access(path, R_OK) == 0)
			break;
	}
	if (len <= 0 || access(path, R_OK) != 0)
		snprintf(path, LIBRARY_MAX, "%s/libtcpshim.so", LIBDIR);
	if (access(path, R_OK) != 0)
		return command_fail(command, "cannot read %s: %s", path, strerror(errno));
	if (strpbrk(path, " :"))
		return command_fail(
		        command,
		        "%s: a path with a space or a colon cannot stand in LD_PRELOAD; "
		        "install tcpshim elsewhere",
		        path);
	return 0;
}
