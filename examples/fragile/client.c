/* SPDX-License-Identifier: MIT */
/* client PORT N - says something to the server on N connections at once. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRIES = 1000000, WORK_US = 10000 };

static struct addrinfo *server;

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* The server may not be up yet. */
static int call(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (int i = 0; i < TRIES; i++)
		if (connect(fd, server->ai_addr, server->ai_addrlen) == 0)
			return fd;
	give_up("client: connect");
	return -1;
}

static void ask(int fd)
{
	char answer[100];

	send(fd, "hello\n", 6, MSG_NOSIGNAL);
	usleep(WORK_US); /* it has other things to do, too */
	if (recv(fd, answer, sizeof(answer), 0) <= 0)
		give_up("client: recv");
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	int n = argc > 2 ? atoi(argv[2]) : 1;
	int *fd = calloc(n, sizeof(*fd));

	getaddrinfo("localhost", argc > 1 ? argv[1] : "9000", &hints, &server);
	for (int i = 0; i < n; i++)
		fd[i] = call();
	for (int i = 0; i < n; i++) {
		ask(fd[i]);
		close(fd[i]);
	}
	printf("%d answers\n", n);
}
