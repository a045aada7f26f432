/* SPDX-License-Identifier: MIT */
/* recovery.h - whether programs got over the failures that were given to them: by rules, or
 * by a kernel that had run out of something.
 *
 * From a failure on, the calls of the same kind that the process makes at the same place
 * are watched, until one succeeds or the process is gone: how soon it tries again, how
 * often, and what comes of it. A place is a listener for accept, a destination for
 * connect, a name for getaddrinfo; a socket for send and recv.
 *
 * Memory grows with distinct rows, which are limited, and with failures that a process has
 * not got over yet; never with events. */
#ifndef TOOLS_RECOVERY_H
#define TOOLS_RECOVERY_H

#include "core/event.h"
#include "tools/ledger.h"
#include "tools/pauses.h"

enum { RECOVERY_ROWS_MAX = 4096, RECOVERY_WATCHES_MAX = 1 << 20 };

/* One kind of failure in one program. Unused bytes of the key are zero. */
struct trouble {
	struct {
		const struct program *program;
		struct place place; /* RESOLVE: FAMILY_OTHER, its path is the name */
		uint32_t set;       /* of the rule; 0: unknown */
		int error;          /* errno, or EAI_ code if negative; 0: as the rule says */
		uint16_t rule;      /* 0: none, the kernel was out of something */
		uint8_t call, verdict;
		uint8_t is_elsewhere; /* place is not said: there were too many */
	} key;
	uint64_t failures;
	uint64_t episodes; /* failures that were not preceded by another */
	uint64_t tries;    /* calls that followed a failure */
	struct pauses pauses;
	uint64_t spin, spin_ns; /* the longest run of failures without a pause */

	/* What became of the episodes; of the rest nothing is known. */
	uint64_t recovered; /* the call succeeded */
	uint64_t idle;      /* accept: it would have, but nobody was waiting any more */
	uint64_t pending;   /* connect: it was under way again */
	uint64_t closed;    /* send, recv: the socket was closed */
	uint64_t exited;    /* the process exited; status and how soon: of the last */
	uint64_t died;      /* it was gone without a word */
	uint64_t open;      /* none of these */

	uint64_t reconnected; /* send, recv: a new connection was made to the same place */
	uint64_t recovery_ns; /* the longest time from the first failure to the success */
	uint64_t idle_ns;     /* the longest that a process went on without the call */
	uint64_t exit_ns;     /* the shortest time from a failure to the exit */
	uint64_t last_words;  /* of those that died: nothing more was heard of them */
	int status;           /* -1: unknown */
	uint32_t slot;        /* of one of the processes */
	UT_hash_handle hh;
};

struct watch;

struct recovery {
	struct trouble *rows;
	struct watch *of[SESSION_PROCESSES]; /* by process */
	uint32_t slots;
	uint64_t watches, dropped; /* failures that there was no room to watch */
};

struct audit;

/* The next event, before the audit takes it in. */
void recovery_event(struct audit *audit, const struct event *event);

/* A connect that had been under way has been answered. */
void recovery_connected(struct audit *audit, uint32_t slot, const struct place *place);

/* The record ends. Once; then free. */
void recovery_finish(struct audit *audit);
void recovery_free(struct recovery *recovery);

/* ---- of single calls (recovery_call.c) ---- */

/* Is it for want of a port that this call failed, as the kernel says it? */
bool recovery_lacks_port(const struct event *event);

/* Is it a failure to be got over? By a rule, or because the kernel was out of what limits
 * are about. */
bool recovery_is_trouble(const struct event *event);

/* Has this kind of call a place of its own; and is a descriptor what tells it? */
bool recovery_has_place(enum op_kind kind);
bool recovery_is_at_fd(enum op_kind kind);
struct place recovery_place(struct audit *audit, const struct event *event);

#endif
