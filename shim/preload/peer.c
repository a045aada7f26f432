/* SPDX-License-Identifier: MIT */
/* peer.c - see peer.h. */
#include "preload/peer.h"

#include "preload/process.h"
#include "sys/raw.h"

void peer_expect(struct peer *peer, struct sockaddr *addr, socklen_t *len)
{
	peer->addr = addr;
	peer->len = len;
	peer->room = 0;
	peer->has_room = false;
	if (!addr) {
		peer->addr = (struct sockaddr *)&peer->own;
		peer->len = &peer->own_len;
		peer->room = peer->own_len = sizeof(peer->own);
		peer->has_room = true;
	} else if (!process.is_sandboxed) {
		peer->has_room = raw_peek(&peer->room, len, sizeof(peer->room));
	}
}

bool peer_take(const struct peer *peer, struct endpoint *end)
{
	if (!peer->room || *peer->len > peer->room)
		return false;
	return addr_from_sockaddr(end, peer->addr, *peer->len) != FAMILY_OTHER;
}

void peer_again(struct peer *peer)
{
	if (peer->has_room)
		*peer->len = peer->room;
}
