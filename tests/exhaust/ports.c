/* SPDX-License-Identifier: MIT */
/* ports.c - connections, and the ports that they take. See ports.h. */
#include "ports.h"

static void fill(int *fds, const struct address *address)
{
	for (int i = 0; i < N; i++) {
		fds[i] = tcp();
		TRY(reach(fds[i], address));
	}
	show_ports(fds, N);
}

static void tuples(char **argv)
{
	struct address local = here(0), wild = anywhere(0);
	int fds[2 * N], fd, none, one;

	(void)argv;
	serve();
	fill(fds, &to[0]);
	section("one more");
	fd = tcp();
	TRY(reach(fd, &to[0]));
	show_port(fd);
	TRY(reach(fd, &to[0]));
	section("a second destination");
	fill(fds + N, &to[1]);
	TRY(reach(fd, &to[1]));
	section("a third: the socket that failed is as good as new");
	TRY(reach(fd, &to[2]));
	show_port(fd);
	section("the ports are connected, none is bound");
	none = with(tcp(), SOL_SOCKET, SO_REUSEADDR);
	TRY(bind(none, AT(local)));
	TRY(bind(none, AT(wild)));
	TRY(listen(none, 1));
	show_port(none);
	MUST(close(none));
	none = tcp();
	TRY(bind(none, AT(local)));
	local = here(fixed(0));
	TRY(bind(none, AT(local)));
	section("one is reset");
	one = port(fds[1]);
	reset(fds[1]);
	fds[1] = tcp();
	TRY(reach(fds[1], &to[0]));
	printf("on the %s port\n", port(fds[1]) == one ? "same" : "another");
	TRY(reach(tcp(), &to[0]));
}

/* The client closes first, then the server. */
static void close_first(int fd)
{
	int peer = (int)MUST(accept(server[0], NULL, NULL));

	MUST(close(fd));
	MUST(close(peer));
}

static void time_wait(char **argv)
{
	struct address local = here(0);
	int fds[N], fd;

	(void)argv;
	serve();
	fill(fds, &to[0]);
	for (int i = 0; i < N; i++)
		close_first(fds[i]);
	section("at once");
	fd = tcp();
	TRY(reach(fd, &to[0]));
	show_port(fd);
	TRY(bind(fd, AT(local)));
	section("elsewhere");
	for (int i = 0; i < N; i++) {
		fds[i] = tcp();
		TRY(reach(fds[i], &to[1]));
	}
	show_ports(fds, N);
	TRY(reach(tcp(), &to[1]));
	section("after a second");
	usleep(1300 * 1000);
	for (int i = 0; i < N; i++) {
		fds[i] = tcp();
		TRY(reach(fds[i], &to[0]));
	}
	show_ports(fds, N);
	TRY(reach(tcp(), &to[0]));
}

static void server_first(char **argv)
{
	int fds[N], peer;

	(void)argv;
	serve();
	for (int turn = 0; turn < 3; turn++) {
		fill(fds, &to[0]);
		TRY(reach(tcp(), &to[0]));
		for (int i = 0; i < N; i++) {
			peer = (int)MUST(accept(server[0], NULL, NULL));
			MUST(close(peer));
		}
		for (int i = 0; i < N; i++) {
			poll(&(struct pollfd){.fd = fds[i], .events = POLLIN}, 1, PATIENCE_MS);
			MUST(close(fds[i]));
		}
	}
}

/* connect where bind(0) has taken all ports. */
static void all_bound(char **argv)
{
	static const int options[] = {0, SO_REUSEADDR};
	struct address local = here(0);
	int fds[N], fd;

	(void)argv;
	serve();
	for (int o = 0; o < 2; o++) {
		printf("option %d\n", options[o]);
		for (int i = 0; i < N; i++) {
			fds[i] = with(tcp(), SOL_SOCKET, options[o]);
			TRY(bind(fds[i], AT(local)));
		}
		fd = with(tcp(), SOL_SOCKET, options[o]);
		TRY(reach(fd, &to[0]));
		show_port(fd);
		TRY(bind(fd, AT(local)));
		section("and connected");
		for (int i = 0; i < N; i++)
			TRY(reach(fds[i], &to[i % 2]));
		TRY(reach(fd, &to[2]));
		TRY(bind(fd, AT(local)));
		reset_all(fds, N);
		TRY(reach(fd, &to[2]));
		reset(fd);
	}
}

/* bind takes none, connect does. */
static void no_port(char **argv)
{
	struct address local = here(0);
	int fds[2 * N], fd;

	(void)argv;
	serve();
	for (int i = 0; i < 2 * N; i++) {
		fds[i] = with(tcp(), IPPROTO_IP, NO_PORT);
		TRY(bind(fds[i], AT(local)));
		show_port(fds[i]);
		TRY(reach(fds[i], &to[i / N]));
	}
	show_ports(fds, N);
	show_ports(fds + N, N);
	fd = with(tcp(), IPPROTO_IP, NO_PORT);
	TRY(bind(fd, AT(local)));
	TRY(reach(fd, &to[0]));
	show_port(fd);
	TRY(reach(fd, &to[2]));
	reset(fds[0]);
	fds[0] = with(tcp(), IPPROTO_IP, NO_PORT);
	TRY(bind(fds[0], AT(local)));
	TRY(reach(fds[0], &to[0]));
}

/* IPv6 sockets that connect to IPv4 addresses share the tuples of IPv4's; those of ::1 have their
 * own. */
static void mixed(char **argv)
{
	struct address v4 = address_of("127.0.0.1", fixed(0)), six = address_of("::1", fixed(0));
	struct address mapped = address_of("::ffff:127.0.0.1", fixed(0));
	int fds[N], listener = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), fd;

	(void)argv;
	MUST(bind(listener, AT(v4)));
	MUST(listen(listener, 64));
	listener = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	MUST(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)));
	MUST(bind(listener, AT(six)));
	MUST(listen(listener, 64));
	for (int i = 0; i < N; i++) {
		fds[i] = (int)MUST(socket(i % 2 ? AF_INET6 : AF_INET, SOCK_STREAM, 0));
		if (i % 2)
			TRY(reach(fds[i], &mapped));
		else
			TRY(reach(fds[i], &v4));
	}
	show_ports(fds, N);
	fd = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	TRY(reach(fd, &mapped));
	TRY(reach((int)MUST(socket(AF_INET, SOCK_STREAM, 0)), &v4));
	for (int i = 0; i < N - 1; i++)
		TRY(reach((int)MUST(socket(AF_INET6, SOCK_STREAM, 0)), &six));
	TRY(reach(fd, &six));
	fd = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	TRY(reach(fd, &six));
	reset(fds[1]);
	TRY(reach(fd, &mapped));
	section("UDP");
	for (int i = 0; i < N; i++) {
		fds[i] = (int)MUST(socket(i % 2 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0));
		if (i % 2)
			TRY(connect(fds[i], AT(mapped)));
		else
			TRY(connect(fds[i], AT(v4)));
	}
	fd = (int)MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	TRY(connect(fd, AT(mapped)));
	TRY(connect(fd, AT(v4)));
}

/* sendto that connects. */
static void fast_open(char **argv)
{
	int fds[N], fd;

	(void)argv;
	serve();
	for (int i = 0; i < N; i++) {
		fds[i] = tcp();
		sendto(fds[i], "x", 1, MSG_FASTOPEN, AT(to[0]));
		poll(&(struct pollfd){.fd = fds[i], .events = POLLOUT}, 1, PATIENCE_MS);
		show_port(fds[i]);
	}
	show_ports(fds, N);
	fd = tcp();
	TRY(sendto(fd, "x", 1, MSG_FASTOPEN, AT(to[0])));
	show_port(fd);
	reset(fds[0]);
	fds[0] = tcp();
	MUST(setsockopt(fds[0], IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){1}, sizeof(int)));
	TRY(reach(fds[0], &to[0]));
	show_port(fds[0]);
	fd = tcp();
	MUST(setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &(int){1}, sizeof(int)));
	TRY(reach(fd, &to[0]));
}

/* What the kernel says before it looks for a port. */
static void order(char **argv)
{
	struct address unspec = {.len = sizeof unspec.in}, foreign = here(0);
	int fds[N], fd = tcp();

	(void)argv;
	serve();
	fill(fds, &to[0]);
	TRY(connect(fd, &to[0].any, 3));
	TRY_UNREADABLE(connect(fd, NULL, to[0].len));
	TRY(connect(-1, AT(to[0])));
	TRY(connect(0, AT(to[0])));
	TRY(connect(fd, AT(unspec)));
	TRY(bind(fd, &to[0].any, 3));
	foreign = address_of(is_v6() ? "2001:db8::1" : "192.0.2.1", 0);
	TRY(bind(fd, AT(foreign)));
	TRY(reach(fds[0], &to[0]));
	TRY(listen(fds[0], 1));
	TRY(listen(udp(), 1));
	TRY(bind(fds[0], AT(foreign)));
	TRY(reach(fd, &to[0]));
	show_port(fd);
}

/* What a connection leaves when it fails, or is dissolved. */
static void left(char **argv)
{
	struct address gone = here(fixed(0)), unspec = {.len = sizeof unspec.in}, local = here(0);
	int fds[N], fd, value = -1;
	socklen_t len = sizeof value;

	(void)argv;
	serve();
	section("refused");
	for (int i = 0; i < N; i++) {
		fds[i] = tcp();
		TRY(reach(fds[i], &gone));
	}
	fd = tcp();
	TRY(reach(fd, &to[0]));
	reset(fd);
	fd = tcp();
	TRY(bind(fd, AT(local)));
	MUST(close(fd));
	TRY(reach(fds[0], &to[0]));
	close_all(fds, N);
	section("dissolved");
	fd = tcp();
	TRY(reach(fd, &to[0]));
	TRY(connect(fd, AT(unspec)));
	show_port(fd);
	MUST(close(fd));
	fd = udp();
	TRY(connect(fd, AT(gone)));
	TRY(connect(fd, AT(unspec)));
	show_port(fd);
	MUST(close(fd));
	section("connected");
	fd = tcp();
	TRY(reach(fd, &to[0]));
	MUST(getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, &len));
	printf("SO_REUSEPORT %d\n", value);
}

/* connect where bind(0) has taken all ports, with SO_REUSEPORT. */
static void shared(char **argv)
{
	struct address local = here(0);
	int fd;

	(void)argv;
	serve();
	for (int i = 0; i < N; i++)
		MUST(bind(with(tcp(), SOL_SOCKET, SO_REUSEPORT), AT(local)));
	fd = tcp();
	TRY(reach(fd, &to[0]));
}

/* A client that opens and closes, one connection after the other. */
static void churn(char **argv)
{
	int fd, i = 0;

	(void)argv;
	serve();
	do {
		fd = tcp();
		if (reach(fd, &to[0]) != 0)
			break;
		close_first(fd);
	} while (++i <= 2 * N);
	printf("%d connections, then %s; none is open\n", i, error_name(errno));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"tuples", tuples},   {"time-wait", time_wait}, {"server-first", server_first},
	        {"bound", all_bound}, {"no-port", no_port},     {"order", order},
	        {"mixed", mixed},     {"fast-open", fast_open}, {"left", left},
	        {"shared", shared},   {"churn", churn},         {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
