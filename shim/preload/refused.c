/* SPDX-License-Identifier: MIT */
/* refused.c - see refused.h. */
#include "preload/refused.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "preload/call.h"
#include "preload/capture.h"
#include "sys/raw.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

_Atomic bool refused_any;

/* ---- the connect ---- */

/* Port 0 of the loopback address, of the family that the program asked for. */
static size_t nowhere(struct sockaddr_storage *addr, const struct call *call)
{
	static const struct ip v4 = {{[10] = 0xff, 0xff, 127, 0, 0, 1}}, v6 = {{[15] = 1}};
	struct endpoint end = {.ip = addr_is_v4(&call->op.asked.ip) ? v4 : v6};

	memset(addr, 0, sizeof(*addr));
	return addr_to_sockaddr(addr, sock_family(&call->sock), &end);
}

/* Through another device than the loopback one no refusal comes back. */
static bool is_on_device(int fd)
{
	int device = 0;

	return capture_option(fd, SO_BINDTOIFINDEX, &device) && device != 0;
}

/* It comes before connect returns, unless the kernel is very busy. */
static bool is_refused(int fd)
{
	enum { PATIENCE_NS = 200000000 };
	struct timespec patience = {.tv_nsec = PATIENCE_NS};
	struct pollfd poll = {.fd = fd};

	if (process.is_sandboxed)
		return true;
	raw5(SYS_ppoll, &poll, 1, &patience, NULL, 0);
	return poll.revents & POLLERR;
}

static void dissolve(int fd)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (!process.is_sandboxed)
		raw3(SYS_connect, fd, &none, sizeof(none));
}

/* From now on ECONNREFUSED of this socket means something else. */
static void mark(struct call *call)
{
	struct sock *sock = sockets_at(&process.engine.sockets, call->op.fd);

	if (!sock)
		return;
	atomic_store(&refused_any, true);
	__atomic_store_n(&sock->fault_error, (uint16_t)call->verdict.error, __ATOMIC_RELAXED);
	call->sock.word |= SOCKET_FAULTED;
	sockets_change(&process.engine.sockets, call->op.fd, sock_id(&call->sock), SOCKET_FAULTED,
	               0);
}

void refused_connect(struct call *call)
{
	int fd = call->op.fd;
	struct sockaddr_storage addr;
	long ret;

	if (is_on_device(fd))
		return;
	ret = raw3(SYS_connect, fd, &addr, nowhere(&addr, call));
	switch (-ret) {
	case EINPROGRESS:
		if (is_refused(fd)) {
			mark(call);
			call->verdict.error = errno = EINPROGRESS; /* errno: for delay */
			return;
		}
		dissolve(fd); /* a packet filter has eaten it: then at once */
		return;
	case 0:
		dissolve(fd);
		return;
	case EISCONN:
	case EALREADY:
	case ECONNABORTED: /* what is left of an earlier connect comes first */
		call->verdict.error = (int)-ret;
		return;
	default: /* ECONNREFUSED: it waits, and has failed; or there is no way there */
		return;
	}
}

/* ---- what is told ---- */

/* The error that is meant, once; 0 if ECONNREFUSED is. */
static int take(int fd)
{
	struct sock *sock = sockets_at(&process.engine.sockets, fd);
	uint64_t word = sock ? sockets_word(sock) : 0;

	if (!(word & SOCKET_FAULTED))
		return 0;
	sockets_change(&process.engine.sockets, fd, (uint32_t)(word >> 32), 0, SOCKET_FAULTED);
	return __atomic_load_n(&sock->fault_error, __ATOMIC_RELAXED);
}

void refused_put_right(int fd)
{
	int error = errno == ECONNREFUSED ? take(fd) : 0;

	if (error)
		errno = error;
}

int refused_connected(struct call *call, int ret)
{
	int error;

	if (LIKELY(!(sock_bits(&call->sock) & SOCKET_FAULTED)) ||
	    (ret < 0 && errno != ECONNREFUSED))
		return ret;
	error = take(call->op.fd);
	call->sock.word &= ~(uint64_t)SOCKET_FAULTED;
	if (ret < 0 && error)
		errno = error;
	return ret;
}

void refused_option(int fd, void *value, const socklen_t *len)
{
	const int told = ECONNREFUSED;
	size_t size = *len < sizeof(told) ? *len : sizeof(told);
	int error;

	if (LIKELY(!refused_is_any()) || size == 0 || memcmp(value, &told, size) != 0)
		return;
	error = take(fd);
	if (error)
		memcpy(value, &error, size);
}
