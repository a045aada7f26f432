/* SPDX-License-Identifier: MIT */
/* capture.c - see capture.h. */
#include "preload/capture.h"

#include <netinet/in.h>

#include "preload/process.h"
#include "sys/raw.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static enum family ask(long number, int fd, struct endpoint *end)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (process.is_sandboxed || raw3(number, fd, &addr, &len) != 0)
		return FAMILY_OTHER;
	return addr_from_sockaddr(end, &addr, len < sizeof(addr) ? len : sizeof(addr));
}

enum family capture_local(int fd, struct endpoint *end)
{
	return ask(SYS_getsockname, fd, end);
}

enum family capture_remote(int fd, struct endpoint *end)
{
	return ask(SYS_getpeername, fd, end);
}

bool capture_is_named(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	return !process.is_sandboxed && raw3(SYS_getsockname, fd, &addr, &len) == 0 &&
	       len > sizeof(sa_family_t);
}

bool capture_option(int fd, int option, int *value)
{
	socklen_t len = sizeof(*value);

	return !process.is_sandboxed &&
	       raw5(SYS_getsockopt, fd, SOL_SOCKET, option, value, &len) == 0;
}

uint64_t capture_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (process.is_sandboxed ||
	    raw5(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) != 0)
		return 0;
	return cookie;
}

enum proto capture_proto(int domain, int type, int protocol)
{
	type &= 0xf; /* without SOCK_NONBLOCK and SOCK_CLOEXEC */
	if (domain == AF_UNIX)
		return type == SOCK_STREAM ? PROTO_STREAM : PROTO_OTHER;
	if (domain != AF_INET && domain != AF_INET6)
		return PROTO_OTHER;
	if (type == SOCK_STREAM &&
	    (protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP))
		return PROTO_TCP; /* Multipath TCP has its ports, and falls back to it */
	if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))
		return PROTO_UDP;
	return PROTO_OTHER;
}
