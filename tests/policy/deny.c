/* SPDX-License-Identifier: MIT */
/* deny.c - what a denied call leaves behind: nothing. The rules are those of
 * policy_deny.bats; each part is given the ports that they speak of. */
#include "policy.h"

/* A port stays free. */
static void deny_bind(char **argv)
{
	struct address a = address_of("127.0.0.1", port_argument(argv[0]));
	int fd = tcp_socket(AF_INET), udp = udp_socket(AF_INET), six = tcp_socket(AF_INET6);
	struct address mapped = address_of("::ffff:127.0.0.1", port_of(&a));
	struct address next = address_of("127.0.0.1", 0), any = address_of("0.0.0.0", port_of(&a));

	DENY(bind(fd, AT(a)));
	DENY(bind(udp, AT(a)));
	if (is_ruled()) {
		EXPECT(is_told(fd, "0.0.0.0", 0));
		EXPECT(bind(six, AT(mapped)) == -1 && errno == EACCES);
		EXPECT(syscall(SYS_bind, fd, &a.any, a.len) == -1 && errno == EACCES);
		EXPECT(bind(fd, AT(next)) == 0 && local_port(fd) != 0);
		fd = tcp_socket(AF_INET); /* another address: nobody has the port */
		EXPECT(bind(fd, AT(any)) == 0);
	}
}

/* Nothing leaves, and the socket is as it was. */
static void deny_connect(char **argv)
{
	int closed = port_argument(argv[0]), fd = tcp_socket(AF_INET), again;
	int listener = listening_at("127.0.0.1", closed, 8), open = listening("127.0.0.1", 8);
	struct address to = local_of(listener), next = local_of(open);
	struct address mapped = address_of("::ffff:127.0.0.1", closed);
	int six = tcp_socket(AF_INET6);
	int late = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

	DENY(connect(fd, AT(to)));
	DENY(connect(six, AT(mapped)));
	DENY(syscall(SYS_connect, tcp_socket(AF_INET), &to.any, to.len));
	if (!is_ruled())
		return;
	EXPECT(connect(late, AT(to)) == -1 && errno == EACCES);
	EXPECT(!has_input(listener));
	EXPECT(is_told(fd, "0.0.0.0", 0) && is_really(fd, "0.0.0.0", 0));
	EXPECT(getpeername(fd, INTO(to)) == -1 && errno == ENOTCONN);
	again = dup(fd);
	errno = UNTOUCHED;
	EXPECT(connect(fd, AT(next)) == 0 && errno == UNTOUCHED);
	EXPECT(is_told_to(again, "127.0.0.1", port_of(&next)));
	EXPECT(has_input(open));
	EXPECT(connect(late, AT(next)) == -1 && errno == EINPROGRESS);
	wait_for(late, POLLOUT);
	EXPECT(connect(late, AT(next)) == 0);
	EXPECT(connect(late, AT(next)) == -1 && errno == EISCONN);
	EXPECT(listen(tcp_socket(AF_INET), 1) == 0);
}

/* Those from 127.0.0.2 are turned away, the others are served. */
static void deny_accept(char **argv)
{
	int listener = listening("127.0.0.1", 16), bad[3], good, fd;
	struct address to = local_of(listener), from = EMPTY_ADDRESS;
	char byte;

	(void)argv;
	for (int i = 0; i < 3; i++)
		bad[i] = connected_from("127.0.0.2", to, SOCK_STREAM);
	good = connected_from("127.0.0.3", to, SOCK_STREAM);
	fd = accept(listener, INTO(from));
	if (!is_ruled())
		return;
	EXPECT(fd >= 0 && is_at(&from, "127.0.0.3", local_port(good)));
	EXPECT(is_told_to(fd, "127.0.0.3", local_port(good)));
	for (int i = 0; i < 3; i++) {
		wait_for(bad[i], POLLIN);
		EXPECT(read(bad[i], &byte, 1) == -1 && errno == ECONNRESET);
	}
	EXPECT(write(fd, "x", 1) == 1 && read(good, &byte, 1) == 1);

	MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
	EXPECT(accept(listener, NULL, NULL) == -1 && errno == EAGAIN);
	connected_from("127.0.0.2", to, SOCK_STREAM);
	wait_for(listener, POLLIN);
	errno = UNTOUCHED;
	EXPECT(accept4(listener, NULL, NULL, SOCK_CLOEXEC) == -1 && errno == EAGAIN);
	EXPECT(!has_input(listener));

	from = EMPTY_ADDRESS; /* room for a part of it */
	from.len = 5;
	connected_from("127.0.0.2", to, SOCK_STREAM);
	connected_from("127.0.0.4", to, SOCK_STREAM);
	wait_for(listener, POLLIN);
	errno = UNTOUCHED;
	fd = accept4(listener, INTO(from), SOCK_CLOEXEC | SOCK_NONBLOCK);
	EXPECT(fd >= 0 && errno == UNTOUCHED && from.len == sizeof from.in);
	EXPECT(from.in.sin_addr.s_addr == htonl(0x7f000000) && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	from = EMPTY_ADDRESS;
	from.len = 0;
	connected_from("127.0.0.2", to, SOCK_STREAM);
	connected_from("127.0.0.4", to, SOCK_STREAM);
	wait_for(listener, POLLIN);
	EXPECT(accept(listener, INTO(from)) >= 0 && from.len == sizeof from.in);
	EXPECT(from.any.sa_family == 0);
}

/* With an error of its own, the call says so, once for each. */
static void deny_accept_error(char **argv)
{
	int listener = listening("127.0.0.1", 16);
	struct address to = local_of(listener), from = EMPTY_ADDRESS;

	(void)argv;
	connected_from("127.0.0.2", to, SOCK_STREAM);
	connected_from("127.0.0.2", to, SOCK_STREAM);
	connected_from("127.0.0.3", to, SOCK_STREAM);
	DENY(accept(listener, NULL, NULL));
	DENY(accept4(listener, INTO(from), 0));
	TRY_ANY(accept(listener, INTO(from)));
	show_address("good", &from);
}

/* A client comes while accept waits. */
static void deny_accept_waiting(char **argv)
{
	int listener = listening("127.0.0.1", 16), fd;
	struct address to = local_of(listener);
	pid_t child = fork();
	char byte = 0;

	(void)argv;
	if (child == 0) {
		usleep(50000);
		fd = connected_from("127.0.0.2", to, SOCK_STREAM);
		if (is_ruled())
			EXPECT(read(fd, &byte, 1) == -1 && errno == ECONNRESET);
		fd = connected_from("127.0.0.3", to, SOCK_STREAM);
		write(fd, "x", 1);
		exit(0);
	}
	fd = accept(listener, NULL, NULL);
	if (!is_ruled())
		fd = accept(listener, NULL, NULL);
	TRY(read(fd, &byte, 1));
	show_child("client", child);
}

/* Packets to the first port are denied. */
static void deny_send(char **argv)
{
	int to_bad = bound_at("127.0.0.1", port_argument(argv[0]), SOCK_DGRAM);
	int to_good = bound("127.0.0.1", SOCK_DGRAM), fd = udp_socket(AF_INET);
	struct address bad = local_of(to_bad), good = local_of(to_good);
	struct mmsghdr many[3];
	struct message one[3];

	DENY(sendto(fd, "x", 1, 0, AT(bad)));
	message_out(&one[0], "y", &bad);
	DENY(sendmsg(fd, &one[0].hdr, 0));
	TRY(sendto(fd, "z", 1, 0, AT(good)));
	for (int i = 0; i < 3; i++) {
		message_out(&one[i], "many", i == 1 ? &bad : &good);
		many[i] = (struct mmsghdr){.msg_hdr = one[i].hdr, .msg_len = 99};
	}
	if (!is_ruled())
		return;
	errno = UNTOUCHED;
	EXPECT(sendmmsg(fd, many, 3, 0) == 1 && errno == UNTOUCHED);
	EXPECT(many[0].msg_len == 4 && many[1].msg_len == 99);
	EXPECT(many[0].msg_hdr.msg_name == (void *)&one[0].peer.any);
	EXPECT(sendmmsg(fd, many + 1, 2, 0) == -1 && errno == EACCES);
	EXPECT(sendmmsg(fd, many + 2, 1, 0) == 1);
	EXPECT(!has_input(to_bad) && has_input(to_good));
	for (int i = 0; i < 3; i++)
		EXPECT(recv(to_good, (char[8]){0}, 8, MSG_DONTWAIT) > 0);
	EXPECT(recv(to_good, (char[8]){0}, 8, MSG_DONTWAIT) == -1);
	MUST(connect(fd, AT(good)));
	EXPECT(sendto(fd, "x", 1, 0, AT(bad)) == -1 && errno == EACCES);
	EXPECT(send(fd, "x", 1, 0) == 1 && write(fd, "x", 1) == 1);
	fd = udp_socket(AF_INET6);
	bad = address_of("::ffff:127.0.0.1", port_of(&bad));
	EXPECT(sendto(fd, "x", 1, 0, AT(bad)) == -1 && errno == EACCES);
	EXPECT(local_port(fd) == 0);
}

/* Fast open is a connect in a send; a UDP connect is one, too. */
static void deny_fast_open(char **argv)
{
	int listener = listening_at("127.0.0.1", port_argument(argv[0]), 8), udp, fd;
	struct address to = local_of(listener);
	struct message m;

	DENY(sendto(tcp_socket(AF_INET), "x", 1, MSG_FASTOPEN, AT(to)));
	message_out(&m, "x", &to);
	DENY(sendmsg(tcp_socket(AF_INET), &m.hdr, MSG_FASTOPEN));
	DENY(connect(udp_socket(AF_INET), AT(to)));
	if (!is_ruled())
		return;
	EXPECT(!has_input(listener));
	fd = tcp_socket(AF_INET);
	EXPECT(sendto(fd, "x", 1, MSG_FASTOPEN, AT(to)) == -1 && errno == EACCES);
	EXPECT(is_told(fd, "0.0.0.0", 0));
	listener = listening("127.0.0.1", 8);
	to = local_of(listener);
	EXPECT(sendto(fd, "x", 1, MSG_FASTOPEN, AT(to)) == 1);
	udp = udp_socket(AF_INET);
	EXPECT(connect(udp, AT(to)) == 0);
	to.any.sa_family = AF_UNSPEC;
	EXPECT(connect(udp, AT(to)) == 0 && connect(fd, AT(to)) == 0);
}

static const struct part parts[] = {
        {"bind", deny_bind},
        {"connect", deny_connect},
        {"accept", deny_accept},
        {"accept-error", deny_accept_error},
        {"accept-waiting", deny_accept_waiting},
        {"send", deny_send},
        {"fast-open", deny_fast_open},
        {NULL, NULL},
};

int main(int argc, char **argv)
{
	(void)argc;
	return run_part(parts, argv);
}
