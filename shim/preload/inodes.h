/* SPDX-License-Identifier: MIT */
/* inodes.h - a set of sockets, each by its inode: one that has many descriptors is one.
 * In memory of its own, for a moment. */
#ifndef PRELOAD_INODES_H
#define PRELOAD_INODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inodes {
	uint64_t *at; /* 1 << log2 places, 0: free */
	unsigned log2;
	uint32_t count;
};

/* An empty set. Returns false if there is no memory. */
bool inodes_begin(struct inodes *inodes);

/* Add one that is perhaps in it. Returns false if there is no memory. */
bool inodes_add(struct inodes *inodes, uint64_t inode);

bool inodes_have(const struct inodes *inodes, uint64_t inode);

void inodes_end(struct inodes *inodes);

#endif
