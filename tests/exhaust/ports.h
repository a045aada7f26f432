/* SPDX-License-Identifier: MIT */
/* ports.h - a program whose ephemeral ports are four: by net.ipv4.ip_local_port_range of a
 * network namespace, or by `limit ports`. It prints the same in both. FAMILY is 4 or 6; LATER is
 * set if sockets do not wait; SERVER is the first of three ports outside the range. */
#ifndef TESTS_EXHAUST_PORTS_H
#define TESTS_EXHAUST_PORTS_H

#include "tests/policy/policy.h"

enum { N = 4, SERVERS = 3, NO_PORT = 24, PORT_RANGE = 51 };

static int server[SERVERS];
static struct address to[SERVERS]; /* where they listen */

static inline bool is_v6(void)
{
	const char *family = getenv("FAMILY");

	return family && *family == '6';
}

static inline struct address here(int port)
{
	return address_of(is_v6() ? "::1" : "127.0.0.1", port);
}

static inline struct address anywhere(int port)
{
	return address_of(is_v6() ? "::" : "0.0.0.0", port);
}

static inline int made(int type)
{
	int later = getenv("LATER") ? SOCK_NONBLOCK : 0;

	return (int)MUST(socket(is_v6() ? AF_INET6 : AF_INET, type | later, 0));
}

static inline int tcp(void)
{
	return made(SOCK_STREAM);
}

static inline int udp(void)
{
	return made(SOCK_DGRAM);
}

static inline int with(int fd, int level, int option)
{
	if (option)
		MUST(setsockopt(fd, level, option, &(int){1}, sizeof(int)));
	return fd;
}

/* A port of our own choice. */
static inline int fixed(int i)
{
	return port_argument(getenv("SERVER")) + SERVERS + i;
}

static inline void serve(void)
{
	for (int i = 0; i < SERVERS; i++) {
		to[i] = here(port_argument(getenv("SERVER")) + i);
		server[i] = (int)MUST(socket(to[i].any.sa_family, SOCK_STREAM, 0));
		MUST(bind(server[i], AT(to[i])));
		MUST(listen(server[i], 64));
	}
}

/* connect(2), to its end. */
static inline int reach(int fd, const struct address *address)
{
	int ret = connect(fd, AT(*address)), error = 0;
	socklen_t len = sizeof error;

	if (ret == 0 || errno != EINPROGRESS)
		return ret;
	printf("on its way, then ");
	poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, PATIENCE_MS);
	MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	errno = error ? error : UNTOUCHED;
	return error ? -1 : 0;
}

static inline int port(int fd)
{
	struct address a = local_of(fd);

	return port_of(&a);
}

static inline void show_port(int fd)
{
	printf("it has %s port\n", port(fd) ? "a" : "no");
}

static inline void show_ports(const int *fds, int count)
{
	int different = 0;

	for (int i = 0; i < count; i++) {
		bool is_new = true;

		for (int j = 0; j < i; j++)
			is_new = is_new && port(fds[i]) != port(fds[j]);
		different += is_new;
	}
	printf("%d sockets have %d ports\n", count, different);
}

/* Closed with a reset: nothing is left. */
static inline void reset(int fd)
{
	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &((struct linger){1, 0}),
	                sizeof(struct linger)));
	MUST(close(fd));
}

static inline void reset_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		reset(fds[i]);
}

static inline void close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		MUST(close(fds[i]));
}

#endif
