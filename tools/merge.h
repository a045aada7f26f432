/* SPDX-License-Identifier: MIT */
/* merge.h - the events of all chunks in the order in which their calls ended.
 * That is the order of state changes: the accept that waited for an hour comes
 * before the close of the socket that it made. Only chunks whose time has come
 * are open, so memory is bounded by the threads that were active together. */
#ifndef TOOLS_MERGE_H
#define TOOLS_MERGE_H

#include "tools/stream.h"

struct merge {
	struct chunks chunks;
	size_t opened;        /* chunks of the list that are, or were, open */
	struct stream **heap; /* the one with the earliest event first */
	size_t count, room;
	struct stream *unused;
	bool waits, is_taken; /* is_taken: the first stream's event was given away */
};

/* Find what is new; everything found before must have been read. waits: see
 * stream.h. */
void merge_look(struct merge *merge, struct source *source, uint32_t end_page, bool waits);

/* The stream with the next event, or NULL at the end. Until merge_take(), it
 * stays the same. */
const struct stream *merge_first(struct merge *merge, struct source *source);
void merge_take(struct merge *merge);

void merge_free(struct merge *merge);

#endif
