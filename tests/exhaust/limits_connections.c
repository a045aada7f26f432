/* SPDX-License-Identifier: MIT */
/* limits_connections.c - limit connections, limit backlog, and `while N`. The first argument
 * behind the part is the port that the rules name. Says only what is not as it should be. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>

#include "tests/policy/policy.h"

enum { LIMIT = 3, MANY = 16, OTHER = 1 };

static int port;

static int family(void)
{
	return getenv("SIX") ? AF_INET6 : AF_INET;
}

static const char *here(void)
{
	return getenv("SIX") ? "::1" : "127.0.0.1";
}

/* Returns the socket, or -1 with errno. */
static int connected(int to)
{
	struct address a = address_of(here(), to);
	int fd = tcp_socket(family()), error;

	if (connect(fd, AT(a)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* The same behind the library's back: a client that no rule limits. */
static int client_of(int to)
{
	struct address a = address_of(here(), to);
	int fd = tcp_socket(family());

	MUST(kernel(SYS_connect, fd, &a.any, (void *)(uintptr_t)a.len) ? -1 : 0);
	return fd;
}

static int fill(int to, int *fds)
{
	int n = 0;

	while (n < MANY && (fds[n] = connected(to)) >= 0)
		n++;
	EXPECT(errno == EADDRNOTAVAIL);
	return n;
}

static void empty(const int *fds, int n)
{
	while (n-- > 0)
		MUST(close(fds[n]));
}

static int reset_at_close(int fd)
{
	const struct linger now = {1, 0};

	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
	return fd;
}

static void made(char **argv)
{
	struct address to = address_of(here(), port), nobody = address_of(here(), port + OTHER);
	int listener = listening_at(here(), port, 50), fds[MANY], others[MANY], fd, n, peer;

	(void)argv;
	for (int i = 0; i < 10; i++) { /* what is closed, or failed, counts no more */
		n = fill(port, fds);
		EXPECT(n == LIMIT);
		empty(fds, n);
		while (has_input(listener))
			close((int)MUST(accept(listener, NULL, NULL)));
	}
	n = fill(port, fds);
	fd = tcp_socket(family());
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	EXPECT(connect(fd, AT(to)) == -1 && errno == EADDRNOTAVAIL);
	EXPECT(connect(fd, AT(to)) == -1 && errno == EADDRNOTAVAIL);
	close(listening_at(here(), port + OTHER, 5));
	EXPECT(connect(fd, AT(nobody)) == -1 && (errno == ECONNREFUSED || errno == EINPROGRESS));
	close(fd);
	EXPECT(connect(fds[0], AT(to)) == -1 && errno == EISCONN);
	/* reset by the peer */
	peer = (int)MUST(accept(listener, NULL, NULL));
	close(reset_at_close(peer));
	EXPECT(fill(port, others) == 1);
	close(others[0]);
	/* a descriptor more holds it */
	fd = (int)MUST(dup(fds[1]));
	close(fds[1]);
	EXPECT(fill(port, others) == 0 + 1);
	close(others[0]);
	close(fd);
	EXPECT(fill(port, others) == 2);
	empty(others, 2);
	close(fds[0]);
	close(fds[2]);
	while (has_input(listener))
		close((int)MUST(accept(listener, NULL, NULL)));
	close(listener);
	/* refused: the place comes back */
	for (int i = 0; i < 3 * LIMIT; i++)
		EXPECT(connected(port) == -1 && errno == ECONNREFUSED);
}

/* A child that is killed gives back what it had. */
static void killed(char **argv)
{
	int listener = listening_at(here(), port, 50), fds[MANY], ends[2], n;
	char byte;
	pid_t pid;

	(void)argv;
	MUST(pipe(ends));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		EXPECT(fill(port, fds) == LIMIT);
		MUST(write(ends[1], "", 1));
		pause();
	}
	MUST(read(ends[0], &byte, 1));
	EXPECT(fill(port, fds) == 0);
	MUST(kill(pid, SIGKILL));
	MUST(waitpid(pid, NULL, 0));
	n = fill(port, fds);
	EXPECT(n == LIMIT);
	empty(fds, n);
	close(listener);
}

/* A server. argv: the errno that the rule gives, if it does. */
static void accepted(char **argv)
{
	int named = argv[0] ? atoi(argv[0]) : EMFILE;
	int listener = listening_at(here(), port, 50),
	    other = listening_at(here(), port + OTHER, 50);
	struct address peer = EMPTY_ADDRESS, first = EMPTY_ADDRESS;
	int clients[LIMIT + 2], servers[LIMIT];

	for (int i = 0; i < LIMIT + 2; i++)
		clients[i] = client_of(port);
	MUST(getsockname(clients[LIMIT], INTO(first)));
	for (int i = 0; i < LIMIT; i++)
		servers[i] = (int)MUST(accept(listener, NULL, NULL));
	for (int i = 0; i < 3; i++)
		EXPECT(accept(listener, NULL, NULL) == -1 && errno == named);
	EXPECT(accept4(listener, NULL, NULL, SOCK_NONBLOCK) == -1 && errno == named);
	EXPECT(has_input(listener));
	client_of(port + OTHER);
	MUST(accept(other, NULL, NULL));
	close(servers[1]);
	EXPECT(accept(listener, INTO(peer)) >= 0);
	EXPECT(port_of(&peer) == port_of(&first));
	EXPECT(accept(listener, NULL, NULL) == -1 && errno == named);
	/* the client's side says goodbye: the socket is still open here */
	close(clients[0]);
	EXPECT(accept(listener, NULL, NULL) == -1 && errno == named);
	/* reset: it is no connection any more */
	close(reset_at_close(clients[2]));
	EXPECT(accept(listener, NULL, NULL) >= 0);
	MUST(fcntl(other, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 3 * LIMIT; i++)
		EXPECT(accept(other, NULL, NULL) == -1 && errno == EAGAIN);
	for (int i = 0; i < 3 * LIMIT; i++) {
		int client = client_of(port + OTHER);

		close((int)MUST(accept(other, NULL, NULL)));
		close(client);
	}
}

/* ---- threads ---- */

static _Atomic int open_now, most, refused;

static void *hammer(void *nothing)
{
	for (int i = 0; i < 300; i++) {
		int fd = connected(port), now;

		if (fd < 0) {
			EXPECT(errno == EADDRNOTAVAIL);
			refused++;
			continue;
		}
		now = ++open_now;
		if (now > most)
			most = now;
		if (i % 2)
			sched_yield();
		open_now--;
		close(reset_at_close(fd));
	}
	return nothing;
}

static void *serve(void *listener)
{
	int fd;

	while ((fd = accept((int)(intptr_t)listener, NULL, NULL)) >= 0)
		close(fd);
	return NULL;
}

static void threads(char **argv)
{
	pthread_t thread[6], server;
	int listener = listening_at(here(), port, 1000);

	(void)argv;
	pthread_create(&server, NULL, serve, (void *)(intptr_t)listener);
	for (int i = 0; i < 6; i++)
		pthread_create(&thread[i], NULL, hammer, NULL);
	for (int i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	EXPECT(most == LIMIT);
	EXPECT(refused > 0);
}

/* ---- backlog ---- */

static int backlog_of(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;

	MUST(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
	return (int)info.tcpi_sacked; /* of a listener */
}

static void backlog(char **argv)
{
	int fd = bound_at(here(), port, SOCK_STREAM);

	(void)argv;
	MUST(listen(fd, 100));
	EXPECT(backlog_of(fd) == 2);
	MUST(listen(fd, -1));
	EXPECT(backlog_of(fd) == 2);
	MUST(listen(fd, 2));
	EXPECT(backlog_of(fd) == 2);
	MUST(listen(fd, 1));
	EXPECT(backlog_of(fd) == 1);
	MUST(listen(fd, 0));
	EXPECT(backlog_of(fd) == 0);
	MUST(kernel(SYS_listen, fd, (void *)100, NULL));
	EXPECT(backlog_of(fd) == 100);
	EXPECT(listen(udp_socket(family()), 5) == -1 && errno == EOPNOTSUPP);
	EXPECT(listen(99, 5) == -1 && errno == EBADF);
	EXPECT(listen(0, 5) == -1 && errno == ENOTSOCK);
}

/* ---- while ---- */

static int try_bind(void)
{
	struct address any = address_of(here(), 0);
	int fd = tcp_socket(family()), ret = bind(fd, AT(any)), error = errno;

	close(fd);
	errno = error;
	return ret;
}

/* fail bind error EADDRINUSE while 4: of the whole session, try_bind's own included. */
static void while_open(char **argv)
{
	int fds[3], ready[2];
	pid_t pid;
	char byte;

	(void)argv;
	for (int i = 0; i < 3; i++) {
		EXPECT(try_bind() == 0);
		fds[i] = tcp_socket(family());
	}
	EXPECT(try_bind() == -1 && errno == EADDRINUSE);
	close(fds[0]);
	EXPECT(try_bind() == 0);
	MUST(pipe(ready));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		tcp_socket(family());
		MUST(write(ready[1], "", 1));
		pause();
	}
	MUST(read(ready[0], &byte, 1));
	EXPECT(try_bind() == -1 && errno == EADDRINUSE);
	MUST(kill(pid, SIGKILL));
	MUST(waitpid(pid, NULL, 0));
	for (int i = 0; i < 100 && try_bind() != 0; i++)
		usleep(10000);
	EXPECT(try_bind() == 0);
}

static void run_with_port(void (*part)(char **), char **argv)
{
	port = port_argument(argv[0]);
	part(argv + 1);
}

#define PART(name)                                                                                 \
	static void part_##name(char **argv)                                                       \
	{                                                                                          \
		run_with_port(name, argv);                                                         \
	}
PART(made)
PART(killed)
PART(accepted)
PART(threads)
PART(backlog)
PART(while_open)

int main(int argc, char **argv)
{
	static const struct part parts[] = {{"made", part_made},
	                                    {"killed", part_killed},
	                                    {"accepted", part_accepted},
	                                    {"threads", part_threads},
	                                    {"backlog", part_backlog},
	                                    {"while", part_while_open},
	                                    {NULL, NULL}};

	(void)argc;
	return run_part(parts, argv);
}
