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

/* Of many threads, while rules change: PORT is denied by all of them, PORT + 1 by none. */
static void *knock(void *stop)
{
	struct address bad = address_of("127.0.0.1", port),
	               good = address_of("127.0.0.1", port + 1);
	long failures = 0;

	while (!*(_Atomic int *)stop) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		errno = 0;
		failures += connect(fd, AT(bad)) != -1 || (errno != EACCES && errno != EPERM);
		failures += connect(fd, AT(good)) != 0;
		close(fd);
	}
	return (void *)failures;
}

/* Until its input ends. */
static void threads(char **argv)
{
	static _Atomic int stop;
	pthread_t thread[4];
	void *failures;
	char line[8];

	port = port_argument(argv[0]);
	for (int i = 0; i < 4; i++)
		MUST(pthread_create(&thread[i], NULL, knock, &stop));
	say("threads", 0);
	while (fgets(line, sizeof line, stdin))
		;
	stop = 1;
	for (int i = 0; i < 4; i++) {
		MUST(pthread_join(thread[i], &failures));
		EXPECT(!failures);
	}
	say("end", 0);
}

/* Which port is given for none? 0: there is none. */
static void do_bind_any(void)
{
	struct address any = address_of("127.0.0.1", 0);
	int fd = tcp_socket(AF_INET);

	printf("bind-any %d\n", bind(fd, AT(any)) == 0 ? local_port(fd) : 0);
	close(fd);
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
		} else if (strcmp(line, "bind-any\n") == 0) {
			do_bind_any();
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
	static const struct part parts[] = {{"live", live}, {"threads", threads}, {NULL, NULL}};

	(void)argc;
	alarm(20);
	return run_part(parts, argv);
}
