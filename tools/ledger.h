/* SPDX-License-Identifier: MIT */
/* ledger.h - the rows of the audit, one a distinct thing: a program, a place
 * listened at, a destination, a name that was resolved, a kind of leak.
 * Closed sockets live on here, as numbers. Knows how to find a row and how to
 * count in it, not what an event means. All times are ns of CLOCK_REALTIME. */
#ifndef TOOLS_LEDGER_H
#define TOOLS_LEDGER_H

#include "core/session.h"
#include "tools/memory.h"

enum {
	LEDGER_PROGRAMS = 4,
	LEDGER_ERRORS = 8,
	LEDGER_LOCALS = 8,
	LEDGER_NAMES = 4,
	TIME_WAIT_S = 60, /* TCP_TIMEWAIT_LEN */
};

/* A program by its name, whatever the number of its processes. */
struct program {
	char name[33];
	uint32_t processes, running;
	uint32_t slot, pid;         /* of the first */
	uint32_t fd_peak, fd_limit; /* of the process that came nearest to its limit */
	uint64_t sockets;
	uint64_t no_fd; /* calls that failed with EMFILE or ENFILE */
	uint64_t no_fd_by_rule;
	UT_hash_handle hh;
};

struct programs {
	const struct program *list[LEDGER_PROGRAMS];
	unsigned count;
	bool more; /* than the list holds */
};

/* How often each errno came. */
struct errors {
	struct {
		int error;
		uint64_t count;
	} kind[LEDGER_ERRORS];
	unsigned kinds;
	uint64_t other, total; /* other: kinds beyond the list */
};

/* How many at once. */
struct level {
	uint64_t now, peak;
};

/* The longest run of something that came again and again without a pause. */
struct streak {
	uint64_t first_ns, last_ns, count; /* the run that goes on */
	uint64_t best, best_ns;            /* the longest so far, and how long it took */
};

/* The most that came within a minute of the clock. */
struct minute {
	uint64_t start_ns, count, peak;
};

/* How many came within the last TIME_WAIT_S seconds, of two kinds. */
struct lately {
	uint64_t second; /* of the newest count */
	uint32_t count[TIME_WAIT_S][2];
};

/* Calls that found no local port; and how things stood at the first of them. */
struct shortage {
	uint64_t count;
	uint64_t open;                   /* connections, or of bind: ports held */
	uint64_t closed, closed_unknown; /* lately, by us: surely first; who knows */
	const struct program *program;
	uint32_t set;
	uint16_t rule; /* that gives ports, where it had a part in it; 0: none */
};

/* An address as rows are told apart by it. Unused bytes are zero. */
struct place {
	uint8_t proto, family; /* enum proto, enum family */
	struct endpoint end;
	char path[UNIX_PATH_MAX + 1]; /* FAMILY_UNIX */
};

/* Where a program listens (TCP, unix) or what it has bound (UDP). */
struct listener {
	struct {
		const struct program *program;
		struct place place;
	} key;
	uint32_t slot;   /* the process that listened first, 0: unknown */
	int backlog;     /* -1: listen() was not seen */
	bool any_port;   /* UDP: all the ports that the kernel chose, in one row */
	bool no_reuse;   /* bound without SO_REUSEADDR */
	uint64_t opened; /* sockets that listened here, one after another or at once */
	struct level listening;
	uint64_t accepted;
	struct level connected;
	uint64_t peers; /* UDP */
	struct errors failed;
	struct streak spinning; /* accept that fails for want of an fd */
	UT_hash_handle hh;
};

/* Whom the programs call. */
struct destination {
	struct place place;
	struct programs programs;
	uint64_t made;    /* those under way included */
	uint64_t pending; /* of them: connect did not block, and no more was heard */
	struct level connected;
	struct errors failed;
	uint64_t ports; /* distinct local endpoints */
	struct ip local[LEDGER_LOCALS];
	unsigned locals;      /* distinct local addresses, those beyond the list too */
	uint64_t reuse_ns;    /* shortest time until a port came again, UINT64_MAX: none did */
	uint64_t bound_first; /* connections of sockets that bind had given a port */
	uint64_t closed_first, closed_second; /* by us, by the other end: both known */
	uint64_t closed_unknown;              /* by us; the other end is not in the session */
	struct minute closing;                /* closed_first and closed_unknown */
	struct lately *lately;                /* the same; NULL: none yet */
	struct shortage shortage;
	struct streak retries; /* failures in one process */
	uint32_t retry_slot;
	struct port_use *uses;
	UT_hash_handle hh;
};

/* A local endpoint towards one destination. */
struct port_use {
	struct endpoint local;
	uint32_t now;
	uint64_t closed_ns;
	UT_hash_handle hh;
};

/* The names that an address was reached by. */
struct resolved {
	struct ip ip;
	char *name[LEDGER_NAMES];
	unsigned names;
	UT_hash_handle hh;
};

/* A name that could not be resolved. */
struct unresolved {
	int result; /* of getaddrinfo, the last time */
	uint64_t count;
	UT_hash_handle hh;
	char name[]; /* the key */
};

/* What a socket was for, when nobody had closed it. */
enum use { USE_UNUSED, USE_BOUND, USE_LISTENING, USE_CLIENT, USE_SERVER, USE_FAILED };

/* Sockets that nobody closed, those of one program and purpose together. */
struct leak {
	struct {
		const struct program *program;
		const void *row; /* listener or destination, NULL: neither */
		uint8_t use, ended, family, proto;
	} key; /* ended: at the exit of the process, else it was still running */
	uint64_t count;
	uint64_t age_ns; /* of the oldest, to which the rest belongs */
	uint32_t slot;
	int fd;
	bool has_local, has_remote;
	struct endpoint local, remote;
	UT_hash_handle hh;
};

/* Sockets that a program got over exec and never used. */
struct heirloom {
	struct {
		const struct program *from, *to;
		uint8_t listening;
	} key;
	uint64_t count;
	uint32_t slot; /* of one of them */
	int fd;
	bool has_local;
	struct endpoint local;
	UT_hash_handle hh;
};

struct ledger {
	struct program *programs;
	struct listener *listeners;
	struct destination *destinations;
	struct resolved *resolved;
	struct unresolved *unresolved;
	struct leak *leaks;
	struct heirloom *heirlooms;
};

void ledger_free(struct ledger *ledger);

/* A place from its parts; path may be NULL. */
struct place ledger_place(enum family family, enum proto proto, const struct endpoint *end,
                          const char *path, size_t path_len);

/* The row of something, a new one if need be. */
struct program *ledger_program(struct ledger *ledger, const char *name);
struct listener *ledger_listener(struct ledger *ledger, const struct place *place,
                                 const struct program *program);
struct destination *ledger_destination(struct ledger *ledger, const struct place *place);
struct leak *ledger_leak(struct ledger *ledger, const struct leak *like);
struct heirloom *ledger_heirloom(struct ledger *ledger, const struct heirloom *like);
struct port_use *ledger_port_use(struct destination *destination, const struct endpoint *local);

/* Remember that name was resolved to ip. */
void ledger_resolve(struct ledger *ledger, const struct ip *ip, const char *name, size_t len);

/* Remember that name was not resolved. */
void ledger_fail_to_resolve(struct ledger *ledger, int result, const char *name, size_t len);

/* The names of the address at place, NULL if it was not resolved. */
const struct resolved *ledger_resolved(const struct ledger *ledger, const struct place *place);

void programs_add(struct programs *programs, const struct program *program);
void errors_add(struct errors *errors, int error);
uint64_t errors_count(const struct errors *errors, int error);
void level_up(struct level *level);
void level_down(struct level *level);

/* One more, from start to end; the run goes on if the last ended less than
 * pause_ns before. */
void streak_add(struct streak *streak, uint64_t start_ns, uint64_t end_ns, uint64_t pause_ns);
void minute_add(struct minute *minute, uint64_t now_ns);

/* One more (or one less, by = -1) of a kind, now; and how many of it there are. */
void lately_add(struct lately *lately, unsigned kind, int by, uint64_t now_ns);
uint64_t lately_count(const struct lately *lately, unsigned kind, uint64_t now_ns);

/* Some of the errors counted were others. */
void errors_rename(struct errors *errors, int from, int to, uint64_t most);

#endif
