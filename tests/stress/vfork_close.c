/* SPDX-License-Identifier: MIT */
/* vfork_close - a child that shares its parent's memory closes the sockets that
 * the parent goes on to use, then becomes another program. */
#include "cycle.h"

/* Becomes another program, or ends. */
static void child(const int pair[2], int way)
{
	char *const args[] = {"true", NULL}, *const env[] = {NULL};

	close(pair[0]);
	close(pair[1]);
	if (way == 1)
		close_range(3, ~0U, 0);
	if (way == 2)
		dup2(0, pair[0]);
	execve(way == 3 ? "/nonexistent" : "/bin/true", args, env);
	_exit(way == 3 ? 0 : 1);
}

static void one_way(int way)
{
	int pair[2];
	pid_t pid;
	char c;

	make_pair(pair);
	pid = vfork();
	if (pid == 0)
		child(pair, way);
	show_child("child", pid);
	MUST(write(pair[0], "x", 1));
	MUST(read(pair[1], &c, 1));
	close_pair(pair);
}

int main(void)
{
	int way;

	begin();
	for (way = 0; way < 4; way++)
		one_way(way);
	cycle();
	return end();
}
