/* SPDX-License-Identifier: MIT */
/* people.c - who a rule is for, and from where it is reached: threads, signal handlers,
 * children, libc's own names; unix sockets. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "policy.h"

int rresvport(int *port);
int rresvport_af(int *port, sa_family_t family);
extern char **environ;

static struct address good, bad;
static volatile sig_atomic_t handled, wrong;

/* ---- many at once ---- */

static void *knock(void *nothing)
{
	long failures = 0;

	(void)nothing;
	for (int i = 0; i < 300; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		errno = UNTOUCHED;
		failures += connect(fd, AT(bad)) != -1 || errno != EACCES;
		errno = UNTOUCHED;
		failures += connect(fd, AT(good)) != 0 || errno != UNTOUCHED;
		errno = UNTOUCHED;
		failures += sendto(fd, "x", 1, 0, AT(bad)) != -1 || errno != EACCES;
		failures += send(fd, "x", 1, MSG_DONTWAIT) != 1 && errno != ECONNREFUSED;
		close(fd);
	}
	return (void *)failures;
}

/* Run only under rules: deny any udp :PORT */
static void threads(char **argv)
{
	pthread_t thread[8];
	void *failures;

	bad = address_of("127.0.0.1", port_argument(argv[0]));
	good = address_of("127.0.0.1", port_argument(argv[1]));
	for (int i = 0; i < 8; i++)
		MUST(pthread_create(&thread[i], NULL, knock, NULL));
	for (int i = 0; i < 8; i++) {
		MUST(pthread_join(thread[i], &failures));
		EXPECT(!failures);
	}
}

static void on_signal(int number)
{
	int error = errno, fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)number;
	handled++;
	if (connect(fd, AT(bad)) != -1 || errno != EACCES || connect(fd, AT(good)) != 0)
		wrong++;
	close(fd);
	errno = error;
}

static void signals(char **argv)
{
	const struct itimerval often = {.it_interval.tv_usec = 500, .it_value.tv_usec = 500};
	const struct itimerval never = {.it_value.tv_usec = 0};

	bad = address_of("127.0.0.1", port_argument(argv[0]));
	good = address_of("127.0.0.1", port_argument(argv[1]));
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_signal, .sa_flags = SA_RESTART},
	          NULL);
	MUST(setitimer(ITIMER_REAL, &often, NULL));
	for (int i = 0; i < 20 || handled < 20; i++)
		EXPECT(!knock(NULL));
	MUST(setitimer(ITIMER_REAL, &never, NULL));
	EXPECT(!wrong);
}

/* ---- children ---- */

/* The last one of a family says what it may do: TCP connect to PORT. */
static void child(char **argv)
{
	struct address to = address_of("127.0.0.1", port_argument(argv[0]));
	int fd = tcp_socket(AF_INET), ret;

	ret = connect(fd, AT(to));
	printf("%s\n", ret == 0 ? "connected" : error_name(errno));
}

static void start(char *const argv[], char *const envp[], pid_t (*make)(void))
{
	pid_t pid;
	int status = -1;

	fflush(stdout);
	pid = make();
	if (pid == 0) {
		execve("/proc/self/exe", argv, envp);
		_exit(98);
	}
	waitpid(pid, &status, 0);
	EXPECT(status == 0);
}

static void family(char **argv)
{
	char *one[] = {"people", "child", argv[0], NULL};
	char *two[] = {"people", "grandchild", argv[0], NULL};
	char *empty[] = {NULL};
	pid_t pid;
	int status;

	child(argv);
	start(one, environ, fork);
	start(one, empty, fork);
	start(two, empty, fork);
	fflush(stdout);
	pid = vfork(); /* NOLINT */
	if (pid == 0) {
		execve("/proc/self/exe", one, empty);
		_exit(98);
	}
	waitpid(pid, &status, 0);
	EXPECT(status == 0);
	pid = fork();
	if (pid == 0) {
		child(argv);
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
}

static void grandchild(char **argv)
{
	char *one[] = {"people", "child", argv[0], NULL}, *empty[] = {NULL};

	start(one, empty, fork);
	execve("/proc/self/exe", one, empty);
}

/* A session has its rules, whatever a child finds in its environment. */
static void emptied(char **argv)
{
	char *one[] = {"people", "child", argv[0], NULL};
	char *envp[] = {"TCPSHIM_RULES=", "TCPSHIM_RULES_FILE=", "A=B", NULL};

	start(one, envp, fork);
}

/* Multipath TCP is TCP, for rules. */
static void multipath(char **argv)
{
	struct address to = address_of("127.0.0.1", port_argument(argv[0]));
	int fd = socket(AF_INET, SOCK_STREAM, 262);

	if (fd == -1)
		return; /* a kernel without it */
	EXPECT(connect(fd, AT(to)) == -1 && errno == EACCES);
	EXPECT(bind(fd, AT(to)) == -1 && errno == EPERM);
}

/* By number. */
static void numbers(char **argv)
{
	struct address to = address_of("127.0.0.1", port_argument(argv[0]));
	int fd = tcp_socket(AF_INET), udp = udp_socket(AF_INET);
	struct message m;

	message_out(&m, "x", &to);
	EXPECT(syscall(SYS_connect, fd, &to.any, to.len) == -1 && errno == EACCES);
	EXPECT(syscall(SYS_bind, fd, &to.any, to.len) == -1 && errno == EPERM);
	EXPECT(syscall(SYS_sendto, udp, "x", 1, 0, &to.any, to.len) == -1 && errno == EACCES);
	EXPECT(syscall(SYS_sendmsg, udp, &m.hdr, 0) == -1 && errno == EACCES);
	EXPECT(syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0) == -1 && errno == ENFILE);
	EXPECT(syscall(SYS_close, fd) == 0 && syscall(SYS_close, udp) == 0);
}

/* ---- libc binds inside ---- */

static void reserved(char **argv)
{
	int fd = tcp_socket(AF_INET), port = 0;
	struct sockaddr_in in = {.sin_family = AF_INET};

	(void)argv;
	EXPECT(bindresvport(fd, NULL) == -1 && errno == EACCES);
	EXPECT(bindresvport(fd, &in) == -1 && errno == EACCES);
	EXPECT(is_told(fd, "0.0.0.0", 0));
	EXPECT(rresvport(&port) == -1 && errno == EACCES);
	EXPECT(rresvport_af(&port, AF_INET6) == -1 && errno == EACCES);
}

/* ---- unix ---- */

static struct address at_path(const char *dir, const char *name)
{
	struct address a = {.un.sun_family = AF_UNIX};

	snprintf(a.un.sun_path, sizeof a.un.sun_path, "%s/%s", dir, name);
	a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(a.un.sun_path) + 1);
	return a;
}

static struct address abstract(const char *name)
{
	struct address a = {.un.sun_family = AF_UNIX};

	memcpy(a.un.sun_path + 1, name, strlen(name));
	a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
	return a;
}

static int unix_socket(int type)
{
	return (int)MUST(socket(AF_UNIX, type, 0));
}

/* Under: deny bind unix DIR/no-*; deny connect unix DIR/x.sock; deny bind unix @NAME-no;
 * deny send unix DIR/d.sock; deny accept unix is not asked here. */
static void unix_sockets(char **argv)
{
	struct address no = at_path(argv[0], "no-1"), yes = at_path(argv[0], "x.sock");
	struct address d = at_path(argv[0], "d.sock"), name = abstract(argv[1]);
	struct address other = abstract(argv[2]), unnamed = {.len = sizeof(sa_family_t)};
	int listener = unix_socket(SOCK_STREAM), dgram = unix_socket(SOCK_DGRAM);
	struct stat st;

	unnamed.any.sa_family = AF_UNIX;
	DENY(bind(unix_socket(SOCK_STREAM), AT(no)));
	if (is_ruled())
		EXPECT(stat(no.un.sun_path, &st) == -1);
	unlink(no.un.sun_path);
	no.len--; /* without its NUL */
	DENY(bind(unix_socket(SOCK_DGRAM), AT(no)));
	unlink(no.un.sun_path);
	DENY(bind(unix_socket(SOCK_STREAM), AT(name)));
	TRY(bind(unix_socket(SOCK_STREAM), AT(other)));
	TRY(bind(unix_socket(SOCK_STREAM), AT(unnamed)));
	TRY(bind(listener, AT(yes)));
	TRY(listen(listener, 4));
	DENY(connect(unix_socket(SOCK_STREAM), AT(yes)));
	if (is_ruled())
		EXPECT(!has_input(listener));
	TRY(bind(dgram, AT(d)));
	DENY(sendto(unix_socket(SOCK_DGRAM), "x", 1, 0, AT(d)));
	if (is_ruled())
		EXPECT(!has_input(dgram));
	TRY(connect(unix_socket(SOCK_DGRAM), AT(d)));
	unlink(yes.un.sun_path);
	unlink(d.un.sun_path);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"threads", threads},   {"signals", signals},
	        {"child", child},       {"grandchild", grandchild},
	        {"family", family},     {"emptied", emptied},
	        {"reserved", reserved}, {"multipath", multipath},
	        {"numbers", numbers},   {"unix", unix_sockets},
	        {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
