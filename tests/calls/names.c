/* SPDX-License-Identifier: MIT */
/* calls: getsockname getpeername */
/* Both names of sockets in every state, and into every kind of room. */
#include "observe.h"

typedef int name_call(int fd, struct sockaddr *restrict addr, socklen_t *restrict len);

static void into(const char *label, name_call *get, int fd)
{
	struct address a = EMPTY_ADDRESS;
	socklen_t *edge = at_the_edge(sizeof *edge);

	section(label);
	TRY(get(fd, INTO(a)));
	show_address("full room", &a);
	a = EMPTY_ADDRESS;
	a.len = 5;
	TRY(get(fd, INTO(a)));
	show_address("short room", &a);
	a.len = 0;
	TRY(get(fd, INTO(a)));
	printf("no room: %d bytes\n", (int)a.len);
	*edge = sizeof a.in;
	TRY(get(fd, at_the_edge(sizeof a.in), edge));
	printf("at the end of a page: %d bytes\n", (int)*edge);
	a.len = (socklen_t)-1;
	TRY(get(fd, INTO(a)));
	a = EMPTY_ADDRESS;
	TRY(get(fd, nowhere(), &a.len));
	TRY(get(fd, NULL, &a.len));
	TRY_UNREADABLE(get(fd, &a.any, NULL));
	TRY_UNREADABLE(get(fd, &a.any, nowhere()));
	TRY(get(-1, INTO(a)));
	TRY(get(77, NULL, NULL));
	TRY(get(0, INTO(a)));
}

int main(void)
{
	int tcp, udp, pair[2], un[2];

	begin();
	make_pair(pair);
	into("getsockname", getsockname, pair[0]);
	into("getpeername", getpeername, pair[0]);

	section("states");
	tcp = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	udp = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	show_names("fresh tcp", tcp);
	show_names("fresh udp", udp);
	show_same("ports of a pair", local_port(pair[0]), peer_port(pair[1]));
	MUST(close(pair[1]));
	wait_for(pair[0], POLLIN);
	show_names("peer closed", pair[0]);
	MUST(write(pair[0], "x", 1));
	wait_for(pair[0], POLLHUP);
	show_names("reset", pair[0]);
	show_pending_error(pair[0]);
	MUST(close(pair[0]));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, un));
	show_names("unix pair", un[0]);
	close_pair(un);
	MUST(close(tcp));
	MUST(close(udp));
	return end();
}
