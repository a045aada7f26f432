/* SPDX-License-Identifier: MIT */
/* sockets.c - see sockets.h. */
#include "core/sockets.h"

#include <string.h>

void sockets_raise_top(struct sockets *sockets, uint32_t top)
{
	uint32_t now = atomic_load_explicit(&sockets->top, memory_order_relaxed);

	while (now < top &&
	       !atomic_compare_exchange_weak_explicit(&sockets->top, &now, top,
	                                              memory_order_relaxed, memory_order_relaxed))
		;
}

void sockets_copy_fault(struct sockets *sockets, int from, int to)
{
	const struct sock *source = sockets_at(sockets, from);
	struct sock *sock = sockets_at(sockets, to);

	if (source && sock)
		__atomic_store_n(&sock->fault_error,
		                 __atomic_load_n(&source->fault_error, __ATOMIC_RELAXED),
		                 __ATOMIC_RELAXED);
}

void sockets_update(struct sockets *sockets, int fd, const struct sock *from)
{
	struct sock *sock = sockets_at(sockets, fd);
	uint64_t there = sock ? sockets_word(sock) : 0;

	if (!there || there >> 32 != from->word >> 32)
		return;
	sock_copy_ends(sock, from, from->word);
	__atomic_compare_exchange_n(&sock->word, &there, from->word, false, __ATOMIC_RELEASE,
	                            __ATOMIC_RELAXED);
}

void sockets_change(struct sockets *sockets, int fd, uint32_t id, uint32_t set, uint32_t clear)
{
	struct sock *sock = sockets_at(sockets, fd);
	uint64_t word = sock ? sockets_word(sock) : 0;

	while (word && word >> 32 == id &&
	       !__atomic_compare_exchange_n(&sock->word, &word, (word & ~(uint64_t)clear) | set,
	                                    true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static bool is_moved(const struct sockets *sockets, int fd, const struct sock *sock, uint32_t bit)
{
	return sock->word & bit && sockets->asked && (unsigned)fd < sockets->capacity;
}

bool sockets_told_local(const struct sockets *sockets, int fd, const struct sock *sock,
                        struct endpoint *end)
{
	if (is_moved(sockets, fd, sock, SOCKET_MOVED_LOCAL))
		*end = sockets->asked[fd].local;
	else if (sock->word & SOCKET_LOCAL)
		*end = (struct endpoint){sock->local, sock->local_port};
	else
		return false;
	return true;
}

bool sockets_told_remote(const struct sockets *sockets, int fd, const struct sock *sock,
                         struct endpoint *end)
{
	if (is_moved(sockets, fd, sock, SOCKET_MOVED_REMOTE))
		*end = sockets->asked[fd].remote;
	else if (sock->word & SOCKET_REMOTE)
		*end = (struct endpoint){sock->remote, sock->remote_port};
	else
		return false;
	return true;
}

/* Mixes 64 bits (the finalizer of MurmurHash3, public domain constants). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdu;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53u;
	return x ^ x >> 33;
}

uint64_t sockets_peer_hash(uint32_t id, const struct endpoint *peer)
{
	uint64_t half[2];

	memcpy(half, &peer->ip, sizeof(half));
	return mix(mix(mix(half[0] ^ id) ^ half[1]) ^ peer->port) | 1;
}

bool sockets_new_peer(struct sockets *sockets, int fd, const struct endpoint *peer, bool *overflow)
{
	enum { PROBES = 8 };
	struct sock *sock = sockets_at(sockets, fd);
	uint64_t hash;
	uint32_t slot = 0;

	if (!sock || !sockets->peers)
		return false;
	hash = sockets_peer_hash((uint32_t)(sockets_word(sock) >> 32), peer);
	for (uint32_t i = 0; i < PROBES; i++) {
		uint64_t there;

		slot = ((uint32_t)(hash >> 32) + i) % SOCKETS_PEER_SLOTS;
		there = atomic_load_explicit(&sockets->peers[slot], memory_order_relaxed);
		if (there == hash)
			return false;
		if (!there)
			break;
	}
	if (__atomic_load_n(&sock->peers, __ATOMIC_RELAXED) >= SOCKETS_PEERS_MAX) {
		*overflow = true;
		return false;
	}
	__atomic_fetch_add(&sock->peers, 1, __ATOMIC_RELAXED);
	/* with no free slot, the last one probed gives way: a peer of a closed
	 * socket most likely; if not, it is told of twice */
	atomic_store_explicit(&sockets->peers[slot], hash, memory_order_relaxed);
	return true;
}
