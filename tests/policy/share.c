/* SPDX-License-Identifier: MIT */
/* share.c - who holds the ports of a range: names of a socket, processes, sessions. */
#include "range.h"

/* ---- who else holds a port ---- */

static void come_back(char **argv)
{
	struct address any = address_of("127.0.0.1", 0);
	int fds[MOST], fd, two, pair[2];
	struct message m;
	pid_t pid;

	take_range(argv);
	for (int i = 0; i < n; i++) {
		fds[i] = confined(AF_INET, SOCK_STREAM);
		MUST(bind(fds[i], AT(any)));
	}
	fd = confined(AF_INET, SOCK_STREAM);
	section("a duplicate");
	two = dup(fds[0]);
	MUST(close(fds[0]));
	TRY(bind(fd, AT(any)));
	MUST(dup2(0, two));
	TRY(bind(fd, AT(any)));
	section("a child");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pid = fork();
	if (pid == 0) {
		read(pair[1], &(char){0}, 1);
		_exit(0);
	}
	MUST(close(fds[1]));
	fds[1] = confined(AF_INET, SOCK_STREAM);
	TRY(bind(fds[1], AT(any)));
	MUST(write(pair[0], "x", 1));
	show_child("child", pid);
	TRY(bind(fds[1], AT(any)));
	section("in flight");
	message_out(&m, "x", NULL);
	message_carry(&m, &fds[2], 1);
	MUST(sendmsg(pair[0], &m.hdr, 0));
	MUST(close(fds[2]));
	fds[2] = confined(AF_INET, SOCK_STREAM);
	TRY(bind(fds[2], AT(any)));
	MUST(close(pair[0]));
	MUST(close(pair[1]));
	TRY(bind(fds[2], AT(any)));
}

/* ---- several processes share the range ---- */

/* Each holds one port at a time; there are as many ports as processes: nobody is ever
 * told that there is none, nobody has another's. Under rules alone. */
static void fair(char **argv)
{
	struct address any = address_of("127.0.0.1", 0);
	_Atomic int *holders = mmap(NULL, 65536 * sizeof(int), PROT_READ | PROT_WRITE,
	                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid[MOST];
	int fd, port, status, failures = 0, turns = argv[2] ? atoi(argv[2]) : 200;

	take_range(argv);
	for (int p = 0; p < n; p++) {
		pid[p] = fork();
		if (pid[p])
			continue;
		for (int i = 0; i < turns; i++) {
			fd = tcp_socket(AF_INET);
			if (i % 2)
				MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1},
				                sizeof(int)));
			if (bind(fd, AT(any)) != 0) {
				failures++;
			} else {
				port = local_port(fd);
				failures += port < low || port > high || holders[port]++ != 0;
				holders[port]--;
			}
			close(fd);
		}
		_exit(failures < 100 ? failures : 100);
	}
	for (int p = 0; p < n; p++) {
		waitpid(pid[p], &status, 0);
		EXPECT(status == 0);
	}
}

/* ---- from auto ---- */

/* Prints the first and the last port of the range that it is given. */
static void slice(char **argv)
{
	struct address any = address_of("127.0.0.1", 0);
	int fds[200], i, first = 65536, last = 0;

	(void)argv;
	for (i = 0; i < 200; i++) {
		fds[i] = tcp_socket(AF_INET);
		if (bind(fds[i], AT(any)) != 0)
			break;
		if (local_port(fds[i]) < first)
			first = local_port(fds[i]);
		if (local_port(fds[i]) > last)
			last = local_port(fds[i]);
	}
	printf("%d %d %d\n", first, last, i);
}

/* The same, and waits until its standard input ends: in a child of the first program. */
static void slice_child(char **argv)
{
	pid_t pid = fork();

	if (pid != 0)
		_exit(0);
	usleep(30000); /* the creator of the session has gone */
	alarm(20);
	slice(argv);
	fflush(stdout);
	while (read(0, &(char){0}, 1) > 0)
		;
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"come-back", come_back},     {"fair", fair}, {"slice", slice},
	        {"slice-child", slice_child}, {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
