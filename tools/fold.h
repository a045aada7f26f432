/* SPDX-License-Identifier: MIT */
/* fold.h - many endpoints as few spans: what a person would write for them.
 *
 *  - Ports of one host: three or more neighbours become a range, never over one that
 *    was not there. Ports that will be others next time (a client's, one that the
 *    kernel chose), or many scattered ones among those that kernels choose, become
 *    that whole range of the kernel's.
 *  - Hosts: eight or more of one /24 (IPv6: /64) with the same ports become that
 *    network; never a wider one. */
#ifndef TOOLS_FOLD_H
#define TOOLS_FOLD_H

#include "core/addr.h"

enum {
	FOLD_PORTS_DENSE = 3, /* neighbours that make a range */
	FOLD_PORTS_MANY = 8,  /* scattered ones that make an ephemeral range */
	FOLD_HOSTS_MANY = 8,  /* hosts that make a network */
	FOLD_BITS_V4 = 96 + 24,
	FOLD_BITS_V6 = 64,
};

/* A range of ports that a kernel chooses from. */
struct fold_range {
	uint16_t low, high;
};

/* An endpoint to fold; span is where it went. tag is the caller's: equal endpoints are
 * sorted by it. */
struct fold_item {
	struct endpoint end;
	size_t tag;
	bool is_loose; /* the port will be another next time */
	size_t span;
};

struct span {
	struct ip ip;
	uint8_t bits; /* of ip that count; IPv4: 96 + its prefix */
	uint16_t low, high;
	bool is_ephemeral;     /* low..high is a range of the kernel's */
	uint32_t hosts, ports; /* that were seen in it */
};

/* Fold count items, which this sorts, to spans (room for count), in order of address
 * and port. own: the host's range, low 0: unknown. with_hosts: to networks too.
 * Returns the number of spans. */
size_t fold(struct fold_item *items, size_t count, struct fold_range own, bool with_hosts,
            struct span *spans);

/* The range that kernels choose a port from: own if the port is in it, then Linux's, then
 * the IANA's. Returns false if the port is in none. */
bool fold_ephemeral(uint16_t port, struct fold_range own, struct fold_range *range);

#endif
