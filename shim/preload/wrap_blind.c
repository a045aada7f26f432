/* SPDX-License-Identifier: MIT */
/* wrap_blind.c - calls that take part of the program out of our sight, and those
 * that go around libc's names. */
#include <linux/seccomp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "preload/call.h"
#include "preload/entry.h"
#include "preload/hold.h"

#ifndef RTLD_DEEPBIND
#define RTLD_DEEPBIND 8
#endif

static void tell_blind(unsigned bit, const char *what)
{
	struct op op = {.kind = OP_BLIND, .fd = -1, .start = clock_ticks()};
	struct outcome outcome = {
	        .end = op.start, .text = what, .text_len = what ? strlen(what) : 0};

	if (!process_is_watching())
		return;
	entry_is_blind(bit);
	record_note(&op, &outcome);
}

/* ---- the loader ----
 * It looks at the return address to know whose search path counts, so the real
 * call must be the last thing here: the compiler makes it a jump. */

EXPORT void *dlopen(const char *path, int flags)
{
	if (UNLIKELY(flags & RTLD_DEEPBIND) && path)
		tell_blind(BLIND_DEEPBIND, path);
	return real.dlopen(path, flags);
}

EXPORT void *dlmopen(Lmid_t namespace, const char *path, int flags)
{
	if (namespace != 0 && path) /* LM_ID_BASE is our own */
		tell_blind(BLIND_DLMOPEN, path);
	return real.dlmopen(namespace, path, flags);
}

/* ---- seccomp ---- */

EXPORT int prctl(int option, ...)
{
	va_list rest;
	long arg[4];

	va_start(rest, option);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(rest, long);
	va_end(rest);
	if (option == PR_SET_SECCOMP && process_is_watching())
		process_enter_sandbox();
	return real.prctl(option, arg[0], arg[1], arg[2], arg[3]);
}

/* ---- system calls by number ---- */

#define POINTER(type, x) ((type)(uintptr_t)(x))

static int close_range_number(unsigned first, unsigned last, int flags)
{
	return (int)real.syscall(SYS_close_range, first, last, flags, 0, 0, 0);
}

/* Bytes, where a fault could speak of them. */
static bool bytes_by_name(long number, const long a[6], long *ret)
{
	if (!process_is_watching() ||
	    LIKELY(!call_is_limited(OP_SEND) && !call_is_limited(OP_RECV) &&
	           !call_is_limited(OP_CONNECT)))
		return false;
	switch (number) {
	case SYS_read:
		*ret = read((int)a[0], POINTER(void *, a[1]), (size_t)a[2]);
		return true;
	case SYS_readv:
		*ret = readv((int)a[0], POINTER(struct iovec *, a[1]), (int)a[2]);
		return true;
	case SYS_write:
		*ret = write((int)a[0], POINTER(void *, a[1]), (size_t)a[2]);
		return true;
	case SYS_writev:
		*ret = writev((int)a[0], POINTER(struct iovec *, a[1]), (int)a[2]);
		return true;
	case SYS_sendfile:
		*ret = sendfile((int)a[0], (int)a[1], POINTER(off_t *, a[2]), (size_t)a[3]);
		return true;
	case SYS_sendmmsg:
		*ret = sendmmsg((int)a[0], POINTER(struct mmsghdr *, a[1]), (unsigned)a[2],
		                (int)a[3]);
		return true;
	case SYS_recvmmsg:
		*ret = recvmmsg((int)a[0], POINTER(struct mmsghdr *, a[1]), (unsigned)a[2],
		                (int)a[3], POINTER(struct timespec *, a[4]));
		return true;
	default:
		return false;
	}
}

/* Those that wait, where a socket may be held back. */
static bool wait_by_name(long number, const long a[6], long *ret)
{
	if (LIKELY(!hold_is_near()))
		return false;
	switch (number) {
	case SYS_epoll_ctl:
		*ret = epoll_ctl((int)a[0], (int)a[1], (int)a[2],
		                 POINTER(struct epoll_event *, a[3]));
		return true;
	case SYS_epoll_pwait:
		*ret = epoll_pwait((int)a[0], POINTER(struct epoll_event *, a[1]), (int)a[2],
		                   (int)a[3], POINTER(const sigset_t *, a[4]));
		return true;
#ifdef SYS_poll /* not on newer machines */
	case SYS_epoll_wait:
		*ret = epoll_wait((int)a[0], POINTER(struct epoll_event *, a[1]), (int)a[2],
		                  (int)a[3]);
		return true;
	case SYS_poll:
		*ret = poll(POINTER(struct pollfd *, a[0]), (nfds_t)a[1], (int)a[2]);
		return true;
#endif
	default:
		return false;
	}
}

/* Those that make, name, use or close a socket go the way of libc's function. */
static bool by_name(long number, const long a[6], long *ret)
{
	switch (number) {
	case SYS_socket:
		*ret = socket((int)a[0], (int)a[1], (int)a[2]);
		return true;
	case SYS_socketpair:
		*ret = socketpair((int)a[0], (int)a[1], (int)a[2], POINTER(int *, a[3]));
		return true;
	case SYS_bind:
		*ret = bind((int)a[0], POINTER(struct sockaddr *, a[1]), (socklen_t)a[2]);
		return true;
	case SYS_listen:
		*ret = listen((int)a[0], (int)a[1]);
		return true;
	case SYS_connect:
		*ret = connect((int)a[0], POINTER(struct sockaddr *, a[1]), (socklen_t)a[2]);
		return true;
	case SYS_accept:
		*ret = accept((int)a[0], POINTER(struct sockaddr *, a[1]),
		              POINTER(socklen_t *, a[2]));
		return true;
	case SYS_accept4:
		*ret = accept4((int)a[0], POINTER(struct sockaddr *, a[1]),
		               POINTER(socklen_t *, a[2]), (int)a[3]);
		return true;
	case SYS_getsockname:
		*ret = getsockname((int)a[0], POINTER(struct sockaddr *, a[1]),
		                   POINTER(socklen_t *, a[2]));
		return true;
	case SYS_getpeername:
		*ret = getpeername((int)a[0], POINTER(struct sockaddr *, a[1]),
		                   POINTER(socklen_t *, a[2]));
		return true;
	case SYS_sendto:
		*ret = sendto((int)a[0], POINTER(const void *, a[1]), (size_t)a[2], (int)a[3],
		              POINTER(struct sockaddr *, a[4]), (socklen_t)a[5]);
		return true;
	case SYS_recvfrom:
		*ret = recvfrom((int)a[0], POINTER(void *, a[1]), (size_t)a[2], (int)a[3],
		                POINTER(struct sockaddr *, a[4]), POINTER(socklen_t *, a[5]));
		return true;
	case SYS_sendmsg:
		*ret = sendmsg((int)a[0], POINTER(struct msghdr *, a[1]), (int)a[2]);
		return true;
	case SYS_recvmsg:
		*ret = recvmsg((int)a[0], POINTER(struct msghdr *, a[1]), (int)a[2]);
		return true;
	case SYS_shutdown:
		*ret = shutdown((int)a[0], (int)a[1]);
		return true;
	case SYS_close:
		*ret = close((int)a[0]);
		return true;
	case SYS_close_range:
		*ret = close_range_by(close_range_number, (unsigned)a[0], (unsigned)a[1],
		                      (int)a[2]);
		return true;
	case SYS_dup:
		*ret = dup((int)a[0]);
		return true;
	case SYS_dup3:
		*ret = dup3((int)a[0], (int)a[1], (int)a[2]);
		return true;
	case SYS_prlimit64:
		*ret = prlimit((pid_t)a[0], (rlimit_resource)a[1],
		               POINTER(const struct rlimit *, a[2]),
		               POINTER(struct rlimit *, a[3]));
		return true;
	case SYS_getsockopt:
		*ret = getsockopt((int)a[0], (int)a[1], (int)a[2], POINTER(void *, a[3]),
		                  POINTER(socklen_t *, a[4]));
		return true;
	default:
		return bytes_by_name(number, a, ret) || wait_by_name(number, a, ret);
	}
}

EXPORT long syscall(long number, ...)
{
	va_list rest;
	long a[6], ret;

	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(rest, long);
	va_end(rest);
	if (by_name(number, a, &ret))
		return ret;
	if (number == SYS_io_uring_setup)
		tell_blind(BLIND_URING, "io_uring_setup");
	if (number == SYS_seccomp && a[0] != SECCOMP_GET_ACTION_AVAIL && process_is_watching())
		process_enter_sandbox();
	if (number == SYS_exit_group)
		entry_ends((int)a[0]);
	return real.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
