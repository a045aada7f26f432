/* SPDX-License-Identifier: MIT */
/* calls: setsockopt getsockopt */
/* Options that touch how ports are given out, and refusals. */
#include "observe.h"

static void show_option(const char *label, int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof value;
	int rc = getsockopt(fd, level, option, &value, &len);

	printf("%s: %d, %d in %d bytes\n", label, rc, value, (int)len);
}

int main(void)
{
	int tcp, tcp6, one = 1;
	unsigned port_range = 40010u << 16 | 40000u;

	begin();
	tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	tcp6 = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	section("set and read");
	TRY(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
	show_option("SO_REUSEADDR", tcp, SOL_SOCKET, SO_REUSEADDR);
	TRY(setsockopt(tcp, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one));
	show_option("SO_REUSEPORT", tcp, SOL_SOCKET, SO_REUSEPORT);
	TRY(setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
	show_option("TCP_NODELAY", tcp, IPPROTO_TCP, TCP_NODELAY);
	TRY(setsockopt(tcp, IPPROTO_IP, 24, &one, sizeof one));
	show_option("IP_BIND_ADDRESS_NO_PORT", tcp, IPPROTO_IP, 24);
	TRY(setsockopt(tcp6, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one));
	show_option("IPV6_V6ONLY", tcp6, IPPROTO_IPV6, IPV6_V6ONLY);
	TRY(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)));
	TRY(setsockopt(tcp, IPPROTO_IP, 51, &port_range, sizeof port_range));
	show_option("IP_LOCAL_PORT_RANGE", tcp, IPPROTO_IP, 51);

	section("getsockopt: short room, refusals");
	socklen_t len = 2;
	int value = 0x55555555;

	TRY(getsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &value, &len));
	printf("%x in %d bytes\n", (unsigned)value, (int)len);
	TRY(getsockopt(tcp, SOL_SOCKET, SO_TYPE, nowhere(), &len));
	TRY(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, nowhere()));
	len = (socklen_t)-1;
	TRY(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, &len));
	len = sizeof value;
	TRY(getsockopt(tcp, 12345, 1, &value, &len));
	TRY(getsockopt(-1, SOL_SOCKET, SO_TYPE, &value, &len));
	TRY(getsockopt(0, SOL_SOCKET, SO_TYPE, &value, &len));
	show_pending_error(tcp);

	section("refusals");
	TRY(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, 1));
	TRY(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, NULL, sizeof one));
	TRY(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, nowhere(), sizeof one));
	TRY(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, (socklen_t)-1));
	TRY(setsockopt(tcp, SOL_SOCKET, 12345, &one, sizeof one));
	TRY(setsockopt(tcp, 12345, SO_REUSEADDR, &one, sizeof one));
	TRY(setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
	TRY(setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
	MUST(close(tcp));
	MUST(close(tcp6));
	return end();
}
