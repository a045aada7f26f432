/* SPDX-License-Identifier: MIT */
/* calls: socketpair */
/* Two fds at once, or none. */
#include "observe.h"

int main(void)
{
	int pair[2] = {-7, -7}, last;

	begin();
	section("kinds");
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	printf("%d %d\n", pair[0], pair[1]);
	TRY(write(pair[0], "x", 1));
	show_poll("other end", pair[1]);
	show_names("first", pair[0]);
	TRY(close(pair[0]));
	show_poll("other end alone", pair[1]);
	TRY(close(pair[1]));
	TRY(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair));
	TRY(fcntl(pair[0], F_GETFD));
	TRY(fcntl(pair[1], F_GETFL));
	close_pair(pair);

	section("refusals");
	pair[0] = pair[1] = -7;
	TRY(socketpair(AF_INET, SOCK_STREAM, 0, pair));
	TRY(socketpair(12345, SOCK_STREAM, 0, pair));
	TRY(socketpair(AF_UNIX, 77, 0, pair));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 12345, pair));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere()));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, at_the_edge(sizeof(int))));
	printf("%d %d\n", pair[0], pair[1]);
	show_fds();

	section("one fd left");
	last = fill_fds(16);
	TRY(close(last));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	printf("%d %d\n", pair[0], pair[1]);
	TRY(dup(0));
	return end();
}
