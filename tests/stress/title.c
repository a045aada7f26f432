/* SPDX-License-Identifier: MIT */
/* title - overwrites its arguments and its environment, as setproctitle does,
 * then starts itself. */
#include "cycle.h"

extern char **environ;

int main(int argc, char **argv)
{
	char self[4096] = "", *const args[] = {"title", "child", NULL};
	char *last = argv[argc - 1];
	char **e;
	pid_t pid;

	begin();
	if (argc > 1) {
		cycle();
		return 0;
	}
	MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	for (e = environ; *e; e++)
		last = *e;
	memset(argv[0], 'x', (size_t)(last + strlen(last) - argv[0]));
	cycle();
	pid = fork();
	if (pid == 0) {
		environ = NULL;
		execv(self, args);
		_exit(1);
	}
	show_child("child", pid);
	return end();
}
