/* SPDX-License-Identifier: MIT */
/* limits_fds.c - what every call says when descriptors run out. Run bare under `ulimit -n 16`
 * and under `limit fds 16`: the same. With RULED unset it has no privileges. */
#include <linux/capability.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "tests/policy/policy.h"

enum { LIMIT = 16 };

extern char **environ;

static void drop_privileges(void)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[2] = {{0}, {0}};

	if (!is_ruled())
		MUST(syscall(SYS_capset, &head, none));
}

static void close_all(void)
{
	for (int fd = 3; fd < 2 * LIMIT; fd++)
		close(fd);
}

static void fill(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		;
}

static void table(char **argv)
{
	int pair[2] = {-1, -1};

	(void)argv;
	close_all();
	MUST(socket(AF_INET, SOCK_STREAM, 0));
	fill();
	section("what makes one");
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(socket(AF_INET6, SOCK_DGRAM, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM, 0));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TRY(dup(0));
	TRY(dup(3));
	TRY(fcntl(0, F_DUPFD, 0));
	TRY(fcntl(3, F_DUPFD_CLOEXEC, 5));
	TRY(open("/dev/null", O_RDONLY));
	TRY(pipe(pair));
	TRY(epoll_create1(0));
	TRY(eventfd(0, 0));
	section("what comes before");
	TRY(socket(4711, SOCK_STREAM, 0));
	TRY(socket(AF_INET, 9, 0));
	TRY(socket(AF_INET, SOCK_STREAM, 4711));
	TRY(dup(99));
	TRY(fcntl(0, F_DUPFD, LIMIT));
	TRY(dup2(0, LIMIT));
	TRY(dup3(0, LIMIT, 0));
	TRY(dup2(0, 5));
	TRY(dup2(3, LIMIT - 1));
	section("one free");
	close(7);
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	TRY(pipe(pair));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
}

static void accepting(char **argv)
{
	struct address at, peer = EMPTY_ADDRESS, first = EMPTY_ADDRESS;
	int listener, empty, plain, file, one, two;

	(void)argv;
	close_all();
	listener = listening_at("127.0.0.1", 0, 5);
	empty = listening_at("127.0.0.1", 0, 5);
	plain = tcp_socket(AF_INET);
	file = (int)MUST(open("/dev/null", O_RDONLY));
	at = EMPTY_ADDRESS;
	MUST(getsockname(listener, INTO(at)));
	one = tcp_socket(AF_INET);
	two = tcp_socket(AF_INET);
	MUST(connect(one, AT(at)));
	MUST(getsockname(one, INTO(first)));
	MUST(connect(two, AT(at)));
	MUST(fcntl(empty, F_SETFL, O_NONBLOCK));
	TRY(accept(empty, NULL, NULL));
	fill();
	section("at the limit");
	TRY(accept(listener, NULL, NULL));
	TRY(has_input(listener));
	TRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	TRY(accept(empty, NULL, NULL));
	TRY(accept(plain, NULL, NULL));
	TRY(accept(file, NULL, NULL));
	TRY(accept(99, NULL, NULL));
	TRY(accept4(listener, NULL, NULL, 4711));
	TRY(connect(plain, AT(at)));
	section("one free");
	close(LIMIT - 1);
	TRY(accept(listener, INTO(peer)));
	printf("the first: %d\n", port_of(&peer) == port_of(&first));
}

static void show(void)
{
	struct rlimit limit = {0, 0};

	TRY(getrlimit(RLIMIT_NOFILE, &limit));
	printf("soft %ld, hard %ld; %ld %d\n", (long)limit.rlim_cur, (long)limit.rlim_max,
	       sysconf(_SC_OPEN_MAX), getdtablesize());
	limit = (struct rlimit){0, 0};
	TRY(prlimit(0, RLIMIT_NOFILE, NULL, &limit));
	printf("soft %ld, hard %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
	limit = (struct rlimit){0, 0};
	TRY(syscall(SYS_prlimit64, getpid(), RLIMIT_NOFILE, NULL, &limit));
	printf("soft %ld, hard %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
}

static void set(long soft, long hard)
{
	struct rlimit limit = {(rlim_t)soft, (rlim_t)hard};

	printf("%ld %ld: ", soft, hard);
	TRY(setrlimit(RLIMIT_NOFILE, &limit));
	show();
}

static void raise_limit(char **argv)
{
	struct rlimit limit = {LIMIT + 1, LIMIT + 1}, old = {0, 0};

	(void)argv;
	drop_privileges();
	show();
	section("above");
	set(LIMIT, LIMIT + 1);
	set(LIMIT + 1, LIMIT + 1);
	set(LIMIT + 1, LIMIT);
	set(1 << 30, 1 << 30);
	set(-1, -1);
	set(3, -1);
	TRY(prlimit(0, RLIMIT_NOFILE, &limit, &old));
	TRY(prlimit(getpid(), RLIMIT_NOFILE, &limit, NULL));
	TRY(syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, NULL));
	TRY(setrlimit(RLIMIT_NOFILE, nowhere()));
	TRY(getrlimit(RLIMIT_NOFILE, nowhere()));
	section("as it is");
	set(LIMIT, LIMIT);
	section("down and up");
	set(10, LIMIT);
	set(LIMIT, LIMIT);
	limit = (struct rlimit){11, LIMIT};
	TRY(prlimit(0, RLIMIT_NOFILE, &limit, &old));
	printf("old: soft %ld, hard %ld\n", (long)old.rlim_cur, (long)old.rlim_max);
	set(12, 12);
	set(12, LIMIT);
	set(13, 12);
	set(4, 12);
	section("what is above stays");
	close(3);
	TRY(fcntl(0, F_DUPFD, 3));
	set(3, 12);
	TRY(fcntl(3, F_GETFD));
	TRY(dup(0));
	set(12, 12);
	TRY(dup(3));
}

/* What a descendant has, however it was made. */
static void tell(char **argv)
{
	struct rlimit limit = {0, 0};

	(void)argv;
	MUST(getrlimit(RLIMIT_NOFILE, &limit));
	printf("soft %ld, hard %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
}

static void await(pid_t pid)
{
	int status;

	MUST(pid);
	MUST(waitpid(pid, &status, 0));
	if (status)
		printf("status %x\n", (unsigned)status);
}

static void run(const char *how, char *const argv[], char *const envp[])
{
	pid_t pid = 0;

	printf("%s: ", how);
	fflush(stdout);
	if (strcmp(how, "spawn") == 0) {
		MUST(posix_spawn(&pid, argv[0], NULL, NULL, argv, envp));
	} else {
		pid = how[0] == 'v' ? vfork() : fork();
		if (pid == 0) {
			execve(argv[0], argv, envp);
			_exit(98);
		}
	}
	await(pid);
}

/* argv: programs that tell. */
static void descendants(char **argv)
{
	static char *const nothing[] = {NULL};
	char part[] = "tell";
	struct rlimit limit = {10, LIMIT};
	pid_t pid;

	tell(NULL);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; argv[i]; i++) {
			char *args[] = {argv[i], part, NULL};

			printf("%s\n", strrchr(argv[i], '/') + 1);
			run("fork", args, environ);
			run("vfork", args, environ);
			run("spawn", args, environ);
			run("fork, nothing", args, nothing);
			run("spawn", args, nothing);
		}
		section("lowered");
		MUST(setrlimit(RLIMIT_NOFILE, &limit));
	}
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		tell(NULL);
		exit(0);
	}
	await(pid);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"table", table}, {"accept", accepting},        {"raise", raise_limit},
	        {"tell", tell},   {"descendants", descendants}, {NULL, NULL}};

	(void)argc;
	return run_part(parts, argv);
}
