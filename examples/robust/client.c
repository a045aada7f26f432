/* SPDX-License-Identifier: MIT */
/* client PORT N - says something to the server on N connections at once. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PAUSE_US = 10000, PAUSE_MAX_US = 160000, PATIENCE_US = 500000, WORK_US = 10000 };

static struct addrinfo *server;

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

static int try_to_call(void)
{
	struct timeval patience = {.tv_usec = PATIENCE_US};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, server->ai_addr, server->ai_addrlen) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The server may not be up yet. Waits longer each time, and not all clients alike. */
static int call(void)
{
	int fd, pause = PAUSE_US;

	while ((fd = try_to_call()) < 0) {
		if (pause > PAUSE_MAX_US)
			give_up("client: connect");
		usleep(pause + random() % pause);
		pause *= 2;
	}
	return fd;
}

static void ask(int fd)
{
	char answer[100];

	if (send(fd, "hello\n", 6, MSG_NOSIGNAL) < 0)
		give_up("client: send");
	usleep(WORK_US); /* it has other things to do, too */
	if (recv(fd, answer, sizeof(answer), 0) <= 0)
		give_up("client: recv");
}

int main(int argc, char **argv)
{
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	int n = argc > 2 ? atoi(argv[2]) : 1, error;
	int *fd = calloc(n, sizeof(*fd));

	srandom(getpid());
	error = getaddrinfo("localhost", argc > 1 ? argv[1] : "9000", &hints, &server);
	if (error) {
		fprintf(stderr, "client: localhost: %s\n", gai_strerror(error));
		return 1;
	}
	for (int i = 0; i < n; i++)
		fd[i] = call();
	for (int i = 0; i < n; i++) {
		ask(fd[i]);
		close(fd[i]);
	}
	printf("%d answers\n", n);
}
