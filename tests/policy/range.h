/* SPDX-License-Identifier: MIT */
/* range.h - sockets that take their ports from a range LOW to HIGH: bare by
 * IP_LOCAL_PORT_RANGE, under rules by the rules. */
#ifndef TESTS_POLICY_RANGE_H
#define TESTS_POLICY_RANGE_H

#include "policy.h"

enum { PORT_RANGE = 51, NO_PORT = 24, MOST = 16 };

static int low, high, n;

static inline void take_range(char **argv)
{
	low = port_argument(argv[0]);
	high = port_argument(argv[1]);
	n = high - low + 1;
	MUST(n <= MOST ? 0 : -1);
}

static inline void confine(int fd)
{
	uint32_t range = (uint32_t)high << 16 | (uint32_t)low;

	if (!is_ruled())
		MUST(setsockopt(fd, IPPROTO_IP, PORT_RANGE, &range, sizeof range));
}

static inline int confined(int family, int type)
{
	int fd = (int)MUST(socket(family, type, 0));

	confine(fd);
	return fd;
}

static inline bool is_in_range(int fd)
{
	struct address a = really(SYS_getsockname, fd);

	return port_of(&a) >= low && port_of(&a) <= high;
}

#endif
