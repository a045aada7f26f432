/* SPDX-License-Identifier: MIT */
/* ports.h - limit ports: the session's own ephemeral range.
 *
 * It is chosen when its rule comes into force, and stands in the rule, where all processes
 * find it. Where it lies inside the host's own, and the kernel knows IP_LOCAL_PORT_RANGE
 * (Linux 6.3), each socket gets it once, when it is made, and the kernel does the rest.
 * Elsewhere the engine asks for each port (assign.h). */
#ifndef PRELOAD_PORTS_H
#define PRELOAD_PORTS_H

#include <sys/socket.h>

#include "preload/process.h"

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

/* A range, as IP_LOCAL_PORT_RANGE has it: high << 16 | low; 0: none. */
struct ports {
	_Atomic uint32_t range; /* that the kernel keeps sockets to */
	_Atomic uint32_t rule;  /* number of the rule, 0: none */
};

extern struct ports ports;

/* These rules, or none, are about to come into force. */
void ports_prepare(struct rules *rules);

/* Does the kernel know the option, and may it be used? */
bool ports_kernel_can(void);

/* Is each new socket given a range? */
HOT bool ports_are_limited(void)
{
	return atomic_load_explicit(&ports.range, memory_order_relaxed) != 0;
}

/* A socket was made. */
void ports_confine(int fd, enum family family, enum proto proto);
HOT void ports_birth(const struct call *call, int fd)
{
	if (UNLIKELY(ports_are_limited()))
		ports_confine(fd, call->op.family, call->op.proto);
}

/* A socket was met whose birth was not seen. */
void ports_adopt(int fd, const struct call *call);

/* A call has failed: was it for want of a port of the range? Then the rule did it. */
void ports_explain(enum op_kind kind, struct call *call);

/* A call fails for want of a port, by this rule. */
void ports_blame(struct call *call, uint32_t number);

/* The range of a socket; 0: it has none of its own, or it is not known. */
uint32_t ports_of(int fd);
bool ports_set(int fd, uint32_t range);

/* The range that a socket has under the limit, where the program gives it one of its own: what
 * the kernel would make of that if the limit's were the host's. */
uint32_t ports_within(uint32_t limit, uint32_t own);

/* The program has set IP_LOCAL_PORT_RANGE, or asked for it: what it is told is what it set. */
void ports_option_set(int fd, const void *value);
void ports_option_got(int fd, void *value, const socklen_t *len);

#endif
