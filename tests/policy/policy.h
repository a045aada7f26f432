/* SPDX-License-Identifier: MIT */
/* policy.h - programs that run bare and under rules, and must print the same.
 * The environment says how it runs: DENIED is the error of what a rule denies, unset in
 * a bare run; RULED is set wherever rules are in force. What is true only under rules is
 * said by EXPECT(), which prints what is not true. */
#ifndef TESTS_POLICY_H
#define TESTS_POLICY_H

#include <stdbool.h>
#include <sys/syscall.h>

#include "tests/calls/message.h"

/* Under the rules this call is denied; bare it succeeds. Prints the same for both. */
#define DENY(call)   (errno = UNTOUCHED, deny(#call, (long)(call)))
#define EXPECT(true) expect(true, #true, __LINE__)

/* A part of a program, chosen by its first argument. */
struct part {
	const char *name;
	void (*run)(char **argv);
};

static inline bool is_ruled(void)
{
	return getenv("RULED");
}

static inline long deny(const char *text, long result)
{
	const char *denied = getenv("DENIED");
	int error = errno;

	if (denied ? result == -1 && strcmp(error_name(error), denied) == 0 : result != -1) {
		printf("%s: as it should be\n", text);
	} else {
		printf("%s = %ld", text, result);
		print_errno(error);
	}
	return result;
}

static inline void expect(bool is_true, const char *text, int line)
{
	if (!is_true)
		printf("line %d: not true: %s (errno %s)\n", line, text, error_name(errno));
}

static inline int port_argument(const char *text)
{
	int port = text ? atoi(text) : 0;

	if (port <= 0 || port > 65535) {
		printf("needs a port\n");
		exit(99);
	}
	return port;
}

static inline int tcp_socket(int family)
{
	return (int)MUST(socket(family, SOCK_STREAM, 0));
}

static inline int udp_socket(int family)
{
	return (int)MUST(socket(family, SOCK_DGRAM, 0));
}

static inline int bound_at(const char *ip, int port, int type)
{
	struct address a = address_of(ip, port);
	int fd = (int)MUST(socket(a.any.sa_family, type, 0));

	MUST(bind(fd, AT(a)));
	return fd;
}

static inline int listening_at(const char *ip, int port, int backlog)
{
	int fd = bound_at(ip, port, SOCK_STREAM);

	MUST(listen(fd, backlog));
	return fd;
}

/* A socket of this type bound to from and connected to to. */
static inline int connected_from(const char *from, struct address to, int type)
{
	int fd = bound_at(from, 0, type);

	MUST(connect(fd, AT(to)));
	return fd;
}

static inline bool has_input(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static inline bool is_at(const struct address *a, const char *ip, int port)
{
	struct address b = address_of(ip, port);

	return a->len == b.len && a->any.sa_family == b.any.sa_family && port_of(a) == port &&
	       (b.any.sa_family == AF_INET ? a->in.sin_addr.s_addr == b.in.sin_addr.s_addr
	                                   : memcmp(&a->in6.sin6_addr, &b.in6.sin6_addr, 16) == 0);
}

/* A system call that nobody can stand in front of. */
static inline long kernel(long number, long a, void *b, void *c)
{
#if defined __x86_64__
	long ret = number;

	__asm__ volatile("syscall" : "+a"(ret) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return ret;
#elif defined __aarch64__
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register void *x1 __asm__("x1") = b;
	register void *x2 __asm__("x2") = c;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
#else
#error "a system call is not known here"
#endif
}

/* What the kernel says, whatever the program is told. */
static inline struct address really(long number, int fd)
{
	struct address a = EMPTY_ADDRESS;

	MUST(kernel(number, fd, &a.any, &a.len) ? -1 : 0);
	return a;
}

static inline bool is_really(int fd, const char *ip, int port)
{
	struct address a = really(SYS_getsockname, fd);

	return is_at(&a, ip, port);
}

static inline bool is_really_to(int fd, const char *ip, int port)
{
	struct address a = really(SYS_getpeername, fd);

	return is_at(&a, ip, port);
}

static inline bool is_told(int fd, const char *ip, int port)
{
	struct address a = EMPTY_ADDRESS;

	return getsockname(fd, INTO(a)) == 0 && is_at(&a, ip, port);
}

static inline bool is_told_to(int fd, const char *ip, int port)
{
	struct address a = EMPTY_ADDRESS;

	return getpeername(fd, INTO(a)) == 0 && is_at(&a, ip, port);
}

static inline int run_part(const struct part *parts, char **argv)
{
	begin();
	alarm(20);
	for (; argv[1] && parts->name; parts++) {
		if (strcmp(parts->name, argv[1]) == 0) {
			parts->run(argv + 2);
			return 0;
		}
	}
	printf("no such part\n");
	return 99;
}

#endif
