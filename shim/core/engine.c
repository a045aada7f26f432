/* SPDX-License-Identifier: MIT */
/* engine.c - from an outcome to the socket table and to one line of the record.
 * Each kind of op has a function that turns the socket as it was into the socket
 * as it now is; then the line is written from that. */
#include "core/engine.h"

#include <errno.h>
#include <string.h>

/* ---- the socket after the call ---- */

static void set_bits(struct sock *sock, uint32_t set, uint32_t clear)
{
	sock->word = (sock->word & ~(uint64_t)clear) | set;
}

/* A local endpoint without a port is one whose port comes later: with the first
 * packet (TCP_FASTOPEN_CONNECT), with connect (IP_BIND_ADDRESS_NO_PORT). */
static void set_local(struct sock *sock, const struct endpoint *local)
{
	sock->local = local->ip;
	sock->local_port = local->port;
	set_bits(sock, SOCKET_LOCAL, 0);
}

static void set_remote(struct sock *sock, const struct endpoint *remote)
{
	sock->remote = remote->ip;
	sock->remote_port = remote->port;
	set_bits(sock, SOCKET_REMOTE, 0);
}

static void set_ends(struct sock *sock, const struct outcome *outcome)
{
	if (outcome->has_local)
		set_local(sock, &outcome->local);
	if (outcome->has_remote)
		set_remote(sock, &outcome->remote);
}

/* Its program goes on to know the socket by what it asked for. */
static struct asked *asked_of(const struct engine *engine, int fd)
{
	return engine->sockets.asked && (unsigned)fd < engine->sockets.capacity
	               ? &engine->sockets.asked[fd]
	               : NULL;
}

/* A moved listener's connections have come, as far as the program knows, to the
 * port that it asked for. */
static void inherit_asked(const struct engine *engine, struct call *call)
{
	const struct asked *from = asked_of(engine, call->op.fd);
	struct asked *to = asked_of(engine, call->outcome.result);

	if (!(sock_bits(&call->sock) & SOCKET_MOVED_LOCAL) || !from || !to)
		return;
	to->local = from->local;
	if (addr_is_any(&to->local.ip))
		to->local.ip = call->sock.local;
}

/* The new socket has the listener's own address, unless that is any address. */
void engine_after_accept(struct engine *engine, struct call *call, const struct line *line)
{
	const uint32_t kept = SOCKET_KNOWN | 3 << SOCKET_FAMILY_SHIFT | 3 << SOCKET_PROTO_SHIFT |
	                      SOCKET_LOCAL | SOCKET_MOVED_LOCAL;

	if (call->outcome.result < 0 && !call->outcome.has_remote)
		return;
	call->sock.word &= kept;
	set_ends(&call->sock, &call->outcome);
	if (call->outcome.result < 0) /* turned away */
		return;
	inherit_asked(engine, call);
	engine_give_birth(engine, call, call->outcome.result, call->sock.word, line);
}

static void after_bind(struct engine *engine, struct call *call)
{
	set_ends(&call->sock, &call->outcome);
	if (call->outcome.result != 0)
		return;
	set_bits(&call->sock, SOCKET_BOUND, 0);
	if (call->verdict.kind == VERDICT_MOVED && asked_of(engine, call->op.fd)) {
		struct endpoint *asked = &asked_of(engine, call->op.fd)->local;

		*asked = call->op.asked;
		if (asked->port == 0) /* any port will do: that is the one */
			asked->port = call->sock.local_port;
		set_bits(&call->sock, SOCKET_MOVED_LOCAL, 0);
	}
	sockets_update(&engine->sockets, call->op.fd, &call->sock);
}

static void after_listen(struct engine *engine, struct call *call)
{
	if (call->outcome.result != 0)
		return;
	set_ends(&call->sock, &call->outcome);
	set_bits(&call->sock, SOCKET_LISTENING, SOCKET_REMOTE);
	sockets_update(&engine->sockets, call->op.fd, &call->sock);
}

/* A connect that was on its way came to nothing: what the kernel had chosen for
 * it is gone, and the next connect gets another port. The line tells the old. */
static void forget_connect(struct engine *engine, struct call *call)
{
	struct sock *sock = &call->sock;
	uint64_t word = sock->word;
	int result = call->outcome.result;

	if (!(sock_bits(sock) & SOCKET_PENDING) || result == -EALREADY || result == -EISCONN)
		return;
	set_bits(sock, 0,
	         SOCKET_PENDING | SOCKET_REMOTE | SOCKET_MOVED_REMOTE |
	                 (sock_bits(sock) & SOCKET_BOUND ? 0 : SOCKET_LOCAL));
	sockets_update(&engine->sockets, call->op.fd, sock);
	sock->word = word;
}

void engine_after_connect(struct engine *engine, struct call *call)
{
	struct sock *sock = &call->sock;
	bool is_dissolved = call->outcome.result == 0 && !call->outcome.has_remote;

	set_ends(sock, &call->outcome);
	if (!engine_has_started(call->outcome.result)) {
		forget_connect(engine, call);
		return;
	}
	if (call->verdict.kind == VERDICT_MOVED && asked_of(engine, call->op.fd)) {
		asked_of(engine, call->op.fd)->remote = call->op.asked;
		set_bits(sock, SOCKET_MOVED_REMOTE, 0);
	} else if (sock_proto(sock) == PROTO_UDP) { /* which may change its peer */
		set_bits(sock, 0, SOCKET_MOVED_REMOTE);
	}
	if (is_dissolved) /* AF_UNSPEC: a port that bind took stays, connect(2) */
		set_bits(sock, 0,
		         SOCKET_REMOTE | SOCKET_MOVED_REMOTE |
		                 (sock_bits(sock) & SOCKET_BOUND ? 0 : SOCKET_LOCAL));
	if (call->outcome.result == 0)
		set_bits(sock, 0, SOCKET_PENDING);
	else
		set_bits(sock, SOCKET_PENDING, 0);
	sockets_update(&engine->sockets, call->op.fd, sock);
}

static void after_dup(struct engine *engine, struct call *call)
{
	if (call->outcome.result < 0)
		return;
	if (sock_bits(&call->sock) & (SOCKET_MOVED_LOCAL | SOCKET_MOVED_REMOTE) &&
	    asked_of(engine, call->op.fd) && asked_of(engine, call->outcome.result))
		*asked_of(engine, call->outcome.result) = *asked_of(engine, call->op.fd);
	set_bits(&call->sock, SOCKET_SHARED | (call->op.cloexec ? SOCKET_CLOEXEC : 0),
	         call->op.cloexec ? 0 : SOCKET_CLOEXEC);
	sockets_put(&engine->sockets, call->outcome.result, &call->sock);
	if (sock_bits(&call->sock) & SOCKET_FAULTED)
		sockets_copy_fault(&engine->sockets, call->op.fd, call->outcome.result);
}

/* A packet to or from a peer; the peer belongs to the line, not to the socket. */
static void after_packet(struct engine *engine, struct call *call)
{
	if (call->outcome.has_local) {
		set_local(&call->sock, &call->outcome.local);
		sockets_update(&engine->sockets, call->op.fd, &call->sock);
	}
	if (call->outcome.has_remote)
		set_remote(&call->sock, &call->outcome.remote);
}

static void after_birth(struct engine *engine, struct call *call, int fd, uint32_t bits,
                        const struct line *line)
{
	call->sock.word = sock_word(0, call->op.family, call->op.proto, bits);
	if (fd < 0)
		return;
	set_ends(&call->sock, &call->outcome);
	engine_give_birth(engine, call, fd, call->sock.word, line);
}

void engine_remember(struct engine *engine, struct call *call, const struct line *line)
{
	switch (call->op.kind) {
	case OP_SOCKET:
	case OP_SOCKETPAIR:
		after_birth(engine, call, call->outcome.result, 0, line);
		break;
	case OP_ADOPT:
		after_birth(engine, call, call->op.fd, call->outcome.bits | SOCKET_SHARED, line);
		break;
	case OP_ACCEPT:
		engine_after_accept(engine, call, line);
		break;
	case OP_BIND:
		after_bind(engine, call);
		break;
	case OP_LISTEN:
		after_listen(engine, call);
		break;
	case OP_CONNECT:
		engine_after_connect(engine, call);
		break;
	case OP_DUP:
		after_dup(engine, call);
		break;
	case OP_SEND:
	case OP_RECV:
		after_packet(engine, call);
		break;
	case OP_RESOLVE:
		set_ends(&call->sock, &call->outcome);
		break;
	case OP_PASS:
		sockets_change(&engine->sockets, call->op.fd, sock_id(&call->sock), SOCKET_SHARED,
		               0);
		break;
	case OP_CLOSE:
	case OP_SHUTDOWN: /* the tuple stays the socket's own */
	case OP_NONE:
	case OP_START:
	case OP_FORK:
	case OP_EXEC:
	case OP_EXIT:
	case OP_BLIND:
	case OP_LIMIT:
	case OP_SITE:
	case OP_KINDS:
		break;
	}
}

/* ---- the line ---- */

_Static_assert(SOCKET_LOCAL >> 5 == LINE_LOCAL && SOCKET_REMOTE >> 5 == LINE_REMOTE &&
                       SOCKET_REUSE >> 7 == LINE_REUSEADDR && SOCKET_NO_PORT >> 7 == LINE_NO_PORT &&
                       SOCKET_CLOEXEC >> 7 == LINE_CLOEXEC,
               "engine_line_flags() shifts them into place");

/* The text goes to the lines behind. */
void engine_put_text(struct line *line, const struct outcome *outcome)
{
	size_t lines = engine_lines(outcome) - 1;
	size_t room = lines * SESSION_LINE;

	memcpy(line + 1, outcome->text, outcome->text_len < room ? outcome->text_len : room);
	line->flags |= (uint8_t)(lines << LINE_TEXT_SHIFT);
}
