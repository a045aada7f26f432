/* SPDX-License-Identifier: MIT */
/* raw.h - system calls that nobody interposes: they return -errno, never touch
 * errno, and are safe in signal handlers, vfork children and before libc is up. */
#ifndef SYS_RAW_H
#define SYS_RAW_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

static inline long raw6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	long ret;
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
	                 : "=a"(ret)
	                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
	                 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
	                 : "+r"(x0)
	                 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
	                 : "memory");
	return x0;
#else
#error "tcpshim runs on x86-64 and aarch64"
#endif
}

/* The same with four arguments at most: two registers less. */
static inline long raw_few(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	long ret;
	register long r10 __asm__("r10") = d;

	__asm__ volatile("syscall"
	                 : "=a"(ret)
	                 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
	                 : "rcx", "r11", "memory");
	return ret;
#else
	return raw6(number, a, b, c, d, 0, 0);
#endif
}

#define RAW_ARG(x)          ((long)(intptr_t)(x))
#define raw1(n, a)          raw_few(n, RAW_ARG(a), 0, 0, 0)
#define raw2(n, a, b)       raw_few(n, RAW_ARG(a), RAW_ARG(b), 0, 0)
#define raw3(n, a, b, c)    raw_few(n, RAW_ARG(a), RAW_ARG(b), RAW_ARG(c), 0)
#define raw4(n, a, b, c, d) raw_few(n, RAW_ARG(a), RAW_ARG(b), RAW_ARG(c), RAW_ARG(d))
#define raw5(n, a, b, c, d, e)                                                                     \
	raw6(n, RAW_ARG(a), RAW_ARG(b), RAW_ARG(c), RAW_ARG(d), RAW_ARG(e), 0)

static inline uint32_t raw_getpid(void)
{
	return (uint32_t)raw1(SYS_getpid, 0);
}

static inline uint32_t raw_gettid(void)
{
	return (uint32_t)raw1(SYS_gettid, 0);
}

static inline long raw_write(int fd, const void *buf, size_t size)
{
	return raw3(SYS_write, fd, buf, size);
}

static inline long raw_close(int fd)
{
	return raw1(SYS_close, fd);
}

/* A file's first size bytes (as many as there are) to buf; the descriptor is
 * gone on return. Returns the number read, or -errno. */
long raw_read_file(const char *path, void *buf, size_t size);

/* Anonymous private memory, not touched yet, that does not count against
 * overcommit. Returns NULL if there is none. */
void *raw_map(size_t size);

/* Can our own memory be read at this place? The cheapest system call that looks with care, a
 * fifth of process_vm_readv(2): rt_sigprocmask(2) copies the 8 bytes of its set before it looks
 * at `how`, which is none here. EFAULT: they cannot be read; EINVAL: they can, and nothing was
 * done. (NULL is no set, and not read.) */
static inline bool raw_is_readable_at(uintptr_t at)
{
	const uintptr_t word = at & ~(uintptr_t)7; /* does not reach into another page */

	return word && raw4(SYS_rt_sigprocmask, ~0, word, NULL, 8) != -EFAULT;
}

/* The same of len bytes, at least 1. */
bool raw_is_readable(uintptr_t at, size_t len);

/* Copy them from an address that may be bad. Returns false, and no signal, if it is. What
 * our caller's frame holds is read directly; of the rest each page is tried first. (A page
 * that another thread unmaps just then is a SIGSEGV, where the kernel would have said
 * EFAULT.) */
static inline bool raw_peek(void *to, const void *from, size_t len)
{
	enum { NEAR = 1024, PAGE = 4096 }; /* NEAR: frames of the wrappers and of who calls them */
	const uintptr_t at = (uintptr_t)from;
	const uintptr_t above = at - (uintptr_t)__builtin_frame_address(0);

	if ((above >= NEAR || len > NEAR - above) &&
	    !(at % PAGE + len <= PAGE ? raw_is_readable_at(at) : raw_is_readable(at, len)))
		return false;
	memcpy(to, from, len);
	return true;
}

/* Make the kernel allocate these pages (whole ones) of a shared mapping now.
 * Returns 0, or -errno where touching them would raise SIGBUS (-EFAULT on a
 * full disk), -EINVAL before Linux 5.14. */
long raw_populate(void *at, size_t size);

#endif
