/* SPDX-License-Identifier: MIT */
/* adopt.c - see adopt.h. */
#include "preload/adopt.h"

#include <fcntl.h>

#include "preload/call.h"
#include "preload/capture.h"
#include "preload/record.h"
#include "sys/raw.h"

/* The option bits that findings need. */
static uint32_t option_bits(int fd)
{
	int value;
	uint32_t bits = 0;

	if (capture_option(fd, SO_ACCEPTCONN, &value) && value)
		bits |= SOCKET_LISTENING;
	if (capture_option(fd, SO_REUSEADDR, &value) && value)
		bits |= SOCKET_REUSE;
	return bits;
}

void adopt(int fd)
{
	static const struct sock unknown;
	static const struct verdict passed;
	struct op op = {.kind = OP_ADOPT, .fd = fd, .start = clock_ticks()};
	struct outcome outcome = {.result = fd};
	int domain, type, protocol = 0;

	if (!capture_option(fd, SO_DOMAIN, &domain) || !capture_option(fd, SO_TYPE, &type))
		return;
	capture_option(fd, SO_PROTOCOL, &protocol);
	op.family = addr_family(domain);
	op.proto = capture_proto(domain, type, protocol);
	op.cloexec = raw2(SYS_fcntl, fd, F_GETFD) & FD_CLOEXEC;
	if (op.proto == PROTO_TCP || op.proto == PROTO_UDP) {
		outcome.has_local = capture_local(fd, &outcome.local) != FAMILY_OTHER &&
		                    (outcome.local.port || !addr_is_any(&outcome.local.ip));
		outcome.has_remote = capture_remote(fd, &outcome.remote) != FAMILY_OTHER;
		outcome.bits = option_bits(fd);
	}
	outcome.cookie = capture_cookie(fd);
	outcome.end = clock_ticks();
	record(&op, &unknown, &passed, &outcome);
}

void adopt_inherited(uint32_t top)
{
	enum { MOST = 65536 };

	for (uint32_t fd = 0; fd < top && fd < MOST; fd++)
		adopt((int)fd);
}

void adopt_arrival(int fd)
{
	if (!process_is_watching())
		return;
	call_missed_close(fd);
	adopt(fd);
}

static void pass(int fd, const struct sock *sock)
{
	static const struct verdict passed;
	struct op op = {.kind = OP_PASS, .fd = fd, .start = clock_ticks()};
	struct outcome outcome = {.cookie = capture_cookie(fd)};

	outcome.end = clock_ticks();
	record(&op, sock, &passed, &outcome);
}

void adopt_pass(int fd)
{
	struct sock sock;

	sockets_get(&process.engine.sockets, fd, &sock);
	if (sock.word)
		pass(fd, &sock);
}

uint32_t adopt_pass_all(void)
{
	struct sockets *sockets = &process.engine.sockets;
	uint32_t top = atomic_load(&sockets->top);
	uint32_t passed_top = 0;

	for (uint32_t fd = 0; fd < top; fd++) {
		struct sock sock;

		sockets_get(sockets, (int)fd, &sock);
		if (!sock.word || sock_bits(&sock) & SOCKET_CLOEXEC)
			continue;
		pass((int)fd, &sock);
		passed_top = fd + 1;
	}
	return passed_top;
}
