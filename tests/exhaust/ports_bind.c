/* SPDX-License-Identifier: MIT */
/* ports_bind.c - ports that bind, listen and UDP take. See ports.h. */
#include "ports.h"

static const int options[] = {0, SO_REUSEADDR, SO_REUSEPORT};

static void fill_bind(int type, int option, struct address local)
{
	struct address own = here(fixed(0));
	int fds[N], fd, one;

	printf("type %d, option %d\n", type, option);
	for (int i = 0; i < N; i++) {
		fds[i] = with(made(type), SOL_SOCKET, option);
		TRY(bind(fds[i], AT(local)));
	}
	fd = with(made(type), SOL_SOCKET, option);
	if (type == SOCK_DGRAM && option) { /* these share ports, for ever */
		TRY(bind(fd, AT(local)));
		MUST(close(fd));
		close_all(fds, N);
		return;
	}
	show_ports(fds, N);
	TRY(bind(fd, AT(local)));
	show_port(fd);
	TRY(bind(fd, AT(own)));
	TRY(bind(fd, AT(local)));
	MUST(close(fd));
	one = port(fds[2]);
	MUST(close(fds[2]));
	fds[2] = with(made(type), SOL_SOCKET, option);
	TRY(bind(fds[2], AT(local)));
	printf("on the %s port\n", port(fds[2]) == one ? "same" : "another");
	fd = made(type == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM);
	TRY(bind(fd, AT(local)));
	MUST(close(fd));
	close_all(fds, N);
}

static void exhausted(char **argv)
{
	(void)argv;
	for (int o = 0; o < 3; o++) {
		fill_bind(SOCK_STREAM, options[o], here(0));
		fill_bind(SOCK_STREAM, options[o], anywhere(0));
		fill_bind(SOCK_DGRAM, options[o], here(0));
		fill_bind(SOCK_DGRAM, options[o], anywhere(0));
	}
}

static void all_listen(char **argv)
{
	struct address local = here(0), own = here(fixed(0));
	int fds[N], fd;

	(void)argv;
	for (int o = 0; o < 2; o++) {
		printf("option %d\n", options[o]);
		for (int i = 0; i < N; i++) {
			fds[i] = with(tcp(), SOL_SOCKET, options[o]);
			TRY(listen(fds[i], 1));
		}
		show_ports(fds, N);
		fd = with(tcp(), SOL_SOCKET, options[o]);
		TRY(listen(fd, 1));
		show_port(fd);
		TRY(bind(fd, AT(local)));
		MUST(close(fds[0]));
		TRY(listen(fd, 1));
		TRY(listen(fd, 2));
		MUST(close(fd));
		fds[0] = with(tcp(), SOL_SOCKET, options[o]);
		TRY(bind(fds[0], AT(own)));
		TRY(listen(fds[0], 1));
		close_all(fds, N);
	}
}

static void first_packet(bool connects)
{
	struct address peer = here(9), other = here(10), local = here(0);
	int fds[N], fd;

	section(connects ? "connect" : "sendto");
	for (int i = 0; i < N; i++) {
		fds[i] = udp();
		if (connects)
			TRY(connect(fds[i], AT(peer)));
		else
			TRY(sendto(fds[i], "x", 1, 0, AT(peer)));
	}
	show_ports(fds, N);
	fd = udp();
	TRY(connect(fd, AT(peer)));
	TRY(connect(fd, AT(other)));
	TRY(sendto(fd, "x", 1, 0, AT(other)));
	TRY(send(fd, "x", 1, 0));
	show_port(fd);
	TRY(bind(fd, AT(local)));
	MUST(close(fds[1]));
	TRY(send(fd, "x", 1, 0));
	show_port(fd);
	TRY(sendto(fd, "x", 1, 0, AT(peer)));
	fds[1] = tcp();
	TRY(bind(fds[1], AT(local)));
	MUST(close(fd));
	close_all(fds, N);
}

static void datagrams(char **argv)
{
	(void)argv;
	first_packet(true);
	first_packet(false);
}

/* Two sockets and one port, that the first has from the range. */
static void pair_of(int type, int option, bool listens, struct address (*second)(int))
{
	int one = with(made(type), SOL_SOCKET, option);
	int two = with(made(type), SOL_SOCKET, option);
	struct address local = here(0);

	printf("type %d, option %d, listening %d\n", type, option, listens);
	TRY(bind(one, AT(local)));
	if (listens)
		TRY(listen(one, 1));
	local = second(port(one));
	TRY(bind(two, AT(local)));
	if (type == SOCK_STREAM) {
		TRY(listen(one, 1));
		TRY(listen(two, 1));
	}
	MUST(close(one));
	MUST(close(two));
}

static void binding(char **argv)
{
	struct address v4 = address_of("0.0.0.0", 0), v6 = address_of("::", 0);
	int one, two;

	(void)argv;
	for (int o = 0; o < 3; o++) {
		pair_of(SOCK_STREAM, options[o], false, here);
		pair_of(SOCK_STREAM, options[o], false, anywhere);
		pair_of(SOCK_STREAM, options[o], true, here);
		pair_of(SOCK_STREAM, options[o], true, anywhere);
		pair_of(SOCK_DGRAM, options[o], false, here);
		pair_of(SOCK_DGRAM, options[o], false, anywhere);
	}
	for (int only = 0; only < 2; only++) {
		printf("two families, IPV6_V6ONLY %d\n", only);
		one = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
		two = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
		MUST(setsockopt(one, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only));
		TRY(bind(one, AT(v6)));
		v4.in.sin_port = htons((uint16_t)port(one));
		TRY(bind(two, AT(v4)));
		MUST(close(one));
		MUST(close(two));
	}
}

/* ---- a range of the program's own ---- */

static void show_bound(const char *name, uint32_t bound, uint32_t low)
{
	if (bound >= low && bound < low + N)
		printf(" %s: low + %u", name, bound - low);
	else
		printf(" %s: %u", name, bound);
}

static void show_range(int fd, uint32_t low)
{
	uint32_t range = 0;
	socklen_t len = sizeof range;

	TRY(getsockopt(fd, IPPROTO_IP, PORT_RANGE, &range, &len));
	show_bound("from", range & 0xffff, low);
	show_bound("to", range >> 16, low);
	printf("\n");
}

static void count_ports(uint32_t range, uint32_t low)
{
	struct address local = here(0);
	int fds[N + 1], count = 0;

	do {
		fds[count] = tcp();
		TRY(setsockopt(fds[count], IPPROTO_IP, PORT_RANGE, &range, sizeof range));
	} while (bind(fds[count], AT(local)) == 0 && ++count <= N);
	printf("%d ports, then %s\n", count, error_name(errno));
	show_ports(fds, count);
	show_range(fds[count], low);
	close_all(fds, count + 1);
}

static void own_range(char **argv)
{
	struct address local = here(0);
	uint32_t low = 65535, range = 1 | 2 << 16;
	int fds[N], fd;

	(void)argv;
	for (int i = 0; i < N; i++) {
		fds[i] = tcp();
		MUST(bind(fds[i], AT(local)));
		low = (uint32_t)port(fds[i]) < low ? (uint32_t)port(fds[i]) : low;
	}
	close_all(fds, N);
	section("none");
	fd = tcp();
	show_range(fd, low);
	section("inside");
	count_ports((low + 2) << 16 | (low + 1), low);
	section("one bound outside");
	count_ports(65535u << 16 | (low + 2), low);
	count_ports((low + 1) << 16 | 1, low);
	section("outside");
	count_ports(65535u << 16 | 1, low);
	section("one bound alone");
	count_ports(low + 3, low);
	section("wrong");
	range = low << 16 | (low + 1);
	TRY(setsockopt(fd, IPPROTO_IP, PORT_RANGE, &range, sizeof range));
	TRY(setsockopt(fd, IPPROTO_IP, PORT_RANGE, &range, 2));
	TRY_UNREADABLE(setsockopt(fd, IPPROTO_IP, PORT_RANGE, NULL, sizeof range));
	show_range(fd, low);
	section("taken back");
	range = (low + 1) << 16 | (low + 1);
	TRY(setsockopt(fd, IPPROTO_IP, PORT_RANGE, &range, sizeof range));
	show_range(dup(fd), low);
	count_ports(0, low);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"exhausted", exhausted}, {"listening", all_listen}, {"datagrams", datagrams},
	        {"binding", binding},     {"own-range", own_range},  {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
