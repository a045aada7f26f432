/* SPDX-License-Identifier: MIT */
/* live.c - does one call for each line that it reads, and says how it went: for rules
 * that change while it runs. */
#include <pthread.h>

#include "policy.h"

static int port, listener = -1;

static void say(const char *what, long ret)
{
	printf("%s %s\n", what, ret == -1 ? error_name(errno) : "fine");
	fflush(stdout);
}

static void do_connect(void)
{
	struct address to = address_of("127.0.0.1", port);
	int fd = tcp_socket(AF_INET);

	errno = 0;
	say("connect", connect(fd, AT(to)));
	close(fd);
}

/* Where is it told that it is, and where is it? */
static void do_bind(void)
{
	struct address at = address_of("127.0.0.1", port);
	int fd = tcp_socket(AF_INET);
	long ret;

	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)));
	ret = bind(fd, AT(at));
	if (ret == 0) {
		struct address is = really(SYS_getsockname, fd);

		printf("told %d, is %d: ", local_port(fd) - port, port_of(&is) - port);
	}
	say("bind", ret);
	close(fd);
}

/* Of another thread, which waits in accept. */
static void *serve(void *nothing)
{
	(void)nothing;
	while (listener >= 0) {
		int fd = accept(listener, NULL, NULL);

		say("accept", fd);
		close(fd);
	}
	return NULL;
}

static void live(char **argv)
{
	pthread_t thread;
	char line[64];

	port = port_argument(argv[0]);
	while (fgets(line, sizeof line, stdin)) {
		if (strcmp(line, "connect\n") == 0) {
			do_connect();
		} else if (strcmp(line, "bind\n") == 0) {
			do_bind();
		} else if (strcmp(line, "serve\n") == 0) {
			listener = listening_at("127.0.0.1", port + 2, 8);
			MUST(pthread_create(&thread, NULL, serve, NULL));
			usleep(50000); /* it waits in accept */
			say("serve", 0);
		} else if (strcmp(line, "knock\n") == 0) {
			struct address to = address_of("127.0.0.1", port + 2);

			connected_from("127.0.0.2", to, SOCK_STREAM);
		}
	}
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {{"live", live}, {NULL, NULL}};

	(void)argc;
	alarm(20);
	return run_part(parts, argv);
}
