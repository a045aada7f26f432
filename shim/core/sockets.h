/* SPDX-License-Identifier: MIT */
/* sockets.h - what we know of each socket of this process, by fd.
 * A flat array of cache lines: no search, no lock, no allocation. It is a cache
 * of what the kernel knows: an fd that is not in it may still be a socket, and
 * an entry whose close was missed is replaced when the number comes again.
 *
 * `word` is an entry's one word of truth, read and changed atomically: its upper half
 * is the socket's id, its lower half SOCKET_ bits; 0 means "not known". Whoever
 * closes an fd takes the word out first: then one close makes one event, and the
 * next owner of the number starts from nothing. */
#ifndef CORE_SOCKETS_H
#define CORE_SOCKETS_H

#include <stdatomic.h>

#include "core/addr.h"
#include "core/op.h"

enum {
	SOCKET_KNOWN = 1,
	SOCKET_FAMILY_SHIFT = 1, /* enum family, 2 bits */
	SOCKET_PROTO_SHIFT = 3,  /* enum proto, 2 bits */
	SOCKET_LOCAL = 1 << 5,   /* local is known, with its port */
	SOCKET_REMOTE = 1 << 6,  /* remote is known */
	SOCKET_BOUND = 1 << 7,   /* by bind, not by connect or listen */
	SOCKET_LISTENING = 1 << 8,
	SOCKET_REUSE = 1 << 9,    /* SO_REUSEADDR or SO_REUSEPORT */
	SOCKET_NO_PORT = 1 << 10, /* IP_BIND_ADDRESS_NO_PORT */
	SOCKET_CLOEXEC = 1 << 11,
	SOCKET_CLOSING = 1 << 12,      /* in the range of a close_range that runs */
	SOCKET_PENDING = 1 << 13,      /* connect said EINPROGRESS; how it went is not known yet */
	SOCKET_MOVED_LOCAL = 1 << 14,  /* the program asked for another local endpoint */
	SOCKET_MOVED_REMOTE = 1 << 15, /* ... and for another peer */
	SOCKET_RANGED = 1 << 16,       /* IP_LOCAL_PORT_RANGE is set, for this call */
	SOCKET_SHARED = 1 << 17,       /* perhaps there is another fd of it, somewhere */
	SOCKET_LIMITED = 1 << 18,      /* IP_LOCAL_PORT_RANGE is that of limit ports */
	SOCKET_FAULTED = 1 << 19,      /* the error that it will report is in truth fault_error */
	SOCKET_RESET = 1 << 20,        /* by a fault: it is as if the peer had */
	SOCKET_LEAVING = 1 << 23,      /* of a copy: its close will be counted */
};

struct sock {
	uint64_t word;
	struct ip local, remote;
	uint16_t local_port, remote_port;
	uint16_t peers; /* UDP: peers told of so far */
	uint16_t fault_error;
	uint64_t reserved[2];
};

_Static_assert(sizeof(struct sock) == 64, "an entry is one cache line");

/* What the program asked for, where a rule moved the socket elsewhere. */
struct asked {
	struct endpoint local, remote;
};

enum { SOCKETS_PEERS_MAX = 1024, SOCKETS_PEER_SLOTS = 1 << 14 };

/* A number of sockets, see limits.h. */
typedef _Atomic uint64_t socket_count;

struct flight;

enum { COUNT_OWN = 1, COUNT_TREE = 2 };

struct sockets {
	struct sock *at; /* capacity entries, zero at first */
	uint32_t capacity;
	_Atomic uint32_t top;    /* highest fd ever entered + 1 */
	_Atomic uint64_t *peers; /* SOCKETS_PEER_SLOTS hashes of (socket, UDP peer) */
	struct asked *asked;     /* capacity entries, or NULL: nothing was moved yet */

	_Atomic uint32_t counted; /* COUNT_ bits: what rules need to know the number of */
	struct flight *flight;    /* of this process */
	socket_count own, *tree;  /* this process's sockets, the session's */
};

/* The word of an entry. (A copy's can be read plainly.) */
static inline uint64_t sockets_word(const struct sock *entry)
{
	return __atomic_load_n(&entry->word, __ATOMIC_ACQUIRE);
}

/* The entry of an fd, known or not; NULL beyond the capacity. */
static inline struct sock *sockets_at(const struct sockets *sockets, int fd)
{
	return (unsigned)fd < sockets->capacity ? &sockets->at[fd] : NULL;
}

/* Is the fd a socket that we know? The whole cost of a close of something else. */
static inline bool sockets_knows(const struct sockets *sockets, int fd)
{
	return (unsigned)fd < sockets->capacity && sockets_word(&sockets->at[fd]) != 0;
}

/* The addresses of a socket, those that its bits say are known. */
static inline void sock_copy_ends(struct sock *to, const struct sock *from, uint64_t bits)
{
	if (bits & SOCKET_LOCAL) {
		to->local = from->local;
		to->local_port = from->local_port;
	}
	if (bits & SOCKET_REMOTE) {
		to->remote = from->remote;
		to->remote_port = from->remote_port;
	}
}

/* Copy of an entry; its word is 0 if not known. */
static inline void sockets_get(const struct sockets *sockets, int fd, struct sock *copy)
{
	const struct sock *sock = sockets_at(sockets, fd);
	uint64_t word = sock ? sockets_word(sock) : 0;

	sock_copy_ends(copy, sock, word);
	copy->word = word;
}

/* The same as sockets_take(), where they are counted (limits.c). */
bool sockets_take_counted(struct sockets *sockets, int fd, struct sock *copy);

/* What was taken out was not closed, and is to be put back. */
void sockets_stay(struct sockets *sockets, struct sock *copy);

/* Another process gets a descriptor of each. */
void sockets_share(struct sockets *sockets);

/* The same of a known entry, which is empty afterwards. Returns false if another
 * thread took it first. */
static inline bool sockets_take(struct sockets *sockets, int fd, struct sock *copy)
{
	struct sock *sock = &sockets->at[fd];

	if (__builtin_expect(atomic_load_explicit(&sockets->counted, memory_order_relaxed) != 0,
	                     0)) {
		struct sock taken; /* so that the copy can stay in registers */
		bool is_taken = sockets_take_counted(sockets, fd, &taken);

		sock_copy_ends(copy, &taken, taken.word);
		copy->word = taken.word;
		return is_taken;
	}
	sock_copy_ends(copy, sock, sockets_word(sock));
	copy->word = __atomic_exchange_n(&sock->word, 0, __ATOMIC_ACQ_REL);
	return copy->word != 0;
}

/* There is an entry at top - 1 now. */
void sockets_raise_top(struct sockets *sockets, uint32_t top);

/* Enter a socket under an fd, in place of whatever stands there. */
static inline void sockets_put(struct sockets *sockets, int fd, const struct sock *from)
{
	struct sock *sock = sockets_at(sockets, fd);

	if (!sock)
		return;
	if ((uint32_t)fd >= atomic_load_explicit(&sockets->top, memory_order_relaxed))
		sockets_raise_top(sockets, (uint32_t)fd + 1);
	sock_copy_ends(sock, from, from->word);
	__atomic_store_n(&sock->peers, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&sock->word, from->word, __ATOMIC_RELEASE);
}

/* The error that a faulted socket will report, for another fd of it. */
void sockets_copy_fault(struct sockets *sockets, int from, int to);

/* Change an entry to sock, unless the fd has become another socket meanwhile. */
void sockets_update(struct sockets *sockets, int fd, const struct sock *sock);

/* Set and clear bits, unless the fd has become another socket meanwhile. */
void sockets_change(struct sockets *sockets, int fd, uint32_t id, uint32_t set, uint32_t clear);

/* Is this the first time that a UDP socket meets the peer? Remembers it. At
 * most SOCKETS_PEERS_MAX a socket are told of; then *overflow is set. */
bool sockets_new_peer(struct sockets *sockets, int fd, const struct endpoint *peer, bool *overflow);

/* A socket and a UDP peer, in 64 bits; never 0. */
uint64_t sockets_peer_hash(uint32_t id, const struct endpoint *peer);

/* The ends of a socket as its program knows them: asked for, or the kernel's.
 * Return false if there is none. */
bool sockets_told_local(const struct sockets *sockets, int fd, const struct sock *sock,
                        struct endpoint *end);
bool sockets_told_remote(const struct sockets *sockets, int fd, const struct sock *sock,
                         struct endpoint *end);

/* The parts of a word, of a copy. */
static inline uint32_t sock_id(const struct sock *sock)
{
	return (uint32_t)(sock->word >> 32);
}

static inline uint32_t sock_bits(const struct sock *sock)
{
	return (uint32_t)sock->word;
}

static inline enum family sock_family(const struct sock *sock)
{
	return (enum family)(sock_bits(sock) >> SOCKET_FAMILY_SHIFT & 3);
}

static inline enum proto sock_proto(const struct sock *sock)
{
	return (enum proto)(sock_bits(sock) >> SOCKET_PROTO_SHIFT & 3);
}

static inline uint64_t sock_word(uint32_t id, enum family family, enum proto proto, uint32_t bits)
{
	return (uint64_t)id << 32 | SOCKET_KNOWN | ((uint32_t)family & 3) << SOCKET_FAMILY_SHIFT |
	       ((uint32_t)proto & 3) << SOCKET_PROTO_SHIFT | bits;
}

#endif
