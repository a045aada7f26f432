/* SPDX-License-Identifier: MIT */
/* engine.h - the one place that decides and remembers.
 * A back end turns a call into an op, asks engine_before() for the verdict,
 * carries it out, and reports the outcome to engine_after(). It never learns how
 * calls are caught; it makes no call of its own. */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include <errno.h>

#include "core/rules.h"
#include "core/session.h"
#include "core/sockets.h"

struct engine {
	struct session_header *session; /* NULL: nothing is recorded */
	uint64_t epoch;                 /* ticks that event times count from */
	struct sockets sockets;
	_Atomic uint32_t ids; /* without a session: the last socket id given */

	struct rules *_Atomic rules;  /* in force; NULL: none */
	_Atomic uint32_t ruled;       /* RULE_CALL bits that they could touch */
	_Atomic uint32_t limited;     /* of those, the ones of faults and limits */
	uint64_t seed;                /* that chance is drawn from */
	const char *name, *program;   /* of the process, for `in NAME` */
	uint64_t who[3];              /* 0, and rules_name_hash() of them; 0: not made yet */
	uint16_t auto_low, auto_high; /* `from auto`; high 0: none */

	/* limit ports, where the kernel does not see to it: rule << 32 | low << 16 | high; 0: none.
	 * It counts from the next engine_set_rules() on. */
	_Atomic uint64_t ports;
};

/* One call in flight, on its way through the engine. */
struct call {
	struct op op;
	struct sock sock; /* what was known of op.fd; then, the socket that the record tells of */
	struct verdict verdict;
	struct outcome outcome;
	const void *from; /* in the program, where the call was made; set for call_is_limited() */
	uint16_t waiting; /* with verdict.held: the back end's own note of a call that waits */
};

/* From now on these rules decide; NULL: everything passes. */
void engine_set_rules(struct engine *engine, struct rules *rules);

/* Could a rule touch calls of this kind? Only then need the back end ask. */
HOT bool engine_is_ruled(const struct engine *engine, enum op_kind kind)
{
	return atomic_load_explicit(&engine->ruled, memory_order_relaxed) & RULE_CALL(kind);
}

/* The same of faults and limits. */
HOT bool engine_is_limited(const struct engine *engine, enum op_kind kind)
{
	return atomic_load_explicit(&engine->limited, memory_order_relaxed) & RULE_CALL(kind);
}

/* The call as rules see it: with the addresses that the program knows. */
struct rule_query engine_query(const struct engine *engine, enum op_kind kind,
                               const struct call *call);

/* The protocol alone: one RULE_ bit. */
unsigned engine_proto(enum op_kind kind, const struct call *call);

/* What is to be done with call->op? Leaves the verdict, which comes as PASSED, in
 * the call. call->sock is what is known of op.fd. The rule that decides is counted. */
void engine_before(struct engine *engine, enum op_kind kind, struct call *call);

/* Which faults does a call meet that no policy has refused? Every fault rule that matches
 * counts the call; those whose turn it is add their delays to the verdict, and the first that
 * fails makes it VERDICT_FAILED (a limit of memory: VERDICT_LIMITED). Otherwise the verdict stays
 * what it was, PASSED becomes DELAYED. op.since_ns and op.sockets count. (faults.c) */
void engine_faults(struct engine *engine, enum op_kind kind, struct call *call);

/* The number of the `limit ports` that holds for this process: of those that match it the
 * first with `in NAME`, else the first. 0: none does. */
uint32_t engine_ports_rule(const struct engine *engine, const struct rules *rules);

/* Does the call take a port that no rule but engine.ports gives? */
bool engine_limits_port(const struct engine *engine, enum op_kind kind, const struct call *call);

/* What the kernel says when there is no port left for a call (seen on Linux 6.18). */
int engine_no_port(enum op_kind kind, enum proto proto);

/* Is a connect made, or on its way? */
static inline bool engine_has_started(int result)
{
	return result == 0 || result == -EINPROGRESS;
}

/* Does the engine need the socket's local endpoint for its record, one that
 * only the kernel knows? */
HOT bool engine_wants_local(enum op_kind kind, const struct call *call)
{
	const struct sock *sock = &call->sock;
	const struct outcome *outcome = &call->outcome;
	bool has_port = sock_bits(sock) & SOCKET_LOCAL && sock->local_port;

	if (sock_family(sock) != FAMILY_INET && sock_family(sock) != FAMILY_INET6)
		return false;
	if (kind == OP_CONNECT)
		return engine_has_started(outcome->result) && outcome->has_remote &&
		       (!has_port || addr_is_any(&sock->local) || sock_proto(sock) == PROTO_UDP);
	if (kind == OP_ACCEPT)
		return outcome->result >= 0 && (!has_port || addr_is_any(&sock->local));
	if (kind == OP_BIND)
		return outcome->result == 0 && outcome->has_local && outcome->local.port == 0;
	return outcome->result >= 0 && !has_port; /* OP_LISTEN, OP_SEND */
}

/* How many lines the record of this outcome takes. */
static inline unsigned engine_lines(const struct outcome *outcome)
{
	size_t lines = (outcome->text_len + SESSION_LINE - 1) / SESSION_LINE;

	return 1 + (lines < LINE_TEXT_MAX ? (unsigned)lines : LINE_TEXT_MAX);
}

/* The two halves of engine_after(): the table of sockets, and the line. line is
 * NULL where nothing is recorded; it gives a socket that is born its id. */
void engine_remember(struct engine *engine, struct call *call, const struct line *line);
void engine_after_connect(struct engine *engine, struct call *call);
void engine_after_accept(struct engine *engine, struct call *call, const struct line *line);
void engine_put_text(struct line *line, const struct outcome *outcome);

/* Where sockets are counted, see limits.h. */
void limits_born(struct sockets *sockets);
void limits_appeared(struct sockets *sockets);
void limits_ended(struct engine *engine, enum op_kind kind, struct call *call);
void limits_give_back(struct engine *engine, enum op_kind kind, struct call *call);
void limits_closed(struct sockets *sockets, int result);

/* A socket is born as fd, with the word that it has but for its id. */
HOT void engine_give_birth(struct engine *engine, struct call *call, int fd, uint64_t word,
                           const struct line *line)
{
	uint32_t id = 0;

	if (line && engine->session)
		id = session_line_id(engine->session, line);
	else if (!engine->session)
		id = atomic_fetch_add_explicit(&engine->ids, 1, memory_order_relaxed) + 1;
	word |= (uint64_t)id << 32 | (call->op.cloexec ? SOCKET_CLOEXEC : 0);
	call->sock.word = word;
	if (__builtin_expect(call->verdict.held, 0)) {
		call->verdict.held--;
		limits_born(&engine->sockets);
	} else if (__builtin_expect(!!engine->sockets.counted, 0)) {
		limits_appeared(&engine->sockets);
	}
	sockets_put(&engine->sockets, fd, &call->sock);
}

/* SOCKET_ bits in the order of the LINE_ bits: LOCAL, REMOTE, REUSE, NO_PORT, CLOEXEC. */
static inline uint8_t engine_line_flags(uint32_t bits)
{
	return (uint8_t)((bits >> 5 & 3) | (bits >> 7 & 28));
}

/* Can a record of this kind have text behind it? */
HOT bool engine_has_text(enum op_kind kind)
{
	return kind != OP_SOCKET && kind != OP_CLOSE;
}

/* Addresses that are not known stay as they are: 0, in a line never written. */
HOT void engine_put_line(const struct engine *engine, enum op_kind kind, const struct call *call,
                         struct line *line)
{
	const struct op *op = &call->op;
	uint64_t word = call->sock.word;
	uint32_t bits = (uint32_t)word;

	if (kind == OP_PASS || kind == OP_SHUTDOWN || kind == OP_LIMIT) {
		line->cookie = call->outcome.cookie;
		line->arg = op->arg;
		bits &= ~(uint32_t)(SOCKET_LOCAL | SOCKET_REMOTE);
	}
	if (bits & SOCKET_LOCAL) {
		line->local = call->sock.local;
		line->local_port = call->sock.local_port;
	}
	if (bits & SOCKET_REMOTE) {
		line->remote = call->sock.remote;
		line->remote_port = call->sock.remote_port;
	}
	if (kind == OP_BIND)
		line->remote_port = (uint16_t)op->arg;
	if (kind == OP_LISTEN)
		line->remote_port = (uint16_t)(op->arg < 0 ? 0 : op->arg > 65535 ? 65535 : op->arg);
	line->took = session_pack_span(call->outcome.end - op->start);
	line->fd = op->fd;
	line->result = call->outcome.result;
	line->sock = (uint32_t)(word >> 32);
	line->rule = call->verdict.rule;
	line->kind = (uint8_t)((bits >> SOCKET_FAMILY_SHIFT & 15) | call->verdict.kind << 4);
	line->flags = engine_line_flags(bits);
	if (engine_has_text(kind) && call->outcome.text_len)
		engine_put_text(line, &call->outcome);
	session_publish(line, kind, op->start - engine->epoch);
}

/* Remember what happened, and write it to line (with its text to the lines
 * behind it). line may be NULL: then it is only remembered. kind is the op's;
 * where it is a constant, the compiler makes short work of it. */
HOT void engine_after(struct engine *engine, enum op_kind kind, struct call *call,
                      struct line *line)
{
	uint64_t word;

	if (kind == OP_SOCKET) {
		word = sock_word(0, call->op.family, call->op.proto, 0);
		call->sock.word = word;
		if (call->outcome.result >= 0)
			engine_give_birth(engine, call, call->outcome.result, word, line);
	} else if (kind == OP_CONNECT) {
		engine_after_connect(engine, call);
	} else if (kind == OP_ACCEPT) {
		engine_after_accept(engine, call, line);
	} else if (kind != OP_CLOSE) { /* that was taken out of the table before */
		engine_remember(engine, call, line);
	} else if (__builtin_expect(!!(call->sock.word & SOCKET_LEAVING), 0)) {
		limits_closed(&engine->sockets, call->outcome.result);
	}
	if (kind != OP_CLOSE && __builtin_expect(call->verdict.held | call->verdict.place, 0)) {
		struct call copy = *call; /* so that the call can stay in registers */

		limits_ended(engine, kind, &copy);
		call->verdict = copy.verdict;
	}
	if (line)
		engine_put_line(engine, kind, call, line);
}

#endif
