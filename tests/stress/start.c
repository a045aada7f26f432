/* SPDX-License-Identifier: MIT */
/* start PROGRAM - a cycle, a child that becomes PROGRAM, and its status. */
#include "cycle.h"

int main(int argc, char **argv)
{
	pid_t pid;

	begin();
	cycle();
	pid = argc > 1 ? fork() : -1;
	if (pid == 0) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	show_child("child", pid);
	return end();
}
