/* SPDX-License-Identifier: MIT */
/* usage.h - what the programs of a session did, as a set: each kind of call on each
 * endpoint once, with how often. What suggest and diff work on. Memory grows with
 * distinct endpoints, never with events. Nothing in a session is believed.
 *
 * A first packet is recorded, not each: of UDP this counts sockets and peers. */
#ifndef TOOLS_USAGE_H
#define TOOLS_USAGE_H

#include "tools/ledger.h"
#include "tools/reader.h"

enum { USAGE_USERS = 16 };

/* One program's use of one endpoint: local for BIND and LISTEN, remote for CONNECT,
 * ACCEPT (port 0: clients have any), SEND and RECV. As the program asked for it. */
struct deed {
	struct {
		enum op_kind call;
		const struct program *program;
		struct place place;
		bool is_asked; /* port 0 was; place has the port that came of it */
	} key;
	struct endpoint real; /* where a moved call went last */
	bool is_moved;
	uint64_t count, denied; /* denied: calls that a rule did not let pass, not in count */
	uint64_t pending;     /* of count: connects that did not wait, until the session is read */
	struct errors failed; /* of count */
	uint64_t first_ns;
	const struct deed *next_on_port; /* another BIND or LISTEN of this protocol and port */
	UT_hash_handle hh;
};

struct usage {
	struct reader_info info;
	struct ledger ledger; /* programs, and names that were looked up */
	struct deed *deeds;
	const struct deed *tcp[65536], *udp[65536]; /* BIND and LISTEN, by port */
	unsigned families;  /* bits by enum family, of sockets that were made or met */
	bool has_other;     /* calls of sockets that are neither TCP, UDP nor unix */
	bool has_lookups;   /* getaddrinfo */
	uint64_t denied;    /* calls */
	uint32_t unseen;    /* processes of which all or part was not seen */
	uint32_t processes; /* 0: the library came up in none */
	uint32_t users;     /* distinct user IDs, at most USAGE_USERS, in order */
	uint32_t user[USAGE_USERS];
	bool more_users;
};

/* Read a session to its end. For usage_free(). */
struct usage *usage_of(struct reader *reader);
void usage_free(struct usage *usage);

/* All deeds, of those that a rule did nothing but deny only with_denied, in an order that does not
 * depend on the session's: by call, protocol, address, port, path, program; or by program first.
 * For free(). */
const struct deed **usage_list(const struct usage *usage, bool by_program, bool with_denied,
                               size_t *count);

/* Was the port of a BIND or LISTEN not asked for? Of a socket that listens without a bind
 * in the session it is not known: then it was not, if it is one that the host's kernel
 * chooses. */
bool usage_is_chosen(const struct usage *usage, const struct deed *deed);

/* Will the port of the other end be another one next time: a client's that is answered, or
 * one that the kernel chose for a listener of this session? */
bool usage_is_loose(const struct usage *usage, const struct deed *deed);

/* Was this socket bound, if it listens: by a bind of the session, to this port? */
bool usage_is_bound(const struct usage *usage, const struct deed *listen);

/* Does anybody listen where this socket was bound? */
bool usage_has_listener(const struct usage *usage, const struct deed *bind);

/* In the order of protocol, address, port, path. */
int place_compare(const struct place *one, const struct place *other);

/* Count some more errors. */
void errors_merge(struct errors *to, const struct errors *from);

#endif
