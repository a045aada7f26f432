/* SPDX-License-Identifier: MIT */
/* inodes.c - see inodes.h. */
#include "preload/inodes.h"

#include "sys/raw.h"

enum { FIRST_LOG2 = 9 }; /* one page */

static size_t bytes(unsigned log2)
{
	return sizeof(uint64_t) << log2;
}

bool inodes_begin(struct inodes *inodes)
{
	inodes->log2 = FIRST_LOG2;
	inodes->count = 0;
	inodes->at = raw_map(bytes(FIRST_LOG2));
	return inodes->at;
}

/* Its place, or the free one where it would be. Inodes are given out one after the other: any
 * odd number spreads them. */
static uint64_t *place(const struct inodes *inodes, uint64_t inode)
{
	uint64_t mask = (UINT64_C(1) << inodes->log2) - 1;
	uint64_t slot = (inode * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - inodes->log2);

	while (inodes->at[slot] && inodes->at[slot] != inode)
		slot = (slot + 1) & mask;
	return &inodes->at[slot];
}

static bool grow(struct inodes *inodes)
{
	struct inodes larger = {.log2 = inodes->log2 + 3, .count = inodes->count};

	larger.at = raw_map(bytes(larger.log2));
	if (!larger.at)
		return false;
	for (size_t i = 0; i < (size_t)1 << inodes->log2; i++)
		if (inodes->at[i])
			*place(&larger, inodes->at[i]) = inodes->at[i];
	inodes_end(inodes);
	*inodes = larger;
	return true;
}

bool inodes_add(struct inodes *inodes, uint64_t inode)
{
	uint64_t *at = place(inodes, inode);

	if (*at == inode)
		return true;
	if (inodes->count >= (UINT32_C(1) << inodes->log2) / 2) {
		if (!grow(inodes))
			return false;
		at = place(inodes, inode);
	}
	*at = inode;
	inodes->count++;
	return true;
}

bool inodes_have(const struct inodes *inodes, uint64_t inode)
{
	return *place(inodes, inode) == inode;
}

void inodes_end(struct inodes *inodes)
{
	raw2(SYS_munmap, inodes->at, bytes(inodes->log2));
}
