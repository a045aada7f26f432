/* SPDX-License-Identifier: MIT */
/* calls: send sendto */
/* The first packet takes a local port; TCP's fast open connects. */
#include "observe.h"

static void udp(const char *ip)
{
	int one = bound(ip, SOCK_DGRAM), two = bound(ip, SOCK_DGRAM), fd;
	struct address to = local_of(one), next = local_of(two), from = EMPTY_ADDRESS;
	char buf[16];
	int port;

	section(ip);
	fd = (int)MUST(socket(to.any.sa_family, SOCK_DGRAM, 0));
	show_names("fresh", fd);
	TRY(sendto(fd, "abc", 3, 0, AT(to)));
	show_names("after the first packet", fd);
	port = local_port(fd);
	TRY(sendto(fd, "", 0, 0, AT(next)));
	TRY(sendto(fd, "abcd", 4, MSG_DONTWAIT | MSG_NOSIGNAL, AT(to)));
	show_same("port", port, local_port(fd));
	MUST(recvfrom(one, buf, sizeof buf, 0, INTO(from)));
	show_same("peer's port", port, port_of(&from));
	TRY(send(fd, "x", 1, 0));
	TRY(connect(fd, AT(next)));
	TRY(send(fd, "x", 1, 0));
	TRY(sendto(fd, "x", 1, 0, NULL, 0));
	TRY(sendto(fd, "x", 1, 0, AT(to)));
	show_names("connected", fd);
	MUST(close(fd));
	MUST(close(one));
	MUST(close(two));
}

static void refusals(void)
{
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), sink = bound("127.0.0.1", SOCK_DGRAM);
	struct address to = local_of(sink), to6 = address_of("::1", 9);

	section("refusals");
	TRY(sendto(-1, "x", 1, 0, AT(to)));
	TRY(sendto(0, "x", 1, 0, AT(to)));
	TRY(sendto(fd, "x", 1, 0, NULL, 0));
	TRY(sendto(fd, "x", 1, 0, NULL, to.len));
	TRY(sendto(fd, "x", 1, 0, nowhere(), to.len));
	TRY(sendto(fd, "x", 1, 0, at_the_edge(8), to.len));
	TRY(sendto(fd, "x", 1, 0, &to.any, 8));
	TRY(sendto(fd, "x", 1, 0, &to.any, (socklen_t)-1));
	TRY(sendto(fd, nowhere(), 1, 0, AT(to)));
	TRY(sendto(fd, "x", 1, 0, AT(to6)));
	to.in.sin_port = 0;
	TRY(sendto(fd, "x", 1, 0, AT(to)));
	to.any.sa_family = 12345;
	TRY(sendto(fd, "x", 1, 0, AT(to)));
	TRY(send(fd, "x", 1, 0));
	TRY(send(-1, "x", 1, 0));
	TRY(send(0, "x", 1, 0));
	show_names("after all that", fd);
	MUST(close(fd));
	MUST(close(sink));
}

static void tcp(void)
{
	struct sockaddr_un unix_addr = {AF_UNIX, "/nowhere"};
	int pair[2], fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), listener;
	struct address to;
	char buf[8];

	section("tcp");
	make_pair(pair);
	to = local_of(pair[1]);
	TRY(send(pair[0], "hello", 5, 0));
	TRY(sendto(pair[0], "x", 1, 0, AT(to)));
	TRY(sendto(pair[0], "x", 1, 0, nowhere(), 16));
	wait_for(pair[1], POLLIN);
	TRY(recv(pair[1], buf, 5, MSG_WAITALL));
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	TRY(sendto(fd, "x", 1, MSG_NOSIGNAL, AT(to)));
	MUST(shutdown(pair[0], SHUT_WR));
	TRY(send(pair[0], "x", 1, MSG_NOSIGNAL));
	close_pair(pair);

	section("fast open");
	listener = listening("127.0.0.1", 4);
	to = local_of(listener);
	TRY(sendto(fd, "hello", 5, MSG_FASTOPEN, AT(to)));
	show_names("connected", fd);
	TRY(sendto(fd, "hello", 5, MSG_FASTOPEN, AT(to)));
	MUST(close(fd));
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	TRY(sendto(fd, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&unix_addr, sizeof(unix_addr)));
	MUST(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){1}, sizeof(int)));
	TRY(connect(fd, AT(to)));
	TRY(send(fd, "hello", 5, 0));
	show_names("connected by send", fd);
	MUST(close(fd));
	MUST(close(listener));
}

int main(void)
{
	begin();
	udp("127.0.0.1");
	udp("::1");
	refusals();
	tcp();
	return end();
}
