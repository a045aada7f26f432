/* SPDX-License-Identifier: MIT */
/* difference.h - what one session did and another did not: places listened at and bound,
 * destinations, peers of UDP, unix paths. What is another in every run does not count: ports
 * of the kernel's choice, clients' addresses, random parts of paths. */
#ifndef TOOLS_DIFFERENCE_H
#define TOOLS_DIFFERENCE_H

#include "tools/usage.h"

struct thing {
	struct {
		enum op_kind call;  /* BIND, LISTEN, CONNECT, SEND */
		struct place place; /* port 0: of the kernel's choice; FAMILY_INET for both */
		char program[33];   /* "": whichever */
	} key;
	struct programs programs;
	uint64_t count, denied; /* denied: not in count */
	struct errors failed;
	UT_hash_handle hh;
};

struct difference {
	struct thing *base, *session;       /* everything, hashed */
	const struct thing **fresh, **gone; /* in order of call, protocol, endpoint, program */
	size_t fresh_count, gone_count;
};

/* For difference_free(), before the usages are freed. */
struct difference difference_of(const struct usage *base, const struct usage *session,
                                bool by_program);
void difference_free(struct difference *difference);

#endif
