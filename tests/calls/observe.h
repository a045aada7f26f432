/* SPDX-License-Identifier: MIT */
/* observe.h - prints what a program sees of its calls.
 * The output of a program must be the same in every run, so that any difference
 * under the library is the library's doing: ports of the ephemeral kind are
 * printed as '*', pids and inodes not at all. */
#ifndef TESTS_OBSERVE_H
#define TESTS_OBSERVE_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	UNTOUCHED = 4711, /* no errno: tells whether a call wrote it */
	PATIENCE_MS = 10000,
	LIFETIME_S = 60,
};

/* Some sanitizers read a call's arguments themselves, before the kernel can say
 * that the memory is bad. */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define TRY_UNREADABLE(call) (void)0
#else
#define TRY_UNREADABLE(call) TRY(call)
#endif

/* Make a call and print its text, result and errno. Gives the result. */
#define TRY(call) (errno = UNTOUCHED, observe(#call, (long)(call)))
/* The same where the value itself means nothing: a pointer, a pid. */
#define TRY_ANY(call) (errno = UNTOUCHED, observe_any(#call, (long)(call)))
/* Without printing, for what is not under test; stops when it fails. */
#define MUST(call) must(#call, (long)(call))

/* An address with its length, as the calls want it: connect(fd, AT(to)). */
struct address {
	socklen_t len;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_storage room;
	};
};
#define AT(address)   &(address).any, (address).len
#define INTO(address) &(address).any, &(address).len
#define EMPTY_ADDRESS ((struct address){.len = sizeof(struct sockaddr_storage)})

static inline const char *error_name(int error)
{
#ifdef __GLIBC__
	const char *name = strerrorname_np(error);

	return name ? name : "?";
#else
	return strerror(error);
#endif
}

static inline void print_errno(int error)
{
	if (error != UNTOUCHED)
		printf(" %s", error_name(error));
	printf("\n");
}

static inline long observe(const char *text, long result)
{
	int error = errno;

	printf("%s = %ld", text, result);
	print_errno(error);
	return result;
}

static inline long observe_any(const char *text, long result)
{
	int error = errno;

	printf("%s = %s", text, result == 0 ? "0" : result == -1 ? "-1" : "something");
	print_errno(error);
	return result;
}

static inline long must(const char *text, long result)
{
	if (result == -1) {
		printf("cannot go on: %s: %s\n", text, error_name(errno));
		exit(99);
	}
	return result;
}

static inline void section(const char *title)
{
	printf("== %s\n", title);
}

/* First in main: lines reach the output whole, nothing hangs for ever. */
static inline void begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(LIFETIME_S);
}

static inline struct address address_of(const char *ip, int port)
{
	struct address a = {.len = sizeof a.in};

	if (inet_pton(AF_INET, ip, &a.in.sin_addr) == 1) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((uint16_t)port);
		return a;
	}
	a.len = sizeof a.in6;
	MUST(inet_pton(AF_INET6, ip, &a.in6.sin6_addr));
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons((uint16_t)port);
	return a;
}

/* An address in the abstract namespace, not shared with any other process. */
static inline struct address address_of_unix(const char *name)
{
	struct address a = {.un.sun_family = AF_UNIX};
	int len = snprintf(a.un.sun_path + 1, sizeof a.un.sun_path - 1, "observe-%d-%s",
	                   (int)getpid(), name);

	a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
	return a;
}

static inline struct address local_of(int fd)
{
	struct address a = EMPTY_ADDRESS;

	MUST(getsockname(fd, INTO(a)));
	return a;
}

static inline int port_of(const struct address *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

static inline int local_port(int fd)
{
	struct address a = local_of(fd);

	return port_of(&a);
}

static inline int peer_port(int fd)
{
	struct address a = EMPTY_ADDRESS;

	MUST(getpeername(fd, INTO(a)));
	return port_of(&a);
}

static inline void print_address(const struct address *a)
{
	char text[INET6_ADDRSTRLEN];

	switch (a->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof text);
		printf("%s:%s", text, port_of(a) ? "*" : "0");
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof text);
		printf("[%s]:%s", text, port_of(a) ? "*" : "0");
		break;
	default:
		printf("family %d, %s", a->any.sa_family, a->len > 2 ? "named" : "unnamed");
	}
}

/* Print a filled address and the length that came with it. */
static inline void show_address(const char *label, const struct address *a)
{
	printf("%s: ", label);
	print_address(a);
	printf(", %d bytes\n", a->any.sa_family == AF_UNIX ? 0 : (int)a->len);
}

/* Print both names of a socket. */
static inline void show_names(const char *label, int fd)
{
	struct address a = EMPTY_ADDRESS;

	printf("%s: local ", label);
	if (getsockname(fd, INTO(a)) == 0)
		print_address(&a);
	else
		printf("%s", error_name(errno));
	a = EMPTY_ADDRESS;
	printf(", peer ");
	if (getpeername(fd, INTO(a)) == 0)
		print_address(&a);
	else
		printf("%s", error_name(errno));
	printf("\n");
}

/* Print what poll says of a socket now. */
static inline void show_poll(const char *label, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
	int n = poll(&p, 1, 0);

	printf("%s: poll %d%s%s%s%s%s%s\n", label, n, p.revents & POLLIN ? " in" : "",
	       p.revents & POLLOUT ? " out" : "", p.revents & POLLRDHUP ? " rdhup" : "",
	       p.revents & POLLERR ? " err" : "", p.revents & POLLHUP ? " hup" : "",
	       p.revents & POLLNVAL ? " nval" : "");
}

static inline void show_same(const char *label, long a, long b)
{
	printf("%s: %s\n", label, a == b ? "the same" : "different");
}

/* Print SO_ERROR, which reading resets. */
static inline void show_pending_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;

	MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	printf("SO_ERROR: %s\n", error ? error_name(error) : "0");
}

/* Wait until fd is ready for events; what is waited for must come. */
static inline void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	if (poll(&p, 1, PATIENCE_MS) != 1) {
		printf("cannot go on: fd %d is never ready\n", fd);
		exit(99);
	}
}

/* Print the open fds, and of what kind each is. */
static inline void show_fds(void)
{
	char path[64], target[256];
	struct stat st;
	int i;

	printf("open:");
	for (i = 0; i < 1024; i++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", i);
		ssize_t n = readlink(path, target, sizeof target - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		printf(" %d", i);
		if (i > 2 && fstat(i, &st) == 0)
			printf("=%s", S_ISSOCK(st.st_mode)   ? "socket"
			              : S_ISFIFO(st.st_mode) ? "pipe"
			              : S_ISDIR(st.st_mode)  ? "directory"
			              : S_ISREG(st.st_mode)  ? "file"
			              : S_ISCHR(st.st_mode)  ? "device"
			                                     : target);
	}
	printf("\n");
}

/* Last in main. */
static inline int end(void)
{
	show_fds();
	return 0;
}

/* A bound socket; its port is nobody else's. */
static inline int bound(const char *ip, int type)
{
	struct address a = address_of(ip, 0);
	int fd = (int)MUST(socket(a.any.sa_family, type, 0));

	MUST(bind(fd, AT(a)));
	return fd;
}

static inline int listening(const char *ip, int backlog)
{
	int fd = bound(ip, SOCK_STREAM);

	MUST(listen(fd, backlog));
	return fd;
}

/* A socket connected to where fd is bound. */
static inline int connected_to(int fd, int type)
{
	struct address to = local_of(fd);
	int client = (int)MUST(socket(to.any.sa_family, type, 0));

	MUST(connect(client, AT(to)));
	return client;
}

/* A connected TCP pair: pair[0] connected, pair[1] accepted. */
static inline void make_pair(int pair[2])
{
	int listener = listening("127.0.0.1", 1);

	pair[0] = connected_to(listener, SOCK_STREAM);
	pair[1] = (int)MUST(accept(listener, NULL, NULL));
	MUST(close(listener));
}

static inline void close_pair(const int pair[2])
{
	MUST(close(pair[0]));
	MUST(close(pair[1]));
}

/* Lower the limit of fds to n and open all of them. Returns the last one. */
static inline int fill_fds(int n)
{
	struct rlimit limit;
	int fd, last = -1;

	MUST(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = (rlim_t)n;
	MUST(setrlimit(RLIMIT_NOFILE, &limit));
	while ((fd = open("/dev/null", O_RDWR)) >= 0)
		last = fd;
	return last;
}

/* size bytes that end where unreadable memory begins. */
static inline void *at_the_edge(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory =
	        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST((long)memory);
	MUST(mprotect(memory + page, page, PROT_NONE));
	return memory + page - size;
}

/* An address that nothing is mapped at, and that no compiler sees through. */
static inline void *nowhere(void)
{
	return at_the_edge(0);
}

/* Wait for a child and print how it ended. */
static inline void show_child(const char *label, pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		printf("%s: exited %d\n", label, WEXITSTATUS(status));
	else
		printf("%s: signal %d\n", label, WTERMSIG(status));
}

#endif
