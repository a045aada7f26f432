/* SPDX-License-Identifier: MIT */
/* moved.c - see moved.h. */
#include "preload/moved.h"

#include <string.h>

#include "preload/adopt.h"
#include "preload/capture.h"
#include "preload/record.h"
#include "sys/raw.h"

enum { MOVED_BITS = SOCKET_MOVED_LOCAL | SOCKET_MOVED_REMOTE };

/* ---- what is told ---- */

static bool rules_move(void)
{
	const struct rules *rules = atomic_load(&process.engine.rules);

	return rules && rules->actions & 1 << ACTION_MOVE;
}

bool told_expect(struct told *told, int fd, uint32_t which, struct sockaddr *addr, socklen_t *len)
{
	struct sockets *sockets = &process.engine.sockets;
	struct sock sock;

	if (!sockets_knows(sockets, fd) && rules_move() && process_is_watching())
		adopt(fd); /* from another program, perhaps */
	sockets_get(sockets, fd, &sock);
	if (!(sock_bits(&sock) & which))
		return false;
	*told = (struct told){.addr = addr, .len = len, .family = sock_family(&sock)};
	if (process.is_sandboxed)
		told->room = *len;
	else
		raw_peek(&told->room, len, sizeof(told->room));
	return which == SOCKET_MOVED_REMOTE ? sockets_told_remote(sockets, fd, &sock, &told->end)
	                                    : sockets_told_local(sockets, fd, &sock, &told->end);
}

/* As the kernel does: cut to the room that there is, with the whole length in *len. */
static void write_to(const struct endpoint *end, enum family family, struct sockaddr *addr,
                     socklen_t *len, socklen_t room)
{
	struct sockaddr_storage told = {0};
	socklen_t size = (socklen_t)addr_to_sockaddr(&told, family, end);

	memcpy(addr, &told, size < room ? size : room);
	*len = size;
}

int told_instead(const struct told *told, int ret)
{
	if (ret == 0)
		write_to(&told->end, told->family, told->addr, told->len, told->room);
	return ret;
}

/* ---- from program to program ---- */

enum { PROBES = 8 };

static bool touch(const struct session_moved *entry)
{
	uintptr_t page = (uintptr_t)entry / SESSION_PAGE * SESSION_PAGE;

	return record_allocate((void *)page, SESSION_PAGE) == 0;
}

/* The place of a cookie: where it stands, or, to enter it, a free one, or the first one
 * that it could have. NULL: none. */
static struct session_moved *place(uint64_t cookie, bool enters)
{
	struct session_moved *table = session_moved(process.engine.session), *free = NULL;
	uint64_t home = cookie * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	for (uint64_t i = 0; i < PROBES; i++) {
		struct session_moved *entry = &table[(home + i) % SESSION_MOVED];
		uint64_t there;

		if (!touch(entry))
			return NULL;
		there = atomic_load_explicit(&entry->cookie, memory_order_acquire);
		if (there == cookie)
			return entry;
		if (!there && !free)
			free = entry;
	}
	if (!enters)
		return NULL;
	return free ? free : &table[home % SESSION_MOVED];
}

void moved_pass(int fd, uint64_t cookie, const struct sock *sock)
{
	const struct sockets *sockets = &process.engine.sockets;
	struct session_moved *entry;
	struct endpoint end;

	if (!(sock_bits(sock) & MOVED_BITS) || !cookie || !process.is_recording)
		return;
	entry = place(cookie, true);
	if (!entry)
		return;
	atomic_store_explicit(&entry->cookie, 0, memory_order_release);
	entry->bits = sock_bits(sock) & MOVED_BITS;
	if (sockets_told_local(sockets, fd, sock, &end)) {
		entry->local = end.ip;
		entry->local_port = end.port;
	}
	if (sockets_told_remote(sockets, fd, sock, &end)) {
		entry->remote = end.ip;
		entry->remote_port = end.port;
	}
	atomic_store_explicit(&entry->cookie, cookie, memory_order_release);
}

void moved_announce(int fd)
{
	struct sock sock;

	sockets_get(&process.engine.sockets, fd, &sock);
	if (sock_bits(&sock) & MOVED_BITS)
		moved_pass(fd, capture_cookie(fd), &sock);
}

uint32_t moved_arrive(int fd, uint64_t cookie)
{
	struct sockets *sockets = &process.engine.sockets;
	const struct session_moved *entry;

	if (!rules_move() || !process.is_recording || !cookie)
		return 0;
	entry = place(cookie, false);
	if (!entry || !process_make_asked() || (unsigned)fd >= sockets->capacity)
		return 0;
	sockets->asked[fd].local = (struct endpoint){entry->local, entry->local_port};
	sockets->asked[fd].remote = (struct endpoint){entry->remote, entry->remote_port};
	return entry->bits & MOVED_BITS;
}

/* ---- peers of unconnected UDP sockets ---- */

/* One entry is found by the socket and the peer's real address; a newer one takes the
 * place of an older with the same hash. `key` is stored last. */
struct peer_asked {
	_Atomic uint64_t key;
	struct endpoint asked;
};

enum { PEERS = 4096 };

static struct peer_asked peers[PEERS];

static uint64_t peer_key(int fd, const struct endpoint *peer)
{
	const struct sock *sock = sockets_at(&process.engine.sockets, fd);
	uint32_t id = sock ? (uint32_t)(sockets_word(sock) >> 32) : 0;

	return sockets_peer_hash(id ? id : (uint32_t)fd, peer);
}

void moved_peer(int fd, const struct endpoint *asked, const struct endpoint *peer)
{
	uint64_t key = peer_key(fd, peer);
	struct peer_asked *entry = &peers[key >> 32 & (PEERS - 1)];

	if (atomic_load_explicit(&entry->key, memory_order_relaxed) == key &&
	    memcmp(&entry->asked, asked, sizeof(*asked)) == 0)
		return;
	atomic_store_explicit(&entry->key, 0, memory_order_release);
	entry->asked = *asked;
	atomic_store_explicit(&entry->key, key, memory_order_release);
}

static bool find_peer(int fd, const struct endpoint *peer, struct endpoint *asked)
{
	uint64_t key = peer_key(fd, peer);
	const struct peer_asked *entry = &peers[key >> 32 & (PEERS - 1)];

	if (atomic_load_explicit(&entry->key, memory_order_acquire) != key)
		return false;
	*asked = entry->asked;
	return atomic_load_explicit(&entry->key, memory_order_acquire) == key;
}

void moved_tell_peer(int fd, const struct sock *sock, const struct endpoint *peer,
                     struct sockaddr *addr, socklen_t *len, socklen_t room)
{
	struct endpoint asked;

	if (sock_proto(sock) != PROTO_UDP || !process.engine.sockets.asked)
		return;
	if (sock_bits(sock) & SOCKET_MOVED_REMOTE) {
		if (sockets_told_remote(&process.engine.sockets, fd, sock, &asked))
			write_to(&asked, sock_family(sock), addr, len, room);
	} else if (find_peer(fd, peer, &asked)) {
		write_to(&asked, sock_family(sock), addr, len, room);
	}
}
