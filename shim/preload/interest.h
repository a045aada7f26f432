/* SPDX-License-Identifier: MIT */
/* interest.h - what a program wants to be told by epoll, and of which socket: known where rules
 * of delay are in force.
 *
 * The kernel's registrations stay as the program made them. An event of a socket that is held
 * back is swallowed when it comes; one that would come again at once is made to be silent, and
 * registered anew when its time comes, which gives the edge that an edge-triggered waiter needs.
 * A fixed number of places; what finds none is not held back. No locks, signal-safe. */
#ifndef PRELOAD_INTEREST_H
#define PRELOAD_INTEREST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct interest;

/* An epoll_ctl in flight. */
struct interest_change {
	struct interest *interest;
	int op;
	bool is_new, was_silent;
	struct epoll_event before;
};

/* Before the kernel is asked. Returns false if there is nothing to note. */
bool interest_begin(struct interest_change *change, int epfd, int op, int fd,
                    const struct epoll_event *event);

/* Behind it; error: 0, or what it said. Returns what is to be said. */
int interest_end(struct interest_change *change, int error);

/* Take out of count events those that must not be seen yet. Returns how many are left. */
int interest_filter(int epfd, struct epoll_event *events, int count);

/* The kernel has had this since before anybody took note. */
void interest_learn(int epfd, int fd, const struct epoll_event *event);

/* Is the socket perhaps waited for by what has found no place? Then it is not to be held back. */
bool interest_is_missing(uint32_t id);

/* There is something that is not known. */
void interest_missed(void);

/* The socket is held back from now on, or not any more: whoever waits for it is to look again. */
void interest_wake(uint32_t id);

#endif
