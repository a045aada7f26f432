/* SPDX-License-Identifier: MIT */
/* calls: shutdown */
/* Half and whole goodbyes; the fd and the port stay. */
#include "observe.h"

int main(void)
{
	int pair[2], udp, fd;

	begin();
	section("one way, then the other");
	make_pair(pair);
	TRY(shutdown(pair[0], SHUT_WR));
	wait_for(pair[1], POLLIN);
	show_poll("this side", pair[0]);
	show_poll("other side", pair[1]);
	TRY(write(pair[1], "x", 1));
	TRY(shutdown(pair[0], SHUT_RD));
	show_poll("this side", pair[0]);
	TRY(shutdown(pair[1], SHUT_RDWR));
	wait_for(pair[0], POLLHUP);
	show_poll("this side", pair[0]);
	show_names("this side", pair[0]);
	TRY(shutdown(pair[0], SHUT_WR));
	close_pair(pair);

	section("a listener");
	fd = listening("127.0.0.1", 1);
	TRY(shutdown(fd, SHUT_RD));
	show_poll("listener", fd);
	show_names("listener", fd);
	TRY(accept(fd, NULL, NULL));
	TRY(listen(fd, 1));
	show_names("again", fd);
	MUST(close(fd));

	section("refusals");
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	udp = bound("127.0.0.1", SOCK_DGRAM);
	TRY(shutdown(fd, SHUT_RDWR));
	TRY(shutdown(udp, SHUT_RDWR));
	TRY(shutdown(fd, 77));
	TRY(shutdown(-1, SHUT_RD));
	TRY(shutdown(77, 77));
	TRY(shutdown(0, SHUT_RD));
	MUST(close(fd));
	MUST(close(udp));
	return end();
}
