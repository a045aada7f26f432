/* SPDX-License-Identifier: MIT */
/* peer.h - the address that accept and recvfrom hand out.
 * It is read from where the kernel put it, but only if all of it was put there;
 * where the program wants none, the kernel puts it in a buffer of ours. */
#ifndef PRELOAD_PEER_H
#define PRELOAD_PEER_H

#include <sys/socket.h>

#include "core/addr.h"

struct peer {
	struct sockaddr *addr; /* pass these to the real call */
	socklen_t *len;
	socklen_t room; /* that the program offered */
	bool has_room;  /* it is known */
	socklen_t own_len;
	struct sockaddr_storage own;
};

void peer_expect(struct peer *peer, struct sockaddr *addr, socklen_t *len);

/* The call is to be made once more: the program's length is as it was. */
void peer_again(struct peer *peer);

/* After the call succeeded. Returns false if the kernel gave none, or not all. */
bool peer_take(const struct peer *peer, struct endpoint *end);

#endif
