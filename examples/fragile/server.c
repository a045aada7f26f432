/* SPDX-License-Identifier: MIT */
/* server PORT - answers each line with a greeting. It passes its test; what happens when it
 * has no descriptor left nobody has tried. ../robust has the one that came of trying. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 1000 };

static struct pollfd polled[1 + CLIENTS]; /* the listener, then clients */
static int count = 1;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listener_at(int port)
{
	struct sockaddr_in name = {.sin_family = AF_INET,
	                           .sin_port = htons(port),
	                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("server: socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0)
		die("server: bind");
	if (listen(fd, 100) != 0)
		die("server: listen");
	return fd;
}

static void welcome(void)
{
	int fd = accept(polled[0].fd, NULL, NULL);

	if (fd < 0)
		return; /* the next time, then */
	polled[count].fd = fd;
	polled[count++].events = POLLIN;
}

static void serve(int i)
{
	char line[100];

	if (recv(polled[i].fd, line, sizeof(line), 0) > 0) {
		send(polled[i].fd, "hello\n", 6, MSG_NOSIGNAL);
		return;
	}
	close(polled[i].fd);
	polled[i] = polled[--count];
}

int main(int argc, char **argv)
{
	polled[0].fd = listener_at(argc > 1 ? atoi(argv[1]) : 9000);
	polled[0].events = POLLIN;
	dprintf(1, "up\n");
	for (;;) {
		poll(polled, count, -1);
		for (int i = count - 1; i > 0; i--)
			if (polled[i].revents)
				serve(i);
		if (polled[0].revents && count <= CLIENTS)
			welcome();
	}
}
