/* SPDX-License-Identifier: MIT */
/* assign.c - a range of few ports, LOW to HIGH, and what the kernel does when it is used
 * up. Bare, each socket is given the range by IP_LOCAL_PORT_RANGE, which is the oracle;
 * under rules, by `assign`. Both must print the same, also where the range of the rules
 * lies outside the host's. */
#include "range.h"

static void close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		MUST(close(fds[i]));
}

/* Different ports, all of the range. */
static void check_ports(const int *fds, int count)
{
	for (int i = 0; i < count; i++) {
		EXPECT(is_in_range(fds[i]));
		for (int j = 0; j < i; j++)
			EXPECT(local_port(fds[i]) != local_port(fds[j]));
	}
}

/* Listeners outside the range: rules are for other ports than theirs. */
static int server(const char *ip)
{
	return listening_at(ip, port_argument(getenv("SERVER")), 64);
}

/* ---- bind(port 0) ---- */

static void fill_bind(const char *ip, int type, int option)
{
	struct address any = address_of(ip, 0), fixed = address_of(ip, high + 1);
	int fds[MOST], one, fd;

	printf("%s, type %d, option %d\n", ip, type, option);
	for (int i = 0; i < n; i++) {
		fds[i] = confined(any.any.sa_family, type);
		if (option)
			MUST(setsockopt(fds[i], SOL_SOCKET, option, &(int){1}, sizeof(int)));
		TRY(bind(fds[i], AT(any)));
	}
	check_ports(fds, n);
	fd = confined(any.any.sa_family, type);
	if (option)
		MUST(setsockopt(fd, SOL_SOCKET, option, &(int){1}, sizeof(int)));
	TRY(bind(fd, AT(any)));
	show_names("exhausted", fd);
	TRY(bind(fd, AT(fixed)));
	TRY(bind(fd, AT(any)));
	one = local_port(fds[1]);
	MUST(close(fds[1]));
	fds[1] = confined(any.any.sa_family, type);
	TRY(bind(fds[1], AT(any)));
	show_same("the port that came back", one, local_port(fds[1]));
	if (option) { /* what was set is as it was */
		socklen_t len = sizeof one;

		MUST(getsockopt(fds[0], SOL_SOCKET, option, &one, &len));
		EXPECT(one == 1);
	}
	MUST(close(fd));
	close_all(fds, n);
}

/* UDP sockets with SO_REUSEADDR may get the same port: the kernel's way. */
static void assign_bind(char **argv)
{
	take_range(argv);
	fill_bind("127.0.0.1", SOCK_STREAM, 0);
	fill_bind("0.0.0.0", SOCK_STREAM, SO_REUSEADDR);
	fill_bind("127.0.0.1", SOCK_STREAM, SO_REUSEPORT);
	fill_bind("127.0.0.1", SOCK_DGRAM, 0);
	fill_bind("::1", SOCK_STREAM, 0);
	fill_bind("::", SOCK_STREAM, SO_REUSEADDR);
	fill_bind("::1", SOCK_DGRAM, 0);
}

/* ---- listen without bind ---- */

static void assign_listen(char **argv)
{
	static const int families[] = {AF_INET, AF_INET6};
	int fds[MOST], fd, one;

	take_range(argv);
	for (int f = 0; f < 2; f++) {
		for (int i = 0; i < n; i++) {
			fds[i] = confined(families[f], SOCK_STREAM);
			TRY(listen(fds[i], 1));
		}
		check_ports(fds, n);
		fd = confined(families[f], SOCK_STREAM);
		TRY(listen(fd, 1));
		show_names("exhausted", fd);
		one = local_port(fds[0]);
		MUST(close(fds[0]));
		TRY(listen(fd, 1));
		show_same("the port that came back", one, local_port(fd));
		MUST(close(fd));
		close_all(fds + 1, n - 1);
	}
}

/* ---- connect ---- */

/* Closed with a reset: no TIME_WAIT. */
static void abort_connection(int fd)
{
	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &((struct linger){1, 0}),
	                sizeof(struct linger)));
	MUST(close(fd));
}

/* n connections to each of two servers; one more fails; the socket goes elsewhere. */
static void fill_connect(const char *ip, const char *other_ip, const char *third_ip)
{
	int listener = server(ip), other = server(other_ip), third = server(third_ip);
	struct address to = local_of(listener), to_other = local_of(other),
	               to_third = local_of(third);
	struct address here = address_of(ip, 0);
	int fds[2 * MOST], fd, late, none;

	for (int i = 0; i < n; i++) {
		fds[i] = confined(to.any.sa_family, SOCK_STREAM);
		TRY(connect(fds[i], AT(to)));
	}
	check_ports(fds, n);
	fd = confined(to.any.sa_family, SOCK_STREAM);
	TRY(connect(fd, AT(to)));
	show_names("exhausted", fd);
	TRY(connect(fd, AT(to)));
	late = confined(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK);
	TRY(connect(late, AT(to)));
	show_names("exhausted, not waiting", late);
	for (int i = n; i < 2 * n; i++) {
		fds[i] = confined(to.any.sa_family, SOCK_STREAM);
		TRY(connect(fds[i], AT(to_other)));
	}
	check_ports(fds + n, n);
	TRY(connect(confined(to.any.sa_family, SOCK_STREAM), AT(to_other)));
	TRY(connect(fd, AT(to_third)));
	EXPECT(is_in_range(fd));
	TRY(connect(late, AT(to_third)));
	wait_for(late, POLLOUT);
	show_pending_error(late);

	section("bind(0) when the ports are connected");
	none = confined(to.any.sa_family, SOCK_STREAM);
	TRY(bind(none, AT(here)));
	TRY(listen(none, 1));
	MUST(close(none));

	section("one is reset: its port is free at once");
	abort_connection(fds[2]);
	fds[2] = confined(to.any.sa_family, SOCK_STREAM);
	TRY(connect(fds[2], AT(to)));
	check_ports(fds, n);

	close_all((int[]){listener, other, third}, 3);
	abort_connection(fd);
	abort_connection(late);
	for (int i = 0; i < 2 * n; i++)
		abort_connection(fds[i]);
}

static void assign_connect(char **argv)
{
	take_range(argv);
	fill_connect("127.0.0.1", "127.0.0.2", "127.0.0.3");
}

static void assign_connect6(char **argv)
{
	int listener, fds[MOST];
	struct address to;

	take_range(argv);
	listener = server("::1");
	to = local_of(listener);
	for (int i = 0; i < n; i++) {
		fds[i] = confined(AF_INET6, SOCK_STREAM);
		TRY(connect(fds[i], AT(to)));
	}
	check_ports(fds, n);
	TRY(connect(confined(AF_INET6, SOCK_STREAM), AT(to)));
	for (int i = 0; i < n; i++)
		abort_connection(fds[i]);
}

/* The client has closed first: TIME_WAIT keeps the tuple, not the port. */
static void time_wait(char **argv)
{
	int listener = server("127.0.0.1"), other = server("127.0.0.2"), fd;
	struct address to = local_of(listener), to_other = local_of(other);

	take_range(argv);
	for (int i = 0; i < n; i++) {
		fd = confined(AF_INET, SOCK_STREAM);
		TRY(connect(fd, AT(to)));
		MUST(close(fd)); /* first, then the server */
		MUST(close((int)MUST(accept(listener, NULL, NULL))));
	}
	fd = confined(AF_INET, SOCK_STREAM);
	TRY(connect(fd, AT(to)));
	for (int i = 0; i < n; i++) {
		fd = confined(AF_INET, SOCK_STREAM);
		TRY(connect(fd, AT(to_other)));
		EXPECT(is_in_range(fd));
	}
}

/* The server has: the port is free. */
static void server_first(char **argv)
{
	int listener = server("127.0.0.1"), fd;
	struct address to = local_of(listener);

	take_range(argv);
	for (int i = 0; i < 4 * n; i++) {
		fd = confined(AF_INET, SOCK_STREAM);
		TRY(connect(fd, AT(to)));
		MUST(close((int)MUST(accept(listener, NULL, NULL))));
		wait_for(fd, POLLIN);
		MUST(close(fd));
	}
}

/* connect when all ports are bound; bind before connect; no port until connect. */
static void bound_first(char **argv)
{
	int listener = server("127.0.0.1"), other = server("127.0.0.2"), fds[2 * MOST], fd;
	struct address to = local_of(listener), to_other = local_of(other);
	struct address any = address_of("127.0.0.1", 0);

	take_range(argv);
	for (int i = 0; i < n; i++) {
		fds[i] = confined(AF_INET, SOCK_STREAM);
		MUST(bind(fds[i], AT(any)));
	}
	section("all are bound");
	fd = confined(AF_INET, SOCK_STREAM);
	TRY(connect(fd, AT(to)));
	TRY(listen(fd, 1));
	show_names("exhausted", fd);
	for (int i = 0; i < n; i++)
		TRY(connect(fds[i], AT(to)));
	TRY(bind(confined(AF_INET, SOCK_STREAM), AT(any)));
	for (int i = 0; i < n; i++)
		abort_connection(fds[i]);

	section("no port until connect");
	for (int i = 0; i < 2 * n; i++) {
		fds[i] = confined(AF_INET, SOCK_STREAM);
		MUST(setsockopt(fds[i], IPPROTO_IP, NO_PORT, &(int){1}, sizeof(int)));
		TRY(bind(fds[i], AT(any)));
		EXPECT(local_port(fds[i]) == 0);
		if (i < n)
			TRY(connect(fds[i], AT(to)));
		else
			TRY(connect(fds[i], AT(to_other)));
	}
	check_ports(fds, n);
	check_ports(fds + n, n);
	fd = confined(AF_INET, SOCK_STREAM);
	MUST(setsockopt(fd, IPPROTO_IP, NO_PORT, &(int){1}, sizeof(int)));
	TRY(bind(fd, AT(any)));
	TRY(connect(fd, AT(to)));
	show_names("exhausted", fd);
	for (int i = 0; i < 2 * n; i++)
		abort_connection(fds[i]);
	TRY(connect(fd, AT(to)));
}

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof value;

	MUST(getsockopt(fd, SOL_SOCKET, option, &value, &len));
	return value;
}

/* A socket that a connect left, or that left its peer, has no port any more. */
static void given_back(char **argv)
{
	int listener = server("127.0.0.1"), nobody = bound("127.0.0.1", SOCK_STREAM), fd, flags;
	struct address to = local_of(listener), gone = local_of(nobody);
	struct address any = address_of("127.0.0.1", 0), nothing = {.len = 2};

	take_range(argv);
	for (flags = 0; flags <= SOCK_NONBLOCK; flags += SOCK_NONBLOCK) {
		section(flags ? "refused later" : "refused");
		fd = confined(AF_INET, SOCK_STREAM | flags);
		TRY(connect(fd, AT(gone)));
		if (flags) {
			wait_for(fd, POLLOUT);
			TRY(connect(fd, AT(gone)));
		}
		show_names("refused", fd);
		printf("SO_REUSEADDR %d\n", option_of(fd, SO_REUSEADDR));
		TRY(bind(fd, AT(any)));
		MUST(close(fd));
	}
	for (int i = 0; i < 3 * n; i++) { /* each gives its port back */
		fd = confined(AF_INET, SOCK_STREAM);
		TRY(connect(fd, AT(gone)));
		TRY(connect(fd, AT(to)));
		EXPECT(is_in_range(fd));
		abort_connection(fd);
	}
	section("dissolved");
	fd = confined(AF_INET, SOCK_STREAM);
	TRY(connect(fd, AT(to)));
	printf("SO_REUSEADDR %d\n", option_of(fd, SO_REUSEADDR));
	TRY(connect(fd, AT(nothing)));
	show_names("dissolved", fd);
	fd = confined(AF_INET, SOCK_DGRAM);
	TRY(connect(fd, AT(to)));
	TRY(connect(fd, AT(nothing)));
	show_names("dissolved", fd);
	TRY(bind(fd, AT(any)));
}

/* ---- UDP takes its port by itself ---- */

static void fill_udp(bool connects, const char *ip)
{
	struct address to = address_of(ip, 9), any = address_of(ip, 0);
	int fds[MOST], fd, tcp;

	printf("%s %s\n", connects ? "connect" : "sendto", ip);
	for (int i = 0; i < n; i++) {
		fds[i] = confined(to.any.sa_family, SOCK_DGRAM);
		if (connects)
			TRY(connect(fds[i], AT(to)));
		else
			TRY(sendto(fds[i], "x", 1, 0, AT(to)));
	}
	check_ports(fds, n);
	fd = confined(to.any.sa_family, SOCK_DGRAM);
	TRY(sendto(fd, "x", 1, 0, AT(to)));
	TRY(connect(fd, AT(to)));
	to.in.sin_port = htons(10);
	TRY(connect(fd, AT(to)));
	show_names("exhausted", fd);
	TRY(bind(fd, AT(any)));
	tcp = confined(to.any.sa_family, SOCK_STREAM);
	TRY(bind(tcp, AT(any)));
	EXPECT(is_in_range(tcp));
	MUST(close(tcp));
	MUST(close(fds[1]));
	TRY(sendto(fd, "x", 1, 0, AT(to)));
	EXPECT(is_in_range(fd));
	fds[1] = fd;
	close_all(fds, n);
}

static void udp(char **argv)
{
	take_range(argv);
	fill_udp(true, "127.0.0.1");
	fill_udp(false, "127.0.0.1");
	fill_udp(true, "::1");
	fill_udp(false, "::1");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"bind", assign_bind},
	        {"listen", assign_listen},
	        {"connect", assign_connect},
	        {"connect6", assign_connect6},
	        {"time-wait", time_wait},
	        {"server-first", server_first},
	        {"bound-first", bound_first},
	        {"given-back", given_back},
	        {"udp", udp},
	        {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
