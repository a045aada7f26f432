/* SPDX-License-Identifier: MIT */
/* limits_sockets.c - how many sockets there can be under `limit sockets 8`, per process or
 * (with TREE set) in the session. Says only what is not as it should be. */
#include <linux/close_range.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>

#include "tests/policy/policy.h"

enum { LIMIT = 8, MANY = 64 };

static int fds[MANY], probes[MANY];

static int the_error(void)
{
	return getenv("TREE") ? ENFILE : EMFILE;
}

/* Open sockets until there is no more. Returns how many. */
static int fill_with(int *to)
{
	int n = 0;

	while (n < MANY && (to[n] = socket(AF_INET, SOCK_STREAM, 0)) >= 0)
		n++;
	EXPECT(errno == the_error());
	return n;
}

static int fill(void)
{
	return fill_with(fds);
}

static void empty(int n)
{
	while (n-- > 0)
		MUST(close(fds[n]));
}

/* There is room for so many. */
static void room(int n, int line)
{
	int found = fill_with(probes);

	if (found != n)
		printf("line %d: room for %d, not for %d\n", line, found, n);
	while (found-- > 0)
		MUST(close(probes[found]));
}
#define ROOM(n) room(n, __LINE__)

static void order(char **argv)
{
	int pair[2] = {-1, -1}, n, file;

	(void)argv;
	ROOM(LIMIT);
	n = fill();
	EXPECT(socket(4711, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
	EXPECT(socket(AF_INET, 15, 0) == -1 && errno == EINVAL);
	EXPECT(socket(AF_INET, SOCK_STREAM, 200) == -1 && errno == EPROTONOSUPPORT);
	EXPECT(socket(AF_UNIX, SOCK_DGRAM, 0) == -1 && errno == the_error());
	EXPECT((file = open("/dev/null", O_RDONLY)) >= 0);
	close(file);
	MUST(close(fds[--n]));
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 && errno == the_error());
	EXPECT(socketpair(AF_INET, SOCK_STREAM, 0, pair) == -1 && errno == EOPNOTSUPP);
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere()) == -1 && errno == EFAULT);
	ROOM(1);
	MUST(close(fds[--n]));
	EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	ROOM(0);
	close(pair[0]);
	ROOM(1);
	close(pair[1]);
	empty(n);
	ROOM(LIMIT);
}

static void dup_is_none(char **argv)
{
	int one = tcp_socket(AF_INET), two, three;

	(void)argv;
	two = (int)MUST(dup(one));
	ROOM(LIMIT - 1);
	close(two);
	ROOM(LIMIT - 1);
	two = (int)MUST(dup(one));
	three = (int)MUST(fcntl(one, F_DUPFD_CLOEXEC, 20));
	ROOM(LIMIT - 1);
	close(one);
	close(three);
	ROOM(LIMIT - 1);
	one = tcp_socket(AF_INET);
	ROOM(LIMIT - 2);
	MUST(dup2(one, two)); /* closes the first */
	ROOM(LIMIT - 1);
	MUST(dup2(0, one));
	ROOM(LIMIT - 1);
	MUST(dup2(0, two));
	ROOM(LIMIT);
	one = tcp_socket(AF_INET);
	EXPECT(dup2(99, one) == -1); /* closes nothing */
	ROOM(LIMIT - 1);
	kernel(SYS_close, one, NULL, NULL); /* nobody sees it */
	ROOM(LIMIT);
}

static void many_closed(char **argv)
{
	int n = fill();

	(void)argv;
	MUST(close_range((unsigned)fds[2], (unsigned)fds[5], 0));
	fds[2] = fds[6];
	fds[3] = fds[7];
	ROOM(4);
	empty(4);
	ROOM(LIMIT);
	n = fill();
	for (int i = 0; i < n; i++) /* nobody sees it */
		kernel(SYS_close, fds[i], NULL, NULL);
	ROOM(LIMIT);
	n = fill();
	fclose(fdopen(fds[--n], "r"));
	ROOM(1);
	empty(n);
}

static pid_t child_that(void (*act)(int), int arg, int *ready)
{
	int ends[2];
	pid_t pid;
	char byte;

	MUST(pipe(ends));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(ends[0]);
		act(arg);
		MUST(write(ends[1], "", 1));
		pause();
	}
	close(ends[1]);
	*ready = ends[0];
	MUST(read(ends[0], &byte, 1) == 1 ? 0 : -1);
	return pid;
}

static void end_child(pid_t pid, int ready)
{
	MUST(kill(pid, SIGKILL));
	MUST(waitpid(pid, NULL, 0));
	close(ready);
}

static void open_some(int n)
{
	while (n-- > 0)
		tcp_socket(AF_INET);
}

static void have_room(int n)
{
	ROOM(n);
}

static void close_one(int fd)
{
	MUST(close(fd));
}

/* A child has its parent's sockets, and they are one. */
static void forked(char **argv)
{
	bool is_tree = getenv("TREE");
	int one = tcp_socket(AF_INET), ready;
	pid_t pid;

	(void)argv;
	tcp_socket(AF_INET);
	pid = child_that(have_room, LIMIT - 2, &ready);
	ROOM(LIMIT - 2);
	end_child(pid, ready);
	pid = child_that(open_some, 3, &ready);
	ROOM(is_tree ? LIMIT - 5 : LIMIT - 2);
	close(one); /* the child has it still */
	ROOM(is_tree ? LIMIT - 5 : LIMIT - 1);
	end_child(pid, ready); /* kill -9: what it held comes back */
	ROOM(LIMIT - 1);
	one = tcp_socket(AF_INET);
	pid = child_that(close_one, one, &ready); /* we have it still */
	ROOM(LIMIT - 2);
	close(one);
	ROOM(LIMIT - 1);
	end_child(pid, ready);
	pid = child_that(open_some, 6, &ready);
	ROOM(is_tree ? 1 : LIMIT - 1);
	end_child(pid, ready);
}

/* A fork that the library does not see: it learns of it with the child's next call. */
static void forked_unseen(char **argv)
{
	bool is_tree = getenv("TREE");
	int one = tcp_socket(AF_INET), ends[2];
	pid_t pid;
	char byte;

	(void)argv;
	ROOM(LIMIT - 1);
	MUST(pipe(ends));
	pid = (pid_t)kernel(SYS_clone, SIGCHLD, NULL, NULL);
	if (pid == 0) {
		ROOM(LIMIT - 1);
		MUST(write(ends[1], "", 1));
		pause();
	}
	MUST(read(ends[0], &byte, 1) == 1 ? 0 : -1);
	close(one);
	ROOM(is_tree ? LIMIT - 1 : LIMIT);
	one = tcp_socket(AF_INET);
	ROOM(is_tree ? LIMIT - 2 : LIMIT - 1);
	close(ends[1]);
	end_child(pid, ends[0]);
	ROOM(LIMIT - 1);
}

/* After exec: those that are not close-on-exec. argv: the number of sockets there, and one of
 * two descriptors of one. */
static void successor(char **argv)
{
	ROOM(LIMIT - atoi(argv[0]));
	close(atoi(argv[1]));
	ROOM(LIMIT - atoi(argv[0]));
}

static void exec(char **argv)
{
	char part[] = "successor", number[] = "2", second[16], self[] = "/proc/self/exe";
	char *args[] = {self, part, number, second, NULL};
	bool is_tree = getenv("TREE");
	int status = 0;
	pid_t pid;

	(void)argv;
	tcp_socket(AF_INET);
	snprintf(second, sizeof second, "%ld", MUST(dup(tcp_socket(AF_INET))));
	MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	number[0] = is_tree ? '3' : '2'; /* its parent has the other */
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		execv(self, args);
		_exit(98);
	}
	MUST(waitpid(pid, &status, 0));
	EXPECT(status == 0);
	number[0] = '2';
	execv(self, args);
}

static void send_fds(int to, const int *what, int n)
{
	struct message m;

	message_out(&m, "x", NULL);
	message_carry(&m, what, n);
	MUST(sendmsg(to, &m.hdr, 0));
}

static int receive(int from, int *what)
{
	struct message m;

	message_in(&m);
	MUST(recvmsg(from, &m.hdr, 0));
	return message_fds(&m, what);
}

/* In the room that the pair leaves; what is received was counted before, or not at all. */
static void rights(char **argv)
{
	int pair[2], one, got[MESSAGE_FDS];

	(void)argv;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	one = tcp_socket(AF_INET);
	send_fds(pair[0], &one, 1);
	EXPECT(receive(pair[1], got) == 1);
	ROOM(LIMIT - 3); /* one socket */
	close(one);
	ROOM(LIMIT - 3);
	close(got[0]);
	ROOM(LIMIT - 2);
	one = tcp_socket(AF_INET);
	send_fds(pair[0], &one, 1);
	close(one);
	EXPECT(receive(pair[1], got) == 1);
	ROOM(LIMIT - 3);
	close(got[0]);
	ROOM(LIMIT - 2);
}

static void accepting(char **argv)
{
	int listener = listening_at("127.0.0.1", 0, 5), idle, file, client, n;
	struct address at = EMPTY_ADDRESS, first = EMPTY_ADDRESS, peer = EMPTY_ADDRESS;

	(void)argv;
	idle = listening_at("127.0.0.1", 0, 5);
	file = (int)MUST(open("/dev/null", O_RDONLY));
	MUST(getsockname(listener, INTO(at)));
	client = tcp_socket(AF_INET);
	MUST(connect(client, AT(at)));
	MUST(getsockname(client, INTO(first)));
	n = fill();
	EXPECT(n == LIMIT - 3);
	for (int i = 0; i < 3; i++)
		EXPECT(accept(listener, NULL, NULL) == -1 && errno == the_error());
	EXPECT(has_input(listener));
	EXPECT(accept(idle, NULL, NULL) == -1 && errno == the_error());
	EXPECT(accept(fds[0], NULL, NULL) == -1 && errno == the_error());
	EXPECT(accept(file, NULL, NULL) == -1 && errno == the_error());
	EXPECT(accept(99, NULL, NULL) == -1 && errno == EBADF);
	EXPECT(accept4(listener, NULL, NULL, 4711) == -1 && errno == EINVAL);
	close(fds[--n]);
	EXPECT(accept(file, NULL, NULL) == -1 && errno == ENOTSOCK);
	EXPECT(accept(fds[0], NULL, NULL) == -1 && errno == EINVAL);
	MUST(fcntl(idle, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 3 * LIMIT; i++)
		EXPECT(accept(idle, NULL, NULL) == -1 && errno == EAGAIN);
	fds[n] = accept(listener, INTO(peer));
	EXPECT(fds[n++] >= 0 && port_of(&peer) == port_of(&first));
	ROOM(0);
	empty(n);
	ROOM(LIMIT - 3);
}

/* ---- threads ---- */

static _Atomic int open_now, most, refused;

static void *hammer(void *seed)
{
	unsigned draw = (unsigned)(uintptr_t)seed;
	int own[LIMIT], n = 0;

	for (int i = 0; i < 3000; i++) {
		draw = draw * 1103515245 + 12345;
		if (n == 0 || (n < LIMIT && draw >> 16 & 1)) {
			int fd = socket(AF_INET, SOCK_STREAM, 0), now;

			if (fd < 0) {
				refused++;
				continue;
			}
			now = ++open_now;
			if (now > most)
				most = now;
			own[n++] = fd;
		} else {
			open_now--;
			close(own[--n]);
		}
	}
	while (n > 0) {
		open_now--;
		close(own[--n]);
	}
	return NULL;
}

static void threads(char **argv)
{
	pthread_t thread[4];

	(void)argv;
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, hammer, (void *)(i + 1));
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	EXPECT(most == LIMIT);
	EXPECT(refused > 0);
	ROOM(LIMIT);
}

/* ---- several processes ---- */

struct shared {
	_Atomic int open, most, refused;
};

static void hammer_process(struct shared *shared, unsigned draw)
{
	int own[LIMIT], n = 0;

	for (int i = 0; i < 1500; i++) {
		draw = draw * 1103515245 + 12345;
		if (n == 0 || (n < LIMIT && draw >> 16 & 1)) {
			int fd = socket(AF_INET, SOCK_STREAM, 0), now;

			if (fd < 0) {
				shared->refused++;
				continue;
			}
			now = ++shared->open;
			if (now > shared->most)
				shared->most = now;
			own[n++] = fd;
		} else {
			shared->open--;
			close(own[--n]);
		}
	}
	shared->open -= n; /* ends with them */
	_exit(0);
}

static void processes(char **argv)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)argv;
	for (unsigned i = 0; i < 4; i++)
		if (MUST(fork()) == 0)
			hammer_process(shared, i + 1);
	for (int i = 0; i < 4; i++)
		MUST(wait(NULL));
	EXPECT(shared->most == LIMIT);
	EXPECT(shared->refused > 0);
	ROOM(LIMIT);
}

static void *wait_in_accept(void *listener)
{
	accept(*(int *)listener, NULL, NULL);
	return NULL;
}

static sigjmp_buf way_out;

static void jump_out(int number)
{
	(void)number;
	siglongjmp(way_out, 1);
}

/* Accepts that never return have no place any more: their threads are cancelled, or a handler
 * jumps out. */
static void left(char **argv)
{
	int listener = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	pthread_t thread;

	(void)argv;
	MUST(listen(listener, 1));
	for (int i = 0; i < 2 * LIMIT; i++) {
		MUST(pthread_create(&thread, NULL, wait_in_accept, &listener));
		usleep(5000);
		MUST(pthread_cancel(thread));
		MUST(pthread_join(thread, NULL));
	}
	ROOM(LIMIT - 1);
	signal(SIGALRM, jump_out);
	for (volatile int i = 0; i < 2 * LIMIT; i++)
		if (!sigsetjmp(way_out, 1)) {
			ualarm(5000, 0);
			EXPECT(accept(listener, NULL, NULL) == 0); /* does not return */
		}
	pthread_create(&thread, NULL, wait_in_accept, &listener);
	usleep(20000);
	ROOM(LIMIT - 3); /* the one that waits, and the last one that was left */
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {{"order", order},
	                                    {"fork-unseen", forked_unseen},
	                                    {"dup", dup_is_none},
	                                    {"close", many_closed},
	                                    {"fork", forked},
	                                    {"exec", exec},
	                                    {"successor", successor},
	                                    {"rights", rights},
	                                    {"accept", accepting},
	                                    {"threads", threads},
	                                    {"processes", processes},
	                                    {"left", left},
	                                    {NULL, NULL}};

	(void)argc;
	return run_part(parts, argv);
}
