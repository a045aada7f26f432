/* SPDX-License-Identifier: MIT */
/* reset.c - see reset.h.
 *
 * connect(AF_UNSPEC) sends the reset, and leaves ECONNRESET to be told and a socket that could
 * connect again. shutdown(2) of both ways then fails (the socket is closed), but leaves the
 * mark that tcp_reset() in the kernel leaves: recv says 0, send says EPIPE, poll says all. */
#include "preload/reset.h"

#include "preload/capture.h"
#include "sys/raw.h"

bool reset_connection(struct call *call)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	if (process.is_sandboxed || raw3(SYS_connect, call->op.fd, &none, sizeof(none)) != 0)
		return false;
	raw2(SYS_shutdown, call->op.fd, SHUT_RDWR);
	call->sock.word |= SOCKET_RESET;
	sockets_change(&process.engine.sockets, call->op.fd, sock_id(&call->sock), SOCKET_RESET, 0);
	return true;
}

bool reset_told_connection(struct call *call)
{
	int error;

	return reset_connection(call) && capture_option(call->op.fd, SO_ERROR, &error);
}

bool reset_is_connected(const struct call *call, const struct aim *aim)
{
	sa_family_t family;

	if (LIKELY(!(sock_bits(&call->sock) & SOCKET_RESET)) || !aim->addr ||
	    aim->len < sizeof(struct sockaddr) || aim->len > sizeof(struct sockaddr_storage))
		return false;
	if (process.is_sandboxed)
		family = aim->addr->sa_family;
	else if (!raw_peek(&family, &aim->addr->sa_family, sizeof(family)))
		return false;
	return family != AF_UNSPEC;
}
