/* SPDX-License-Identifier: MIT */
/* verdicts.h - what rules did to the calls of a session: rows of the audit, one a
 * distinct thing. Of what a rule matched and let pass, only the rule itself knows
 * the number. */
#ifndef TOOLS_VERDICTS_H
#define TOOLS_VERDICTS_H

#include "core/event.h"
#include "tools/ledger.h"

enum { MOVE_ASKED = 4 };

/* A call of a program to a place, denied by a rule. Unused bytes of keys are zero. */
struct denial {
	struct {
		const struct program *program;
		struct place place; /* ACCEPT: who called, port 0 */
		uint32_t set;       /* 0: unknown */
		uint16_t rule;
		uint8_t call;    /* enum op_kind */
		uint8_t has_end; /* the call names a place */
	} key;
	int error; /* that it was given, the last time */
	uint64_t count;
	UT_hash_handle hh;
};

/* A place that calls were moved to, and what they had asked for. */
struct move {
	struct {
		struct endpoint to;
		uint8_t proto, is_local; /* is_local: of bind */
	} key;
	struct endpoint asked[MOVE_ASKED];
	unsigned askeds;
	bool more; /* than the list holds */
	UT_hash_handle hh;
};

/* The ports that a rule gave to sockets. */
struct assignment {
	struct {
		uint32_t set;
		uint16_t rule;
	} key;
	uint64_t count; /* calls that got one */
	struct errors failed;
	uint16_t low, high;          /* of those given; high 0: none was */
	struct assigned_port *ports; /* distinct */
	UT_hash_handle hh;
};

struct assigned_port {
	uint16_t port;
	UT_hash_handle hh;
};

struct verdicts {
	uint64_t count[VERDICT_DELAYED + 1]; /* calls by enum verdict_kind */
	struct denial *denials;
	struct move *moves;
	struct assignment *assignments;
};

/* A call of a program; those that passed leave no trace. */
void verdicts_add(struct verdicts *verdicts, const struct program *program,
                  const struct event *event);
void verdicts_free(struct verdicts *verdicts);

/* What was asked for by those that were moved to an endpoint: by bind (is_local), or
 * else. NULL: nothing was moved there. */
const struct move *verdicts_move(const struct verdicts *verdicts, bool is_local,
                                 const struct place *place);

/* How many calls some rule has changed. */
uint64_t verdicts_total(const struct verdicts *verdicts);

#endif
