/* SPDX-License-Identifier: MIT */
/* ports_hold.c - who holds a port, and when it comes back. See ports.h. */
#include <sched.h>
#include <signal.h>

#include "ports.h"

static struct address local;

/* All ports are taken; fds[0] has one of them. */
static void fill(int *fds)
{
	for (int i = 0; i < N; i++) {
		fds[i] = with(tcp(), SOL_SOCKET, 0);
		MUST(bind(fds[i], AT(local)));
	}
}

/* Is there a port to be had? */
static void ask(const char *what)
{
	int fd = tcp();

	printf("%s: ", what);
	TRY(bind(fd, AT(local)));
	MUST(close(fd));
}

static void names(char **argv)
{
	int fds[N], two;
	FILE *stream;

	(void)argv;
	local = here(0);
	fill(fds);
	ask("all taken");
	two = dup(fds[0]);
	MUST(close(fds[0]));
	ask("a duplicate holds it");
	MUST(dup2(0, two));
	ask("dup2 over it");
	fds[0] = tcp();
	MUST(bind(fds[0], AT(local)));
	ask("all taken");
	stream = fdopen(fds[0], "r+");
	MUST(fclose(stream));
	ask("fclose");
	fds[0] = tcp();
	MUST(bind(fds[0], AT(local)));
	MUST(dup2(fds[0], 900));
	MUST(close(fds[0]));
	ask("at 900");
	MUST(close_range(900, 900, 0));
	ask("close_range");
	fds[0] = tcp();
	MUST(bind(fds[0], AT(local)));
	shutdown(fds[0], SHUT_RDWR);
	ask("shutdown");
}

static void children(char **argv)
{
	int fds[N], pipes[2];
	pid_t pid;

	(void)argv;
	local = here(0);
	fill(fds);
	MUST(pipe(pipes));
	pid = fork();
	if (pid == 0) {
		close(pipes[1]);
		read(pipes[0], &(char){0}, 1);
		_exit(0);
	}
	MUST(close(fds[0]));
	ask("a child holds it");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ask("it was killed");
	fds[0] = tcp();
	MUST(bind(fds[0], AT(local)));
	MUST(fcntl(pipes[1], F_SETFD, FD_CLOEXEC));
	pid = fork();
	if (pid == 0) {
		dup2(pipes[0], 0);
		execlp("cat", "cat", NULL);
		_exit(127);
	}
	close(pipes[0]);
	MUST(close(fds[0]));
	ask("another program holds it");
	MUST(close(pipes[1]));
	waitpid(pid, NULL, 0);
	ask("it has ended");
}

static void in_flight(char **argv)
{
	int fds[N], pair[2];
	struct message m;

	(void)argv;
	local = here(0);
	fill(fds);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	message_out(&m, "x", NULL);
	message_carry(&m, &fds[0], 1);
	MUST(sendmsg(pair[0], &m.hdr, 0));
	MUST(close(fds[0]));
	ask("in flight");
	message_in(&m);
	MUST(recvmsg(pair[1], &m.hdr, 0));
	MUST(message_fds(&m, fds) == 1 ? 0 : -1);
	ask("received");
	MUST(close(fds[0]));
	ask("closed");
}

/* Four processes, each with a connection of its own; then four with a port each. */
static void processes(char **argv)
{
	int ready[2], fds[N];
	pid_t pid[N];

	(void)argv;
	local = here(0);
	serve();
	MUST(pipe(ready));
	for (int i = 0; i < N; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			fds[i] = tcp();
			if (reach(fds[i], &to[0]) == 0)
				write(ready[1], "y", 1);
			else
				write(ready[1], "n", 1);
			pause();
		}
		MUST(read(ready[0], &(char){0}, 1));
	}
	TRY(reach(tcp(), &to[0]));
	ask("connected elsewhere");
	for (int i = 0; i < N; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	fds[0] = (int)MUST(accept(server[0], NULL, NULL));
	MUST(close(server[0])); /* those that wait are reset */
	for (int i = 0; i < N; i++) {
		fds[i] = tcp();
		TRY(reach(fds[i], &to[1]));
	}
	TRY(reach(tcp(), &to[1]));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"names", names},         {"children", children}, {"in-flight", in_flight},
	        {"processes", processes}, {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
