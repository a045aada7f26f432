/* SPDX-License-Identifier: MIT */
/* faults_others - what makes, names and ends sockets, and fails; calls from signal handlers, and
 * of processes that may make no others. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <sys/prctl.h>

#include "faults.h"
#include "sys/raw.h"

/* ---- accept ---- */

/* At the limit of descriptors, or under the rule: the connection stays. */
static void take_descriptors(bool away)
{
	static struct rlimit before;
	struct rlimit limit;

	if (is_ruled())
		return;
	if (away)
		MUST(getrlimit(RLIMIT_NOFILE, &before));
	limit = before;
	limit.rlim_cur = away ? 3 : before.rlim_cur;
	MUST(setrlimit(RLIMIT_NOFILE, &limit));
}

static void accept_fails(char **argv)
{
	int listener = listening("127.0.0.1", 4), client, fd;
	struct address from = EMPTY_ADDRESS;

	(void)argv;
	watch(listener);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
		client = connected_to(listener, SOCK_STREAM);
		wait_for(listener, POLLIN);
		take_descriptors(true);
		if (i == 2)
			TRY(accept4(listener, INTO(from), SOCK_CLOEXEC));
		else
			TRY(accept(listener, INTO(from)));
		take_descriptors(false);
		show_poll("listener", listener);
		printf("epoll %x, edge %x\n", events_of(epolls[0], 0), events_of(epolls[1], 0));
		fd = (int)MUST(accept(listener, NULL, NULL));
		printf("%s\n", peer_port(fd) == local_port(client) ? "the same" : "another");
		MUST(close(client));
		MUST(close(fd));
	}
	take_descriptors(true);
	TRY(accept(listener, NULL, NULL)); /* nobody waits there */
	take_descriptors(false);
	TRY(accept(listener, NULL, NULL));
	unwatch();
}

/* ---- close, socket, bind, listen, getaddrinfo: only under the rule ---- */

static void close_fails(char **argv)
{
	int pair[2];
	char byte;

	(void)argv;
	make_pair(pair);
	TRY(close(pair[0]));
	TRY(fcntl(pair[0], F_GETFD));
	TRY(recv(pair[1], &byte, 1, 0));
	TRY(close(pair[0]));
	TRY(syscall(SYS_close, pair[1]));
	TRY(close(pair[1]));
	TRY(close((int)MUST(open("/dev/null", O_RDONLY))));
	pair[0] = tcp_socket(AF_INET);
	raw_close(pair[0]); /* unseen */
	TRY(close(pair[0]));
	show_fds();
}

static void nothing_is_made(char **argv)
{
	struct address any = address_of("127.0.0.1", 0);
	int pair[2] = {-1, -1}, fd;

	(void)argv;
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	printf("%d %d\n", pair[0], pair[1]);
	show_fds();
	fd = tcp_socket(AF_INET);
	TRY(bind(fd, AT(any)));
	printf("port %d\n", local_port(fd));
	TRY(bind(fd, AT(any)));
	TRY(listen(fd, 1));
	show_poll("not listening", fd);
	TRY(listen(fd, 1));
	MUST(close(connected_to(fd, SOCK_STREAM)));
}

static void resolve(char **argv)
{
	struct addrinfo *list = NULL;
	int error;

	(void)argv;
	for (int i = 0; i < 3; i++) {
		errno = UNTOUCHED;
		error = getaddrinfo("127.0.0.1", NULL, NULL, &list);
		printf("getaddrinfo: %d", error);
		print_errno(errno);
		if (error == 0)
			freeaddrinfo(list);
	}
}

/* ---- connect, interrupted ---- */

static void handle(int number)
{
	(void)number;
}

/* Bare: the peer's queue is full, and has room only after the signal. */
static void interrupted(char **argv)
{
	int listener = listening("127.0.0.1", 0), filler = connected_to(listener, SOCK_STREAM), fd;
	struct sigaction action = {.sa_handler = handle};
	struct itimerval soon = {.it_value = {0, 200000}};
	struct address to = local_of(listener);

	(void)argv;
	sigaction(SIGALRM, &action, NULL);
	fd = tcp_socket(AF_INET);
	if (!is_ruled())
		MUST(setitimer(ITIMER_REAL, &soon, NULL));
	else
		MUST(close((int)MUST(accept(listener, NULL, NULL))));
	TRY(connect(fd, AT(to)));
	if (!is_ruled())
		MUST(accept(listener, NULL, NULL));
	wait_for(fd, POLLOUT);
	watch(fd);
	see(fd);
	see_error(fd);
	TRY(connect(fd, AT(to)));
	TRY(connect(fd, AT(to)));
	printf("flags %x\n", (unsigned)fcntl(fd, F_GETFL) & O_NONBLOCK);
	MUST(send(fd, "x", 1, 0));
	MUST(close(filler));
}

/* ---- places ---- */

static struct address aim;

static void connect_from_handler(int number)
{
	int fd = tcp_socket(AF_INET), error = errno = UNTOUCHED;
	bool failed = connect(fd, AT(aim)) == -1 && errno == ETIMEDOUT;

	(void)number;
	if (write(STDOUT_FILENO, failed ? "failed\n" : "passed\n", 7) != 7)
		abort();
	MUST(close(fd));
	errno = error;
}

static void handler(char **argv)
{
	int listener = listening("127.0.0.1", 16);

	(void)argv;
	aim = local_of(listener);
	signal(SIGUSR1, connect_from_handler);
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
}

/* Calls that end the process if they are made: what the library would ask for itself. */
static void forbid(void)
{
#define FORBID(number)                                                                             \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),                                         \
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
	struct sock_filter filter[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        FORBID(SYS_getpeername),
	        FORBID(SYS_getsockname),
	        FORBID(SYS_getsockopt),
	        FORBID(SYS_shutdown),
	        FORBID(SYS_fcntl),
	        FORBID(SYS_ppoll),
	        FORBID(SYS_socket),
	        FORBID(SYS_clock_nanosleep),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void sandbox(char **argv)
{
	int pair[2], fds[3], listener = listening("127.0.0.1", 4);
	struct address to = local_of(listener);
	char byte;

	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	make_pair(pair);
	for (int i = 0; i < 3; i++)
		fds[i] = tcp_socket(AF_INET);
	MUST(fcntl(fds[1], F_SETFL, O_NONBLOCK));
	forbid();
	TRY(connect(fds[0], AT(to)));
	TRY(connect(fds[1], AT(to)));
	TRY(connect(fds[1], AT(to)));
	TRY(connect(fds[2], AT(to)));
	TRY(send(pair[0], "x", 1, 0));
	TRY(recv(pair[0], &byte, 1, 0));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(accept(listener, NULL, NULL));
	TRY(bind(fds[0], AT(to)));
	TRY(listen(fds[0], 1));
	TRY(close(fds[0]));
	printf("alive\n");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"accept", accept_fails},     {"close", close_fails},
	        {"made", nothing_is_made},    {"resolve", resolve},
	        {"interrupted", interrupted}, {"handler", handler},
	        {"sandbox", sandbox},         {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
