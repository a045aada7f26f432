/* SPDX-License-Identifier: MIT */
/* verdicts.c - see verdicts.h. */
#include "tools/verdicts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool names_local(enum op_kind kind)
{
	return kind == OP_BIND || kind == OP_LISTEN;
}

/* The place that a call names. Whoever calls has another port each time: of those,
 * the address alone. */
static struct place place_of(const struct event *event, bool *has_end)
{
	bool is_local = names_local(event->kind);
	struct endpoint end = is_local ? event->local : event->remote;

	*has_end = is_local ? event->has_local : event->has_remote;
	if (event->kind == OP_ACCEPT)
		end.port = 0;
	return ledger_place(event->family, event->proto, *has_end ? &end : NULL, event->text,
	                    event->text_len);
}

static void add_denial(struct verdicts *verdicts, const struct program *program,
                       const struct event *event)
{
	struct denial *denial = memory_new(sizeof(*denial)), *found;
	bool has_end;

	denial->key.place = place_of(event, &has_end);
	denial->key.program = program;
	denial->key.set = event->set;
	denial->key.rule = event->rule;
	denial->key.call = (uint8_t)event->kind;
	denial->key.has_end = has_end || denial->key.place.path[0];
	HASH_FIND(hh, verdicts->denials, &denial->key, sizeof(denial->key), found);
	if (found) {
		free(denial);
		denial = found;
	} else {
		HASH_ADD(hh, verdicts->denials, key, sizeof(denial->key), denial);
	}
	denial->count++;
	denial->error = event->error;
}

static struct move *find_move(const struct verdicts *verdicts, bool is_local, uint8_t proto,
                              const struct endpoint *to)
{
	struct move like, *move;

	memset(&like, 0, sizeof(like));
	like.key.to = *to;
	like.key.proto = proto;
	like.key.is_local = is_local;
	HASH_FIND(hh, verdicts->moves, &like.key, sizeof(like.key), move);
	return move;
}

static bool is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->ip, &b->ip);
}

static void note_asked(struct move *move, const struct endpoint *asked)
{
	for (unsigned i = 0; i < move->askeds; i++)
		if (is_same(&move->asked[i], asked))
			return;
	if (move->askeds < MOVE_ASKED)
		move->asked[move->askeds++] = *asked;
	else
		move->more = true;
}

static void add_move(struct verdicts *verdicts, const struct event *event)
{
	bool is_local = names_local(event->kind);
	const struct endpoint *to = is_local ? &event->local : &event->remote;
	struct move *move;

	if (!event->has_asked || !(is_local ? event->has_local : event->has_remote))
		return;
	move = find_move(verdicts, is_local, (uint8_t)event->proto, to);
	if (!move) {
		move = memory_new(sizeof(*move));
		move->key.to = *to;
		move->key.proto = (uint8_t)event->proto;
		move->key.is_local = is_local;
		HASH_ADD(hh, verdicts->moves, key, sizeof(move->key), move);
	}
	note_asked(move, &event->asked);
}

static struct assignment *assignment_of(struct verdicts *verdicts, const struct event *event)
{
	struct assignment *assignment = memory_new(sizeof(*assignment)), *found;

	assignment->key.set = event->set;
	assignment->key.rule = event->rule;
	HASH_FIND(hh, verdicts->assignments, &assignment->key, sizeof(assignment->key), found);
	if (found) {
		free(assignment);
		return found;
	}
	HASH_ADD(hh, verdicts->assignments, key, sizeof(assignment->key), assignment);
	return assignment;
}

static void note_port(struct assignment *assignment, uint16_t port)
{
	struct assigned_port *known;

	HASH_FIND(hh, assignment->ports, &port, sizeof(port), known);
	if (known)
		return;
	known = memory_new(sizeof(*known));
	known->port = port;
	HASH_ADD(hh, assignment->ports, port, sizeof(known->port), known);
	if (assignment->high == 0 || port < assignment->low)
		assignment->low = port;
	if (port > assignment->high)
		assignment->high = port;
}

/* A connect that is on its way has its port. */
static void add_assignment(struct verdicts *verdicts, const struct event *event)
{
	struct assignment *assignment = assignment_of(verdicts, event);
	bool is_under_way = event->error == EINPROGRESS || event->error == EINTR;

	if (event->error && !is_under_way) {
		errors_add(&assignment->failed, event->error);
		return;
	}
	assignment->count++;
	if (event->has_local && event->local.port)
		note_port(assignment, event->local.port);
}

void verdicts_add(struct verdicts *verdicts, const struct program *program,
                  const struct event *event)
{
	if (event->verdict == VERDICT_PASSED)
		return;
	verdicts->count[event->verdict]++;
	if (event->verdict == VERDICT_DENIED)
		add_denial(verdicts, program, event);
	else if (event->verdict == VERDICT_MOVED)
		add_move(verdicts, event);
	else if (event->verdict == VERDICT_ASSIGNED)
		add_assignment(verdicts, event);
}

static void free_assignment(struct assignment *assignment)
{
	struct assigned_port *port, *next;

	HASH_ITER (hh, assignment->ports, port, next) {
		HASH_DEL(assignment->ports, port);
		free(port);
	}
	free(assignment);
}

void verdicts_free(struct verdicts *verdicts)
{
	struct denial *denial, *next_denial;
	struct move *move, *next_move;
	struct assignment *assignment, *next_assignment;

	HASH_ITER (hh, verdicts->denials, denial, next_denial) {
		HASH_DEL(verdicts->denials, denial);
		free(denial);
	}
	HASH_ITER (hh, verdicts->moves, move, next_move) {
		HASH_DEL(verdicts->moves, move);
		free(move);
	}
	HASH_ITER (hh, verdicts->assignments, assignment, next_assignment) {
		HASH_DEL(verdicts->assignments, assignment);
		free_assignment(assignment);
	}
}

const struct move *verdicts_move(const struct verdicts *verdicts, bool is_local,
                                 const struct place *place)
{
	if (place->family == FAMILY_UNIX)
		return NULL;
	return find_move(verdicts, is_local, place->proto, &place->end);
}

uint64_t verdicts_total(const struct verdicts *verdicts)
{
	uint64_t total = 0;

	for (unsigned i = VERDICT_PASSED + 1; i <= VERDICT_DELAYED; i++)
		total += verdicts->count[i];
	return total;
}
