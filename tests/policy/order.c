/* SPDX-License-Identifier: MIT */
/* order.c - what the kernel says before any rule, call by call. Rules deny everything
 * but 127.0.0.2, from where what is needed is made. */
#include "policy.h"

static struct address other(void)
{
	return address_of("127.0.0.1", 9);
}

typedef int call_with(int fd, const struct sockaddr *addr, socklen_t len);

static int send_to(int fd, const struct sockaddr *addr, socklen_t len)
{
	return (int)sendto(fd, "x", 1, 0, addr, len);
}

/* What is wrong with the descriptor or the address, for any call that takes both. */
static void wrong(const char *name, call_with *call, int fd)
{
	struct address a = other(), a6 = address_of("::1", 9);

	section(name);
	TRY(call(-1, AT(a)));
	TRY(call(77, AT(a)));
	TRY(call(-1, NULL, a.len));
	TRY(call(0, AT(a)));
	TRY(call(0, NULL, 0));
	TRY(call(fd, &a.any, 1));
	TRY(call(fd, &a.any, 2));
	TRY(call(fd, &a.any, sizeof a.in - 1));
	TRY(call(fd, &a.any, (socklen_t)-1));
	TRY(call(fd, &a.any, 129));
	TRY(call(fd, NULL, a.len));
	TRY(call(fd, nowhere(), a.len));
	TRY(call(fd, at_the_edge(8), a.len));
	TRY(call(fd, AT(a6)));
	a.any.sa_family = 12345;
	TRY(call(fd, AT(a)));
	a.any.sa_family = AF_UNIX;
	TRY(call(fd, AT(a)));
}

static void order_bind(char **argv)
{
	struct address a = other(), a6 = address_of("::1", 9);
	int tcp = tcp_socket(AF_INET), udp = udp_socket(AF_INET), tcp6 = tcp_socket(AF_INET6);

	(void)argv;
	a.in.sin_port = a6.in6.sin6_port = 0;
	wrong("bind, tcp", bind, tcp);
	TRY(bind(tcp, &a.any, 0));
	wrong("bind, udp", bind, udp);
	TRY(bind(tcp6, AT(a)));
	TRY(bind(tcp6, &a6.any, 23));
	a.any.sa_family = AF_UNSPEC;
	TRY(bind(tcp, AT(a)));
	TRY(bind(tcp6, AT(a)));
	a.in.sin_addr.s_addr = INADDR_ANY;
	DENY(bind(tcp, AT(a)));
	DENY(bind(udp, AT(a)));
	DENY(bind(tcp6, &a6.any, 24)); /* before scopes were thought of */
	show_names("a socket denied is as new", is_ruled() ? tcp : tcp_socket(AF_INET));
}

static void order_connect(char **argv)
{
	int listener = listening_at("127.0.0.2", 0, 0), tcp = tcp_socket(AF_INET), fd, udp;
	struct address to = local_of(listener), a = other(), gone;

	(void)argv;
	wrong("connect, tcp", connect, tcp);
	TRY(connect(tcp, &a.any, 0));
	udp = udp_socket(AF_INET);
	wrong("connect, udp", connect, udp);
	TRY(connect(tcp_socket(AF_INET6), AT(a)));

	section("a listener, and one that is connected");
	TRY(connect(listener, AT(a)));
	fd = connected_from("127.0.0.2", to, SOCK_STREAM); /* the backlog is full now */
	TRY(connect(fd, AT(a)));
	TRY(connect(fd, &a.any, 1));
	TRY(connect(fd, NULL, a.len));
	a.any.sa_family = AF_INET6;
	TRY(connect(fd, AT(a)));
	a.any.sa_family = AF_INET;

	section("one on its way");
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	TRY(connect(fd, AT(to)));
	TRY(connect(fd, AT(to)));
	TRY(connect(fd, AT(a)));

	section("one that was refused");
	fd = bound_at("127.0.0.2", 0, SOCK_STREAM);
	gone = local_of(fd);
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	TRY(connect(fd, AT(gone)));
	wait_for(fd, POLLOUT);
	TRY(connect(fd, AT(a)));

	section("udp: connected or not, it connects anew");
	fd = connected_from("127.0.0.2", to, SOCK_DGRAM);
	a.any.sa_family = AF_UNSPEC;
	TRY(connect(fd, AT(a)));
	TRY(connect(fd, AT(a)));
	TRY(connect(tcp, AT(a)));
	TRY(connect(fd, &a.any, 2));
	a.any.sa_family = AF_INET;
	DENY(connect(udp, AT(a)));
}

/* The peer has reset it: the kernel still takes it for connected. */
static void order_connect_reset(char **argv)
{
	int listener = listening_at("127.0.0.2", 0, 4), fd, accepted;
	struct address to = local_of(listener), a = other();

	(void)argv;
	fd = connected_from("127.0.0.2", to, SOCK_STREAM);
	accepted = (int)MUST(accept(listener, NULL, NULL));
	MUST(setsockopt(accepted, SOL_SOCKET, SO_LINGER, &((struct linger){1, 0}),
	                sizeof(struct linger)));
	MUST(close(accepted));
	wait_for(fd, POLLIN);
	TRY(connect(fd, AT(a)));
	TRY(read(fd, &(char){0}, 1));
	TRY(connect(fd, AT(a)));
}

/* Under `deny listen any`. A TCP socket that connects to itself needs no listener. */
static void order_listen(char **argv)
{
	int self = bound("127.0.0.1", SOCK_STREAM), udp = bound("127.0.0.1", SOCK_DGRAM), pair[2];
	struct address to = local_of(self), name = address_of_unix("listen");
	int here = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	(void)argv;
	MUST(connect(self, AT(to)));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(bind(here, AT(name)));
	TRY(listen(-1, 1));
	TRY(listen(77, 1));
	TRY(listen(0, 1));
	TRY(listen(self, 1));
	TRY(listen(udp, 1));
	TRY(listen(udp_socket(AF_INET6), 1));
	TRY(listen(here + 1000, 1));
	TRY(listen((int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), 1));
	TRY(listen((int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), 1));
	TRY(listen(pair[0], 1));
	DENY(listen(here, 1));
	DENY(listen(bound("127.0.0.1", SOCK_STREAM), 1));
	DENY(listen(tcp_socket(AF_INET), 1));
	DENY(listen(tcp_socket(AF_INET6), 1));
}

static void order_accept(char **argv)
{
	int listener = listening_at("127.0.0.2", 0, 4), tcp = bound_at("127.0.0.2", 0, SOCK_STREAM);
	struct address to = local_of(listener), from = EMPTY_ADDRESS;

	(void)argv;
	TRY(accept(-1, NULL, NULL));
	TRY(accept(77, NULL, NULL));
	TRY(accept(0, NULL, NULL));
	TRY(accept(tcp, NULL, NULL));
	TRY(accept(udp_socket(AF_INET), NULL, NULL));
	TRY(accept4(listener, NULL, NULL, 1));
	MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
	TRY(accept(listener, NULL, NULL));
	connected_from("127.0.0.2", to, SOCK_STREAM);
	wait_for(listener, POLLIN);
	TRY(accept(listener, nowhere(), &from.len));
	connected_from("127.0.0.2", to, SOCK_STREAM);
	wait_for(listener, POLLIN);
	TRY_ANY(accept(listener, INTO(from)));
	show_address("from", &from);
}

static void order_send(char **argv)
{
	int udp = udp_socket(AF_INET), there = bound_at("127.0.0.2", 0, SOCK_DGRAM);
	struct address a = other(), to = local_of(there);
	struct message m;

	(void)argv;
	wrong("sendto", send_to, udp);
	TRY(sendto(udp, "x", 1, 0, NULL, 0));
	TRY(sendto(udp, "x", 1, 0, &a.any, 0));
	TRY(send(udp, "x", 1, 0));
	TRY(sendto(tcp_socket(AF_INET), "x", 1, MSG_NOSIGNAL, AT(a)));
	TRY(sendmsg(udp, NULL, 0));
	TRY(sendmsg(udp, nowhere(), 0));
	TRY(sendmsg(-1, NULL, 0));
	TRY(sendmmsg(udp, nowhere(), 2, 0));
	TRY(sendmmsg(-1, NULL, 2, 0));
	TRY(sendmmsg(-1, NULL, 0, 0));
	TRY(sendmmsg(0, NULL, 0, 0));
	TRY(sendmmsg(udp, NULL, 0, 0));
	message_out(&m, "x", &a);
	m.hdr.msg_namelen = 3;
	TRY(sendmsg(udp, &m.hdr, 0));
	m.hdr.msg_namelen = (socklen_t)-1;
	TRY(sendmsg(udp, &m.hdr, 0));
	m.hdr.msg_namelen = a.len;
	m.hdr.msg_name = nowhere();
	TRY(sendmsg(udp, &m.hdr, 0));
	message_out(&m, "x", &a);
	DENY(sendmsg(udp, &m.hdr, 0));
	DENY(sendto(udp, "x", 1, 0, AT(a)));
	MUST(connect(udp, AT(to)));
	TRY(send(udp, "x", 1, 0));
	TRY(sendto(udp, "x", 1, 0, NULL, 0));
	DENY(sendto(udp, "x", 1, 0, AT(a)));
}

/* Under `deny socket`: what could not be made in any case fails for that reason. */
static void order_socket(char **argv)
{
	int pair[2], lowest = (int)MUST(dup(0));

	MUST(close(lowest));
	(void)argv;
	TRY(socket(-1, SOCK_STREAM, 0));
	TRY(socket(1000, SOCK_STREAM, 0));
	TRY(socket(AF_INET, 9, 0));
	TRY(socket(AF_INET, -1, 0));
	TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	TRY(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
	TRY(socket(AF_INET, SOCK_STREAM, 9999));
	TRY(socket(AF_INET, SOCK_STREAM | 0x100000, 0));
	TRY(socket(AF_UNIX, 77, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM, 5));
	TRY(socketpair(AF_INET, SOCK_STREAM, 0, pair));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 77, pair));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere()));
	TRY(socketpair(AF_UNIX, 99, 0, pair));
	TRY(socketpair(12345, SOCK_STREAM, 0, pair));
	DENY(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	DENY(socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP));
	DENY(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	DENY(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	if (is_ruled())
		EXPECT(dup(0) == lowest);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"bind", order_bind},           {"connect", order_connect},
	        {"reset", order_connect_reset}, {"listen", order_listen},
	        {"accept", order_accept},       {"send", order_send},
	        {"socket", order_socket},       {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
