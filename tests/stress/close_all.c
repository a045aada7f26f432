/* SPDX-License-Identifier: MIT */
/* close_all WAY - close everything, as daemons do, then work on. */
#include <sys/syscall.h>

#include "cycle.h"

static void close_all(const char *way)
{
	int fd;

	if (strcmp(way, "closefrom") == 0)
		closefrom(3);
	else if (strcmp(way, "close_range") == 0)
		MUST(close_range(3, ~0U, 0));
	else if (strcmp(way, "syscall") == 0)
		MUST(syscall(SYS_close_range, 3, ~0U, 0));
	else
		for (fd = 3; fd < 1024; fd++)
			close(fd);
}

int main(int argc, char **argv)
{
	int i;

	begin();
	for (i = 0; i < 20; i++)
		MUST(socket(i % 2 ? AF_INET : AF_INET6, SOCK_STREAM, 0));
	close_all(argc > 1 ? argv[1] : "loop");
	cycle();
	show_fds();
	close(0);
	close(1);
	close(2);
	close_all(argc > 1 ? argv[1] : "loop");
	cycle();
	i = socket(AF_INET, SOCK_STREAM, 0); /* 0, the lowest number */
	return close(i) == 0 ? i : 1;
}
