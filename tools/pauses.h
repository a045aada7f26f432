/* SPDX-License-Identifier: MIT */
/* pauses.h - how long pauses were: the shortest, the longest and, near enough, the one in
 * the middle. Takes the same memory for any number of them. */
#ifndef TOOLS_PAUSES_H
#define TOOLS_PAUSES_H

#include <stdint.h>

/* Four buckets for each doubling, from a microsecond to eighteen minutes. */
enum { PAUSES_BUCKETS = 124 };

struct pauses {
	uint64_t count, shortest_ns, longest_ns;
	uint32_t bucket[PAUSES_BUCKETS];
};

void pauses_add(struct pauses *pauses, uint64_t ns);

/* The median, to within an eighth; 0 if there was none. */
uint64_t pauses_median(const struct pauses *pauses);

#endif
