/* SPDX-License-Identifier: MIT */
/* calls: connect */
/* Connecting: what it answers, in which order, and what the socket is then. */
#include "observe.h"

static void refusals(int listener)
{
	struct address to = local_of(listener), to6 = address_of("::1", 1);
	int tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	int tcp6 = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));

	section("refusals, in order");
	TRY(connect(tcp, &to.any, 0));
	TRY(connect(tcp, &to.any, 1));
	TRY(connect(tcp, &to.any, 2));
	TRY(connect(tcp, &to.any, sizeof to.in - 1));
	TRY(connect(tcp, &to.any, (socklen_t)-1));
	TRY(connect(tcp, &to.any, 129));
	TRY(connect(tcp, NULL, to.len));
	TRY(connect(tcp, nowhere(), to.len));
	TRY(connect(tcp, at_the_edge(8), to.len));
	TRY(connect(-1, AT(to)));
	TRY(connect(77, AT(to)));
	TRY(connect(-1, NULL, to.len));
	TRY(connect(0, AT(to)));
	TRY(connect(0, NULL, 0));
	TRY(connect(tcp, AT(to6)));
	TRY(connect(tcp6, AT(to)));
	to.any.sa_family = 12345;
	TRY(connect(tcp, AT(to)));
	show_names("after all that", tcp);
	MUST(close(tcp));
	MUST(close(tcp6));
}

static void connected(const char *ip)
{
	int listener = listening(ip, 4);
	struct address to = local_of(listener);
	int fd = (int)MUST(socket(to.any.sa_family, SOCK_STREAM, 0));

	section(ip);
	TRY(connect(fd, AT(to)));
	show_names("connected", fd);
	show_poll("connected", fd);
	TRY(connect(fd, AT(to)));
	show_same("peer's port", peer_port(fd), local_port(listener));
	MUST(close(listener));
	MUST(close(fd));
}

static void refused(int flags)
{
	int nobody = bound("127.0.0.1", SOCK_STREAM), listener = listening("127.0.0.1", 4);
	struct address to = local_of(nobody), next = local_of(listener);
	int fd = (int)MUST(socket(AF_INET, SOCK_STREAM | flags, 0));

	section("refused, then connected with the same socket");
	TRY(connect(fd, AT(to)));
	if (flags)
		wait_for(fd, POLLOUT);
	show_poll("refused", fd);
	show_pending_error(fd);
	TRY(connect(fd, AT(next)));
	if (flags) {
		wait_for(fd, POLLOUT);
		TRY(connect(fd, AT(next)));
	}
	show_poll("connected", fd);
	show_pending_error(fd);
	show_names("connected", fd);
	TRY(connect(fd, AT(next)));
	MUST(close(fd));
	MUST(close(nobody));
	MUST(close(listener));
}

static void dissolved(void)
{
	int listener = listening("127.0.0.1", 4), fd = connected_to(listener, SOCK_STREAM);
	struct address nothing = {.any.sa_family = AF_UNSPEC, .len = sizeof(struct sockaddr_in)};
	struct address to = local_of(listener);

	section("dissolved by AF_UNSPEC, connected anew");
	show_names("before", fd);
	TRY(connect(fd, AT(nothing)));
	show_names("dissolved", fd);
	TRY(connect(fd, AT(nothing)));
	TRY(connect(fd, AT(to)));
	show_names("anew", fd);
	TRY(connect(listener, AT(nothing)));
	show_poll("a listener dissolved", listener);
	MUST(close(fd));
	MUST(close(listener));
}

static void bound_first(void)
{
	int listener = listening("127.0.0.1", 4), fd = bound("127.0.0.3", SOCK_STREAM);
	struct address to = local_of(listener);
	int before = local_port(fd);

	section("bound first");
	TRY(connect(fd, AT(to)));
	show_names("connected", fd);
	show_same("local port", before, local_port(fd));
	TRY(connect(listener, AT(to)));
	MUST(close(fd));
	MUST(close(listener));
}

static void late_port(void)
{
	int listener = listening("127.0.0.1", 4), fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	struct address to = local_of(listener), from = address_of("127.0.0.1", 0);

	section("IP_BIND_ADDRESS_NO_PORT");
	MUST(setsockopt(fd, IPPROTO_IP, 24, &(int){1}, sizeof(int)));
	TRY(bind(fd, AT(from)));
	show_names("bound", fd);
	TRY(connect(fd, AT(to)));
	show_names("connected", fd);
	MUST(close(fd));
	MUST(close(listener));
}

static void mapped(void)
{
	int listener = listening("127.0.0.1", 4), fd = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	struct address to = address_of("::ffff:127.0.0.1", local_port(listener));

	section("an IPv4 address on an IPv6 socket, mapped");
	TRY(connect(fd, AT(to)));
	show_names("connected", fd);
	MUST(close(fd));
	fd = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)));
	TRY(connect(fd, AT(to)));
	MUST(close(fd));
	MUST(close(listener));
}

static void udp(void)
{
	int one = bound("127.0.0.1", SOCK_DGRAM), two = bound("127.0.0.2", SOCK_DGRAM);
	struct address to = local_of(one), next = local_of(two);
	struct address nothing = {.any.sa_family = AF_UNSPEC, .len = sizeof(sa_family_t)};
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("udp");
	TRY(connect(fd, AT(to)));
	show_names("connected", fd);
	TRY(connect(fd, AT(next)));
	show_names("elsewhere", fd);
	TRY(connect(fd, AT(nothing)));
	show_names("dissolved", fd);
	MUST(close(fd));
	MUST(close(one));
	MUST(close(two));
}

static void unix_stream(void)
{
	struct address name = address_of_unix("connect"), other = address_of_unix("nobody");
	int listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	section("unix");
	MUST(bind(listener, AT(name)));
	TRY(connect(fd, AT(name)));
	MUST(listen(listener, 1));
	TRY(connect(fd, AT(other)));
	TRY(connect(fd, AT(name)));
	TRY(connect(fd, AT(name)));
	show_names("connected", fd);
	MUST(close(fd));
	MUST(close(listener));
}

int main(void)
{
	int listener = listening("127.0.0.1", 4), fd;
	struct address to = local_of(listener);

	begin();
	refusals(listener);
	connected("127.0.0.1");
	connected("::1");
	refused(0);
	refused(SOCK_NONBLOCK);
	dissolved();
	bound_first();
	late_port();
	mapped();
	udp();
	unix_stream();

	section("no fd left: no matter");
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	fill_fds(16);
	TRY(connect(fd, AT(to)));
	show_names("connected", fd);
	return end();
}
