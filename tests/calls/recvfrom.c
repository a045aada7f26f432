/* SPDX-License-Identifier: MIT */
/* calls: recvfrom __recvfrom_chk */
/* Receiving with the sender's address, also through the fortified name. */
#include "observe.h"

#ifdef __GLIBC__
ssize_t __recvfrom_chk(int fd, void *buf, size_t size, size_t room, int flags,
                       struct sockaddr *addr, socklen_t *len);
#endif

static void udp(const char *ip)
{
	int sink = bound(ip, SOCK_DGRAM), fd;
	struct address to = local_of(sink), from = EMPTY_ADDRESS;
	char buf[16];
	int i;

	section(ip);
	fd = (int)MUST(socket(to.any.sa_family, SOCK_DGRAM, 0));
	for (i = 0; i < 8; i++)
		MUST(sendto(fd, "hello", 5, 0, AT(to)));
	TRY(recvfrom(sink, buf, sizeof buf, 0, INTO(from)));
	show_address("from", &from);
	show_same("peer's port", port_of(&from), local_port(fd));
	TRY(recvfrom(sink, buf, 2, MSG_TRUNC, NULL, NULL));
	TRY(recvfrom(sink, buf, sizeof buf, MSG_PEEK, INTO(from)));
	from.len = 3;
	TRY(recvfrom(sink, buf, sizeof buf, 0, INTO(from)));
	show_address("short room", &from);
	TRY(recvfrom(sink, nowhere(), 5, 0, NULL, NULL));
	from = EMPTY_ADDRESS;
	TRY(recvfrom(sink, buf, sizeof buf, 0, nowhere(), &from.len));
	TRY(recvfrom(sink, buf, sizeof buf, 0, &from.any, nowhere()));
	TRY(recv(sink, buf, sizeof buf, 0));
#ifdef __GLIBC__
	from = EMPTY_ADDRESS;
	TRY(__recvfrom_chk(sink, buf, sizeof buf, sizeof buf, 0, INTO(from)));
	show_address("from", &from);
	TRY(__recvfrom_chk(-1, buf, sizeof buf, sizeof buf, 0, INTO(from)));
#endif
	MUST(fcntl(sink, F_SETFL, O_NONBLOCK));
	while (recv(sink, buf, sizeof buf, 0) >= 0)
		;
	TRY(recvfrom(sink, buf, sizeof buf, 0, INTO(from)));
	MUST(close(fd));
	MUST(close(sink));
}

int main(void)
{
	struct address from = EMPTY_ADDRESS;
	int pair[2], fd;
	char buf[16];

	begin();
	udp("127.0.0.1");
	udp("::1");

	section("tcp");
	make_pair(pair);
	MUST(write(pair[0], "hello", 5));
	wait_for(pair[1], POLLIN);
	TRY(recvfrom(pair[1], buf, 5, MSG_WAITALL, INTO(from)));
	printf("%d bytes of address\n", (int)from.len);
	MUST(close(pair[0]));
	wait_for(pair[1], POLLIN);
	TRY(recvfrom(pair[1], buf, 5, 0, NULL, NULL));
	MUST(close(pair[1]));

	section("refusals");
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	TRY(recvfrom(fd, buf, 5, 0, NULL, NULL));
	TRY(recvfrom(-1, buf, 5, 0, NULL, NULL));
	TRY(recvfrom(0, buf, 5, 0, NULL, NULL));
	fd = listening("127.0.0.1", 1);
	TRY(recvfrom(fd, buf, 5, 0, NULL, NULL));
	return end();
}
