/* SPDX-License-Identifier: MIT */
/* adopt.c - see adopt.h. */
#include "preload/adopt.h"

#include <fcntl.h>

#include "preload/call.h"
#include "preload/capture.h"
#include "preload/moved.h"
#include "preload/ports.h"
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

/* What kind of socket is it? Returns false if it is none. */
static bool ask_kind(int fd, enum family *family, enum proto *proto)
{
	int domain, type, protocol = 0;

	if (!capture_option(fd, SO_DOMAIN, &domain) || !capture_option(fd, SO_TYPE, &type))
		return false;
	capture_option(fd, SO_PROTOCOL, &protocol);
	*family = addr_family(domain);
	*proto = capture_proto(domain, type, protocol);
	return true;
}

bool adopt_look(int fd, struct sock *sock)
{
	struct endpoint end;
	enum family family;
	enum proto proto;

	if (!ask_kind(fd, &family, &proto))
		return false;
	sock->word = sock_word(0, family, proto, option_bits(fd));
	if (capture_local(fd, &end) != FAMILY_OTHER) {
		sock->local = end.ip;
		sock->local_port = end.port;
		sock->word |= SOCKET_LOCAL;
	}
	return true;
}

void adopt(int fd)
{
	struct call call = {.op = {.kind = OP_ADOPT, .fd = fd, .start = clock_ticks()}};
	struct outcome *outcome = &call.outcome;
	uint64_t cookie;

	if (!ask_kind(fd, &call.op.family, &call.op.proto))
		return;
	call.op.cloexec = raw2(SYS_fcntl, fd, F_GETFD) & FD_CLOEXEC;
	if (call.op.proto == PROTO_TCP || call.op.proto == PROTO_UDP) {
		outcome->has_local = capture_local(fd, &outcome->local) != FAMILY_OTHER &&
		                     (outcome->local.port || !addr_is_any(&outcome->local.ip));
		outcome->has_remote = capture_remote(fd, &outcome->remote) != FAMILY_OTHER;
		outcome->bits = option_bits(fd);
	}
	cookie = capture_cookie(fd);
	outcome->bits |= moved_arrive(fd, cookie);
	outcome->text = (const char *)&cookie;
	outcome->text_len = sizeof(cookie);
	outcome->result = fd;
	outcome->end = clock_ticks();
	call_given_out(fd);
	record(&call);
	if (UNLIKELY(ports_are_limited()))
		ports_adopt(fd, &call);
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

static void pass(struct call *call)
{
	call->op = (struct op){.kind = OP_PASS, .fd = call->op.fd, .start = clock_ticks()};
	call->outcome.cookie = capture_cookie(call->op.fd);
	moved_pass(call->op.fd, call->outcome.cookie, &call->sock);
	call->outcome.end = clock_ticks();
	record(call);
}

void adopt_pass(int fd)
{
	struct call call = {.op = {.fd = fd}};

	sockets_get(&process.engine.sockets, fd, &call.sock);
	if (call.sock.word)
		pass(&call);
}

uint32_t adopt_pass_all(void)
{
	struct sockets *sockets = &process.engine.sockets;
	uint32_t top = atomic_load(&sockets->top);
	uint32_t passed_top = 0;

	for (uint32_t fd = 0; fd < top; fd++) {
		/* the kernel knows best: ioctl(FIOCLEX) changes it, too */
		if (!sockets_knows(sockets, (int)fd) || raw2(SYS_fcntl, fd, F_GETFD) != 0)
			continue;
		adopt_pass((int)fd);
		passed_top = fd + 1;
	}
	return passed_top;
}
