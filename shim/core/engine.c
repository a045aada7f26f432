/* SPDX-License-Identifier: MIT */
/* engine.c - from an outcome to the socket table and to one line of the record.
 * Each kind of op has a function that computes the socket as it now is; then the
 * line is written from that. */
#include "core/engine.h"

#include <errno.h>
#include <string.h>

/* One op on its way into the record. */
struct report {
	struct engine *engine;
	const struct op *op;
	const struct verdict *verdict;
	const struct outcome *outcome;
	struct line *line; /* or NULL */
	struct sock now;   /* the socket after the call; word 0: none that we know */
	uint8_t flags;     /* LINE_ bits beyond the addresses */
};

static bool has_started(int result)
{
	return result == 0 || result == -EINPROGRESS;
}

static bool knows_own_address(const struct sock *sock)
{
	return sock_bits(sock) & SOCKET_LOCAL && sock->local_port && !addr_is_any(&sock->local);
}

static bool is_inet(const struct sock *sock)
{
	return sock_family(sock) == FAMILY_INET || sock_family(sock) == FAMILY_INET6;
}

bool engine_wants_local(const struct op *op, const struct sock *before, const struct outcome *outcome)
{
	if (!is_inet(before))
		return false;
	if (op->kind == OP_BIND)
		return outcome->result == 0 && outcome->has_local && outcome->local.port == 0;
	if (op->kind == OP_LISTEN)
		return outcome->result == 0 && !(sock_bits(before) & SOCKET_LOCAL && before->local_port);
	if (op->kind == OP_CONNECT)
		return has_started(outcome->result) && outcome->has_remote &&
		       (!knows_own_address(before) || sock_proto(before) == PROTO_UDP);
	if (op->kind == OP_ACCEPT)
		return outcome->result >= 0 && !knows_own_address(before);
	if (op->kind == OP_SEND)
		return outcome->result >= 0 && !(sock_bits(before) & SOCKET_LOCAL && before->local_port);
	return false;
}

static unsigned text_lines(const struct outcome *outcome)
{
	size_t lines = (outcome->text_len + SESSION_LINE - 1) / SESSION_LINE;

	return lines < LINE_TEXT_MAX ? (unsigned)lines : LINE_TEXT_MAX;
}

unsigned engine_lines(const struct op *op, const struct outcome *outcome)
{
	return 1 + (op->kind == OP_ADOPT ? 1 : text_lines(outcome));
}

/* ---- the socket after the call ---- */

static void set_bits(struct sock *sock, uint32_t set, uint32_t clear)
{
	uint64_t word = atomic_load_explicit(&sock->word, memory_order_relaxed);

	atomic_store_explicit(&sock->word, (word & ~(uint64_t)clear) | set, memory_order_relaxed);
}

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

static void set_ends(struct report *report)
{
	if (report->outcome->has_local)
		set_local(&report->now, &report->outcome->local);
	if (report->outcome->has_remote)
		set_remote(&report->now, &report->outcome->remote);
}

/* The id of the socket whose birth this line is. */
static uint32_t new_id(const struct report *report)
{
	struct engine *engine = report->engine;

	if (!report->line)
		return 0;
	if (engine->session)
		return session_line_id(engine->session, report->line);
	return atomic_fetch_add_explicit(&engine->ids, 1, memory_order_relaxed) + 1;
}

static void remember(struct report *report)
{
	sockets_update(&report->engine->sockets, report->op->fd, &report->now);
}

/* A socket is born, as fd. */
static void after_birth(struct report *report, int fd, enum family family, enum proto proto,
                        uint32_t bits)
{
	bits |= report->op->cloexec ? SOCKET_CLOEXEC : 0;
	report->flags |= report->op->cloexec ? LINE_CLOEXEC : 0;
	report->now = (struct sock){.word = sock_word(new_id(report), family, proto, bits)};
	set_ends(report);
	sockets_put(&report->engine->sockets, fd, &report->now);
}

static void after_accept(struct report *report)
{
	const struct sock listener = report->now;

	if (report->outcome->result < 0)
		return;
	after_birth(report, report->outcome->result, sock_family(&listener), sock_proto(&listener), 0);
	if (report->outcome->has_local || !(sock_bits(&listener) & SOCKET_LOCAL))
		return;
	set_local(&report->now, &(struct endpoint){listener.local, listener.local_port});
	sockets_put(&report->engine->sockets, report->outcome->result, &report->now);
}

static void after_bind(struct report *report)
{
	set_ends(report);
	if (report->outcome->result != 0)
		return;
	set_bits(&report->now, SOCKET_BOUND, 0);
	remember(report);
}

static void after_listen(struct report *report)
{
	if (report->outcome->result != 0)
		return;
	set_ends(report);
	set_bits(&report->now, SOCKET_LISTENING, SOCKET_REMOTE);
	remember(report);
}

static void after_connect(struct report *report)
{
	bool is_dissolved = report->outcome->result == 0 && !report->outcome->has_remote;

	set_ends(report);
	if (!has_started(report->outcome->result))
		return;
	if (is_dissolved) /* AF_UNSPEC: a port that bind took stays, connect(2) */
		set_bits(&report->now, 0,
		         SOCKET_REMOTE | (sock_bits(&report->now) & SOCKET_BOUND ? 0 : SOCKET_LOCAL));
	remember(report);
}

static void after_dup(struct report *report)
{
	if (report->outcome->result < 0)
		return;
	set_bits(&report->now, report->op->cloexec ? SOCKET_CLOEXEC : 0, SOCKET_CLOEXEC);
	report->flags |= report->op->cloexec ? LINE_CLOEXEC : 0;
	sockets_put(&report->engine->sockets, report->outcome->result, &report->now);
}

/* A packet to or from a peer; the peer belongs to the line, not to the socket. */
static void after_packet(struct report *report)
{
	if (report->outcome->has_local) {
		set_local(&report->now, &report->outcome->local);
		remember(report);
	}
	if (report->outcome->has_remote)
		set_remote(&report->now, &report->outcome->remote);
}

/* ---- the line ---- */

static uint32_t duration(uint64_t start, uint64_t end)
{
	return end <= start ? 0 : end - start < UINT32_MAX ? (uint32_t)(end - start) : UINT32_MAX;
}

static void put_ends(struct line *line, const struct sock *sock)
{
	uint32_t bits = sock_bits(sock);

	line->local = sock->local;
	line->remote = sock->remote;
	line->local_port = sock->local_port;
	line->remote_port = sock->remote_port;
	line->flags |= (bits & SOCKET_LOCAL ? LINE_LOCAL : 0) | (bits & SOCKET_REMOTE ? LINE_REMOTE : 0) |
	               (bits & SOCKET_REUSE ? LINE_REUSEADDR : 0) | (bits & SOCKET_NO_PORT ? LINE_NO_PORT : 0);
}

/* The text goes to the lines behind; what is left of them was never written. */
static void put_text(struct line *line, const char *text, size_t len)
{
	size_t lines = (len + SESSION_LINE - 1) / SESSION_LINE;

	if (lines > LINE_TEXT_MAX) {
		lines = LINE_TEXT_MAX;
		len = LINE_TEXT_MAX * SESSION_LINE;
	}
	memcpy(line + 1, text, len);
	line->flags |= (uint8_t)(lines << LINE_TEXT_SHIFT);
}

static void write_line(const struct report *report)
{
	const struct op *op = report->op;
	const struct outcome *outcome = report->outcome;
	struct line *line = report->line;

	line->took = duration(op->start, outcome->end);
	line->fd = op->fd;
	line->result = outcome->result;
	line->sock = sock_id(&report->now);
	line->rule = report->verdict->rule;
	line->kind = (uint8_t)(sock_family(&report->now) | sock_proto(&report->now) << 2 |
	                       report->verdict->kind << 4);
	line->flags = report->flags;
	if (op->kind == OP_PASS || op->kind == OP_SHUTDOWN || op->kind == OP_LIMIT) {
		line->cookie = outcome->cookie;
		line->arg = op->arg;
	} else {
		put_ends(line, &report->now);
	}
	if (op->kind == OP_LISTEN)
		line->remote_port = (uint16_t)(op->arg < 0 ? 0 : op->arg > 65535 ? 65535 : op->arg);
	if (op->kind == OP_ADOPT)
		put_text(line, (const char *)&outcome->cookie, sizeof(outcome->cookie));
	else if (outcome->text_len)
		put_text(line, outcome->text, outcome->text_len);
	session_publish(line, op->kind, op->start - report->engine->epoch);
}

void engine_after(struct engine *engine, const struct op *op, const struct sock *before,
                  const struct verdict *verdict, const struct outcome *outcome, struct line *line)
{
	struct report report = {
	        .engine = engine,
	        .op = op,
	        .verdict = verdict,
	        .outcome = outcome,
	        .line = line,
	        .now = *before,
	};

	switch (op->kind) {
	case OP_SOCKET:
	case OP_SOCKETPAIR:
		if (outcome->result >= 0)
			after_birth(&report, outcome->result, op->family, op->proto, 0);
		else
			report.now.word = sock_word(0, op->family, op->proto, 0);
		break;
	case OP_ADOPT:
		after_birth(&report, op->fd, op->family, op->proto, outcome->bits);
		break;
	case OP_ACCEPT:
		after_accept(&report);
		break;
	case OP_BIND:
		after_bind(&report);
		break;
	case OP_LISTEN:
		after_listen(&report);
		break;
	case OP_CONNECT:
		after_connect(&report);
		break;
	case OP_DUP:
		after_dup(&report);
		break;
	case OP_SEND:
	case OP_RECV:
		after_packet(&report);
		break;
	case OP_RESOLVE:
		report.now = (struct sock){.word = 0};
		set_ends(&report);
		break;
	case OP_CLOSE:    /* taken out of the table before the call */
	case OP_SHUTDOWN: /* the tuple stays the socket's own */
	case OP_PASS:
	case OP_NONE:
	case OP_START:
	case OP_FORK:
	case OP_EXEC:
	case OP_EXIT:
	case OP_BLIND:
	case OP_LIMIT:
	case OP_KINDS:
		break;
	}
	if (line)
		write_line(&report);
}
