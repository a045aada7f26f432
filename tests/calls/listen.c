/* SPDX-License-Identifier: MIT */
/* calls: listen */
/* Listening, its refusals, and what a short queue does. */
#include "observe.h"

static void backlog_full(void)
{
	int listener = listening("127.0.0.1", 1), client[3], i;
	struct address to = local_of(listener);

	section("backlog of 1: two connections complete, the third waits");
	for (i = 0; i < 3; i++) {
		client[i] = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		TRY(connect(client[i], AT(to)));
		if (i < 2)
			wait_for(client[i], POLLOUT);
		show_poll("client", client[i]);
	}
	for (i = 0; i < 3; i++)
		MUST(close(client[i]));
	MUST(close(listener));
}

int main(void)
{
	int tcp, udp, six, pair[2];

	begin();
	section("unbound: a port is picked");
	tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	TRY(listen(tcp, 5));
	show_names("listener", tcp);
	TRY(listen(tcp, 50));
	TRY(listen(tcp, 0));
	TRY(listen(tcp, -1));
	MUST(close(tcp));
	six = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	TRY(listen(six, SOMAXCONN));
	show_names("listener", six);
	MUST(close(six));

	section("refusals");
	udp = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	TRY(listen(udp, 1));
	TRY(listen(-1, 1));
	TRY(listen(77, 1));
	TRY(listen(0, 1));
	make_pair(pair);
	TRY(listen(pair[0], 1));
	TRY(listen(pair[1], 1));
	close_pair(pair);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TRY(listen(pair[0], 1));
	close_pair(pair);
	MUST(close(udp));

	backlog_full();
	return end();
}
