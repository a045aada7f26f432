/* SPDX-License-Identifier: MIT */
/* calls: accept accept4 */
/* Accepting: what comes out of the queue, and what stays in it. */
#include <signal.h>
#include <sys/time.h>

#include "observe.h"

static void plain(const char *ip, const char *dial)
{
	int listener = listening(ip, 4), client, fd;
	struct address to = address_of(dial, local_port(listener)), from = EMPTY_ADDRESS;

	section(ip);
	client = (int)MUST(socket(to.any.sa_family, SOCK_STREAM, 0));
	MUST(connect(client, AT(to)));
	fd = (int)TRY(accept(listener, INTO(from)));
	show_address("from", &from);
	show_same("client's port", port_of(&from), local_port(client));
	show_names("accepted", fd);
	show_poll("accepted", fd);
	MUST(close(client));
	show_poll("client gone", fd);
	show_names("client gone", fd);
	MUST(close(fd));
	MUST(close(listener));
}

static void arguments(void)
{
	int listener = listening("127.0.0.1", 16), client[8], i, fd;
	struct address from = EMPTY_ADDRESS;
	socklen_t *len = at_the_edge(sizeof *len);

	section("flags and addresses");
	for (i = 0; i < 8; i++)
		client[i] = connected_to(listener, SOCK_STREAM);
	fd = (int)TRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, F_GETFL));
	TRY(accept4(listener, NULL, NULL, 0));
#ifdef __GLIBC__ /* musl takes EINVAL for an old kernel and falls back to accept */
	TRY(accept4(listener, NULL, NULL, 0x1000));
#endif
	from.len = 4;
	TRY(accept(listener, INTO(from)));
	show_address("short room", &from);
	from = EMPTY_ADDRESS;
	from.len = 0;
	TRY(accept(listener, INTO(from)));
	printf("no room: %d bytes\n", (int)from.len);
	*len = sizeof from.room;
	TRY(accept(listener, &from.any, len));
	show_address("length at the end of a page", &from);
	from.len = (socklen_t)-5;
	TRY(accept(listener, INTO(from)));
	from.len = sizeof from.room;
	TRY(accept(listener, nowhere(), &from.len));
	TRY_UNREADABLE(accept(listener, &from.any, nowhere()));
	MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
	TRY(accept(listener, NULL, NULL));
	show_fds();
	for (i = 0; i < 8; i++)
		MUST(close(client[i]));
	for (i = fd; i < fd + 8; i++)
		close(i);
	MUST(close(listener));
}

static void refusals(void)
{
	int tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), udp = bound("127.0.0.1", SOCK_DGRAM);
	int pair[2];

	section("refusals");
	TRY(accept(-1, NULL, NULL));
	TRY(accept(77, NULL, NULL));
	TRY(accept(0, NULL, NULL));
	TRY(accept(tcp, NULL, NULL));
	TRY(accept(udp, NULL, NULL));
	TRY(accept4(-1, NULL, NULL, 0x1000));
	make_pair(pair);
	TRY(accept(pair[0], NULL, NULL));
	close_pair(pair);
	MUST(close(tcp));
	MUST(close(udp));
}

/* A client that has gone, politely or not, is accepted all the same. */
static void gone(int linger)
{
	int listener = listening("127.0.0.1", 4), client = connected_to(listener, SOCK_STREAM), fd;
	struct address from = EMPTY_ADDRESS;
	struct linger reset = {linger, 0};

	section(linger ? "the client has reset" : "the client has closed");
	MUST(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
	MUST(close(client));
	wait_for(listener, POLLIN);
	fd = (int)TRY(accept(listener, NULL, NULL));
	show_poll("accepted", fd);
	show_names("accepted", fd);
	MUST(close(fd));
	client = connected_to(listener, SOCK_STREAM);
	MUST(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset));
	MUST(close(client));
	fd = (int)TRY(accept4(listener, INTO(from), 0));
	show_address("from", &from);
	MUST(close(fd));
	MUST(close(listener));
}

static void gone_unix(void)
{
	struct address name = address_of_unix("accept"), from = EMPTY_ADDRESS;
	int listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), i;

	section("unix, the client has closed");
	MUST(bind(listener, AT(name)));
	MUST(listen(listener, 4));
	for (i = 0; i < 3; i++) {
		int client = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));

		MUST(connect(client, AT(name)));
		MUST(close(client));
	}
	TRY(close(TRY(accept(listener, NULL, NULL))));
	TRY(close(TRY(accept(listener, INTO(from)))));
	printf("%d bytes of address\n", (int)from.len);
	TRY(close(TRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC))));
	MUST(close(listener));
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void interrupted(void)
{
	struct sigaction action = {.sa_handler = on_alarm};
	struct itimerval soon = {.it_value = {.tv_usec = 50000}, .it_interval = {.tv_usec = 50000}};
	struct itimerval never = {0};
	int listener = listening("127.0.0.1", 4);

	section("interrupted");
	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(setitimer(ITIMER_REAL, &soon, NULL));
	TRY(accept(listener, NULL, NULL));
	TRY(accept4(listener, NULL, NULL, 0));
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	alarm(LIFETIME_S);
	MUST(close(listener));
}

/* The first connection must still be there after a refusal. */
static void at_the_limit(void)
{
	int listener = listening("127.0.0.1", 4), empty = listening("127.0.0.1", 4);
	int first = connected_to(listener, SOCK_STREAM),
	    second = connected_to(listener, SOCK_STREAM);
	int tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), last = fill_fds(16), fd;

	section("no fd left");
	MUST(fcntl(empty, F_SETFL, O_NONBLOCK));
	wait_for(listener, POLLIN);
	TRY(accept(listener, NULL, NULL));
	show_poll("queue", listener);
	TRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	TRY(accept(empty, NULL, NULL));
	TRY(accept(tcp, NULL, NULL));
	TRY(accept(last, NULL, NULL));
	TRY(accept(-1, NULL, NULL));
#ifdef __GLIBC__
	TRY(accept4(listener, NULL, NULL, 0x1000));
#endif
	TRY(close(last));
	fd = (int)TRY(accept(listener, NULL, NULL));
	show_same("first connection", peer_port(fd), local_port(first));
	TRY(accept(listener, NULL, NULL));
	TRY(close(fd));
	TRY(accept(empty, NULL, NULL));
	fd = (int)TRY(accept(listener, NULL, NULL));
	show_same("second connection", peer_port(fd), local_port(second));
}

int main(void)
{
	begin();
	plain("127.0.0.1", "127.0.0.1");
	plain("::1", "::1");
	plain("::", "127.0.0.1");
	arguments();
	refusals();
	gone(0);
	gone(1);
	gone_unix();
	interrupted();
	at_the_limit();
	return end();
}
