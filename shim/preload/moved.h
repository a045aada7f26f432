/* SPDX-License-Identifier: MIT */
/* moved.h - what a program is told of its sockets where a rule has moved them: the
 * addresses that it asked for.
 * Within a process the table of sockets knows them. Other programs, by exec and
 * SCM_RIGHTS, find them in the session, by the socket's cookie. The peers of an
 * unconnected UDP socket stand in a table of their own. */
#ifndef PRELOAD_MOVED_H
#define PRELOAD_MOVED_H

#include <sys/socket.h>

#include "preload/process.h"

/* An answer of the kernel that is to be put right. */
struct told {
	struct sockaddr *addr; /* where the program wants it */
	socklen_t *len;
	socklen_t room; /* that it offered */
	enum family family;
	struct endpoint end;
};

/* Is the program to be told another endpoint of this socket (SOCKET_MOVED_LOCAL or
 * _REMOTE) than the kernel's? */
bool told_expect(struct told *told, int fd, uint32_t which, struct sockaddr *addr, socklen_t *len);

/* The kernel has answered: if it did, the answer is put right. Returns ret. */
int told_instead(const struct told *told, int ret);

/* A socket goes to another program: keep what it asked for in the session. */
void moved_pass(int fd, uint64_t cookie, const struct sock *sock);

/* The same for one that is about to go; nothing if it is not moved. */
void moved_announce(int fd);

/* A socket came from another program. Returns the SOCKET_MOVED_ bits that it has; what it
 * asked for is entered under fd. */
uint32_t moved_arrive(int fd, uint64_t cookie);

/* A packet from a UDP socket to a peer was moved. */
void moved_peer(int fd, const struct endpoint *asked, const struct endpoint *peer);

/* The kernel has put the peer of a packet into addr, of which the program offered room
 * bytes: it is put right, if packets to this peer are moved there. */
void moved_tell_peer(int fd, const struct sock *sock, const struct endpoint *peer,
                     struct sockaddr *addr, socklen_t *len, socklen_t room);

#endif
