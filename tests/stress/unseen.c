/* SPDX-License-Identifier: MIT */
/* unseen.c - closes and opens descriptors behind the library's back, by system
 * calls of its own, and then uses the numbers in plain sight. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/raw.h"

static struct sockaddr_in loopback = {.sin_family = AF_INET};

/* Another listener gets the number of a socket that was closed. */
static void a_listener_instead(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), client, server;
	socklen_t len = sizeof(loopback);

	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	raw1(SYS_close, fd);
	printf("the same number: %d\n", raw3(SYS_socket, AF_INET, SOCK_STREAM, 0) == fd);
	raw3(SYS_bind, fd, &loopback, sizeof(loopback));
	raw2(SYS_listen, fd, 5);
	getsockname(fd, (struct sockaddr *)&loopback, &len);
	client = socket(AF_INET, SOCK_STREAM, 0);
	connect(client, (struct sockaddr *)&loopback, sizeof(loopback));
	server = accept(fd, NULL, NULL);
	printf("accepted: %d\n", server >= 0);
	close(server);
	close(client);
	close(fd);
}

/* A pipe gets the number. */
static void a_pipe_instead(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), ends[2];

	raw1(SYS_close, fd);
	raw2(SYS_pipe2, ends, 0);
	printf("the same number: %d\n", ends[0] == fd);
	printf("listen: %d", listen(fd, 1));
	printf(" ENOTSOCK: %d\n", errno == ENOTSOCK);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	a_listener_instead();
	a_pipe_instead();
	return 0;
}
