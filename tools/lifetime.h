/* SPDX-License-Identifier: MIT */
/* lifetime.h - which process holds which socket, under which fd, until when.
 * A socket lives from its first name to its last: dup, fork and exec give it
 * more, close, exec and exit take them. Knows names only, not what a socket is
 * used for: that is for its owner, who is told when a socket ends.
 *
 * Events come from a file that may lack some: an fd that is given again without
 * a close takes the old name away, a close that names another socket than the fd
 * holds takes nothing. A socket that was passed on (SCM_RIGHTS, exec, spawn) and
 * closed by the sender waits a second for the receiver to name it. */
#ifndef TOOLS_LIFETIME_H
#define TOOLS_LIFETIME_H

#include "tools/ledger.h"

/* Copies of fds by fork, in all; beyond that a child starts without. */
enum { LIFETIME_NAMES_MAX = 4 << 20 };
#define LIFETIME_FLIGHT_NS ((uint64_t)1000000000)

/* A way to a destination that is open. */
struct flow {
	struct destination *destination;
	struct port_use *port; /* NULL: local unknown */
	bool is_pending;       /* a connect that did not block, of which no more was heard */
	struct flow *next;
};

struct tuple {
	struct endpoint local, remote;
	uint16_t proto;
};

struct socket {
	uint32_t id, slot;          /* slot: of the process that made it */
	int fd;                     /* the first */
	uint8_t family, proto, use; /* enum family, proto, use */
	bool has_local, has_remote;
	bool bound;                       /* bind gave it its port */
	bool no_port, reuse;              /* IP_BIND_ADDRESS_NO_PORT; SO_REUSEADDR, SO_REUSEPORT */
	bool has_port;                    /* counted in the ports in use */
	bool closing;                     /* shut down or closed by its holder */
	bool peer_first;                  /* the other end was closing before */
	bool is_failing;                  /* a rule has failed its connect; it may not know yet */
	uint64_t peer_first_ns;           /* since when */
	struct destination *peer_counted; /* where that was counted, NULL: nowhere */
	uint32_t names, flow_count;
	uint64_t passed_ns;         /* when it was passed on; 0: not, or met again since */
	uint64_t nameless_ns;       /* since when it waits for a name */
	struct socket *prev, *next; /* among those that wait */
	uint64_t born_ns, cookie;
	struct tuple tuple;
	char *path; /* FAMILY_UNIX: what it is bound to; NULL: nothing. Its owner's to free */
	struct listener *listener; /* where it listens, or was accepted */
	struct flow *flows;
	struct name *aliases;
	UT_hash_handle by_id, by_tuple, by_cookie;
};

/* Another id of a socket: it was adopted and turned out to be known. */
struct name {
	uint32_t id;
	struct socket *socket;
	struct name *next;
	UT_hash_handle hh;
};

/* An fd of a process. */
struct fd_name {
	int fd;
	bool passed;                 /* it stays open over exec */
	bool inherited;              /* it came over exec */
	bool used;                   /* since then */
	const struct program *giver; /* the program that it came from */
	struct socket *socket;
	UT_hash_handle hh;
};

/* Why a name, or with the last one the socket, went away. */
enum end { END_CLOSED, END_MISSED, END_CLOEXEC, END_EXITED, END_LEFT };

struct lifetime {
	struct socket *by_id, *by_tuple, *by_cookie;
	struct name *aliases;
	struct fd_name *fds[SESSION_PROCESSES];
	uint32_t slots;         /* those that ever had an fd are below */
	struct socket *waiting; /* nameless, the longest first */
	uint64_t now_ns;        /* kept by the owner */
	uint64_t names, names_dropped, closes_missed;
	struct level open;

	/* A name goes, before the socket ends if it was the last. */
	void (*unnamed)(void *owner, uint32_t slot, const struct fd_name *fd, enum end end);
	/* Nobody holds the socket any more; it is freed afterwards. */
	void (*ended)(void *owner, struct socket *socket, enum end end);
	void *owner;
};

/* A new socket with its first name. An id that is taken is not entered. */
struct socket *lifetime_born(struct lifetime *life, uint32_t slot, int fd, uint32_t id);

/* The socket of an id or, with id 0, of an fd. NULL if there is none. */
struct socket *lifetime_find(struct lifetime *life, uint32_t slot, int fd, uint32_t id);

/* The name that a process has for a socket, NULL if there is none. */
struct fd_name *lifetime_fd(struct lifetime *life, uint32_t slot, int fd);

/* Give a socket one more name. */
struct fd_name *lifetime_name(struct lifetime *life, uint32_t slot, int fd, struct socket *socket);

/* An fd was closed. id: of the socket, 0 if unknown. */
void lifetime_close(struct lifetime *life, uint32_t slot, int fd, uint32_t id);

/* A child came with copies of its parent's fds. */
void lifetime_fork(struct lifetime *life, uint32_t parent, uint32_t child);

/* A program took over from another, with the fds that were passed on. */
void lifetime_exec(struct lifetime *life, uint32_t from, uint32_t to, const struct program *giver);

/* A process passes a socket on; another has met it. */
void lifetime_pass(struct lifetime *life, uint32_t slot, int fd, struct socket *socket);
void lifetime_arrive(struct socket *socket);

/* End the sockets that have waited too long. */
void lifetime_expire(struct lifetime *life);

/* A process is gone: all its names go. */
void lifetime_exit(struct lifetime *life, uint32_t slot, enum end end);

/* Say which addresses a socket has, to be found by. NULL: none. */
void lifetime_set_tuple(struct lifetime *life, struct socket *socket, const struct endpoint *local,
                        const struct endpoint *remote);
struct socket *lifetime_find_tuple(struct lifetime *life, enum proto proto,
                                   const struct endpoint *local, const struct endpoint *remote);

/* Say which cookie a socket has. Returns another socket that has it already. */
struct socket *lifetime_set_cookie(struct lifetime *life, struct socket *socket, uint64_t cookie);
struct socket *lifetime_find_cookie(struct lifetime *life, uint64_t cookie);

/* The socket is also known by this id. */
void lifetime_alias(struct lifetime *life, struct socket *socket, uint32_t id);

/* End everything that is left and free it. */
void lifetime_finish(struct lifetime *life);

#endif
