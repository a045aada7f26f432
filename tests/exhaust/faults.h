/* SPDX-License-Identifier: MIT */
/* faults.h - what a program sees of a socket by every way of looking. Bare, a call fails for
 * the reason that the kernel knows: nobody listens, the peer resets, nothing comes back. Under
 * a rule there is no such reason, and all else is the same. */
#ifndef TESTS_FAULTS_H
#define TESTS_FAULTS_H

#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "tests/policy/policy.h"

static int epolls[2]; /* level- and edge-triggered */

static inline void watch(int fd)
{
	for (int i = 0; i < 2; i++) {
		struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP |
		                                      (i ? EPOLLET : 0)};

		epolls[i] = (int)MUST(epoll_create1(0));
		MUST(epoll_ctl(epolls[i], EPOLL_CTL_ADD, fd, &event));
	}
}

static inline void unwatch(void)
{
	MUST(close(epolls[0]));
	MUST(close(epolls[1]));
}

static inline unsigned events_of(int epoll, int patience)
{
	struct epoll_event event = {.events = 0};

	MUST(epoll_wait(epoll, &event, 1, patience));
	return event.events;
}

static inline void see(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
	struct timeval none = {0, 0};
	struct address address = EMPTY_ADDRESS;
	fd_set in, out, except;

	MUST(poll(&poll_fd, 1, 0));
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	FD_SET(fd, &except);
	MUST(select(fd + 1, &in, &out, &except, &none));
	printf("poll %x, select %d%d%d, epoll %x, edge %x\n", (unsigned)poll_fd.revents,
	       !!FD_ISSET(fd, &in), !!FD_ISSET(fd, &out), !!FD_ISSET(fd, &except),
	       events_of(epolls[0], 0), events_of(epolls[1], 0));
	TRY(getpeername(fd, INTO(address)));
	address = EMPTY_ADDRESS;
	MUST(getsockname(fd, INTO(address)));
	printf("it has %s\n", address.in.sin_port ? "a port" : "no port");
}

static inline void see_error(int fd)
{
	int error = -1;
	socklen_t len = sizeof error;

	MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	printf("SO_ERROR %s\n", error ? error_name(error) : "0");
}

#endif
