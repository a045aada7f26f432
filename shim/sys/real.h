/* SPDX-License-Identifier: MIT */
/* real.h - the functions that the program would have called without us, used as
 * real.connect(fd, to, len). The only user of dlsym. */
#ifndef SYS_REAL_H
#define SYS_REAL_H

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef __GLIBC__
typedef __rlimit_resource_t rlimit_resource;
#else
typedef int rlimit_resource;
typedef long Lmid_t;
#endif

/* Not in every libc's headers. */
int posix_close(int fd, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t size, size_t room, int flags,
                       struct sockaddr *addr, socklen_t *len);
ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room, int flags);
ssize_t __read_chk(int fd, void *buf, size_t size, size_t room);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);
int epoll_pwait2(int epfd, struct epoll_event *events, int room, const struct timespec *timeout,
                 const sigset_t *mask);
pid_t _Fork(void);
int pidfd_getfd(int pidfd, int fd, unsigned flags);

#define CALL(when, type, name, params, args, failure) type(*name) params;
#define CALL_VOID(when, name, params, args)           void(*name) params;
#define ALIAS(alias, name)
#define BUILT(name)
struct real {
#include "sys/calls.def"
};
#undef CALL
#undef CALL_VOID
#undef ALIAS
#undef BUILT

/* Each slot starts with a function that finds the real one, puts it here and
 * calls it; so a call that comes before real_find() works too. */
extern struct real real;

/* A function of libc's that not every libc has; NULL if it is not there. To be put into a
 * pointer to a function. Only while the library comes up. */
void *real_symbol(const char *name);

/* Find the rows that may first be called where dlsym is not safe. */
void real_find(void);

#endif
