/* SPDX-License-Identifier: MIT */
/* audit.h - the model behind the report: what the events of a session add up to.
 * Takes the processes, then the events in order; memory grows with distinct
 * tuples and open sockets, never with events. Events may be missing, late or
 * hostile: nothing that they say is believed to be consistent. */
#ifndef TOOLS_AUDIT_H
#define TOOLS_AUDIT_H

#include "tools/lifetime.h"
#include "tools/reader.h"
#include "tools/recovery.h"
#include "tools/verdicts.h"

/* Pauses shorter than this are none: a program that spins, not one that waits. */
#define AUDIT_PAUSE_NS ((uint64_t)10 * 1000 * 1000)

struct process {
	struct reader_process info;
	struct program *program;
	uint64_t sockets;       /* made or accepted */
	uint64_t no_fd;         /* calls that failed with EMFILE or ENFILE */
	uint64_t no_fd_by_rule; /* of them, because a rule said so */
	uint64_t seen_ns;       /* when its last event was over */
	bool busy;              /* it has done more than to meet what it inherited */
	bool is_running;
};

/* The ports of one protocol: how many sockets hold each. */
struct ports {
	uint32_t holders[65536];
	struct level ephemeral; /* ports of the host's range that are held */
};

struct audit {
	struct ledger ledger;
	struct lifetime life;
	struct process *process[SESSION_PROCESSES]; /* NULL: nothing known; 0: events of nobody */
	uint32_t slots;                             /* what is known is below */
	uint16_t port_low, port_high;               /* of the host, 0: unknown */
	struct ports tcp, udp;
	uint64_t events, first_ns;
	uint64_t start_ns, now_ns;   /* when the call began, and ended */
	uint32_t processes, running; /* exec makes no new one */
	uint64_t sockets_tcp, sockets_udp, sockets_unix, sockets_other;
	struct errors bind_failed;
	struct shortage bind_short; /* bind and listen that found no port */
	struct verdicts verdicts;
	struct recovery recovery;
	const struct rulesets *rules; /* of the session, the reader's; NULL: not known */
};

/* An empty audit, for audit_free(). Ports outside low..high are not ephemeral. */
struct audit *audit_new(uint16_t port_low, uint16_t port_high);
void audit_free(struct audit *audit);

/* What is known of a process, now or again; is_running: it is, now. */
void audit_process(struct audit *audit, const struct reader_process *info, bool is_running);

/* What is known of a process; for those of which nothing is, that. */
struct process *audit_at(struct audit *audit, uint32_t slot);

/* The next event. Not after audit_finish(). */
void audit_event(struct audit *audit, const struct event *event);

/* The record ends: what is still open counts as never closed, and programs get
 * the sums of their processes. Once. */
void audit_finish(struct audit *audit);

/* The same for a whole session. */
struct audit *audit_session(struct reader *reader);

/* Is this one of the ports that the host's kernel chooses? */
bool audit_is_ephemeral(const struct audit *audit, uint16_t port);

/* How many ports it has to choose from. */
unsigned audit_port_count(const struct audit *audit);

#endif
