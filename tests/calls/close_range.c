/* SPDX-License-Identifier: MIT */
/* calls: close_range closefrom */
/* Closing many at once. */
#include "observe.h"

#ifdef __GLIBC__
static void open_sockets(int n)
{
	int i;

	for (i = 0; i < n; i++)
		MUST(socket(i & 1 ? AF_INET : AF_INET6, i & 2 ? SOCK_STREAM : SOCK_DGRAM, 0));
}

int main(void)
{
	int pair[2];

	begin();
	section("a part");
	open_sockets(8);
	TRY(close_range(5, 7, 0));
	show_fds();
	TRY(close_range(5, 7, 0));
	TRY(socket(AF_INET, SOCK_STREAM, 0));

	section("close-on-exec, the rest stays open");
	TRY(close_range(4, 8, CLOSE_RANGE_CLOEXEC));
	TRY(fcntl(3, F_GETFD));
	TRY(fcntl(4, F_GETFD));
	show_fds();

	section("an own table");
	TRY(close_range(9, ~0U, CLOSE_RANGE_UNSHARE));
	show_fds();

	section("all");
	TRY(close_range(3, ~0U, 0));
	show_fds();

	section("refusals");
	TRY(close_range(7, 5, 0));
	TRY(close_range(3, ~0U, 0x1000));

	section("closefrom");
	open_sockets(4);
	closefrom(5);
	show_fds();
	make_pair(pair);
	closefrom(4);
	show_fds();
	closefrom(3);
	show_fds();
	closefrom(0x7fffffff);
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	closefrom(-5); /* all, this output too: the status tells the rest */
	return 40 + socket(AF_INET, SOCK_STREAM, 0) + socket(AF_INET, SOCK_DGRAM, 0);
}
#else
int main(void)
{
	printf("this libc has no such calls\n");
	return 0;
}
#endif
