/* SPDX-License-Identifier: MIT */
/* engine.h - the one place that decides and remembers.
 * A back end turns a call into an op, asks engine_before() for the verdict,
 * carries it out, and reports the outcome to engine_after(). It never learns how
 * calls are caught; it makes no call of its own. */
#ifndef CORE_ENGINE_H
#define CORE_ENGINE_H

#include "core/session.h"
#include "core/sockets.h"

struct engine {
	struct session_header *session; /* NULL: nothing is recorded */
	uint64_t epoch;                 /* ticks that event times count from */
	struct sockets sockets;
	_Atomic uint32_t ids; /* without a session: the last socket id given */
};

/* What is to be done with this op? */
static inline struct verdict engine_before(const struct engine *engine, const struct op *op)
{
	(void)engine;
	(void)op;
	return (struct verdict){.kind = VERDICT_PASSED};
}

/* Does the engine need the socket's local endpoint for its record, one that
 * only the kernel knows? `before` is what was known of op->fd. */
bool engine_wants_local(const struct op *op, const struct sock *before, const struct outcome *outcome);

/* How many lines the record of this outcome takes. */
unsigned engine_lines(const struct op *op, const struct outcome *outcome);

/* Remember what happened, and write it to line (with its text to the lines
 * behind it). line may be NULL: then it is only remembered. */
void engine_after(struct engine *engine, const struct op *op, const struct sock *before,
                  const struct verdict *verdict, const struct outcome *outcome, struct line *line);

#endif
