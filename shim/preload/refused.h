/* SPDX-License-Identifier: MIT */
/* refused.h - connects that a rule fails, as TCP tells of it: at once where the socket waits,
 * otherwise later, through poll, SO_ERROR or the next call.
 * The kernel is made to fail such a connect itself: it goes to port 0 of the loopback address,
 * where nobody can listen. All that is left is the name of the error: ECONNREFUSED is put
 * right wherever the kernel tells it. */
#ifndef PRELOAD_REFUSED_H
#define PRELOAD_REFUSED_H

#include <sys/socket.h>

#include "preload/process.h"

/* Has this process ever had such a connect? */
extern _Atomic bool refused_any;
HOT bool refused_is_any(void)
{
	return atomic_load_explicit(&refused_any, memory_order_relaxed);
}

/* Fail a TCP connect with verdict.error. What the program is to be told now is verdict.error
 * afterwards: EINPROGRESS on a socket that does not wait. */
void refused_connect(struct call *call);

/* A call on the fd has failed with errno: put it right. */
void refused_put_right(int fd);

/* The same of a call that has returned ret. Returns ret. */
HOT ssize_t refused_told(int fd, ssize_t ret)
{
	if (UNLIKELY(ret < 0) && refused_is_any())
		refused_put_right(fd);
	return ret;
}

/* The same of connect, which has made an end of it if it returned 0. Returns ret. */
int refused_connected(struct call *call, int ret);

/* The same of SO_ERROR, which the kernel has put into value, *len bytes. */
void refused_option(int fd, void *value, const socklen_t *len);

#endif
