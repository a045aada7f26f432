/* SPDX-License-Identifier: MIT */
/* chunks.h - where the chunks of a session stand.
 * Walks the pages, remembers the chunks and the gaps between them (a gap may
 * still become a chunk: its writer has taken it and not yet begun). */
#ifndef TOOLS_CHUNKS_H
#define TOOLS_CHUNKS_H

#include "core/session.h"
#include "tools/source.h"

struct chunk {
	uint64_t key; /* when its next event ended, or earlier; ticks since the epoch */
	uint32_t page;
	uint16_t head;      /* its first line; all lines count from the page */
	uint16_t lines;     /* line behind its last */
	uint16_t next;      /* line behind the last event that was read */
	uint16_t waited_at; /* line that was waited for, see stream.h */
};

/* The key of a chunk where nothing new stands. */
#define CHUNK_QUIET UINT64_MAX

struct page_range {
	uint32_t first, end;
};

struct chunks {
	struct chunk *chunk;
	size_t count, room;
	struct page_range *gap;
	size_t gaps, gap_room;
	uint32_t page; /* walked up to here */
};

/* Forget chunks that are read to their end, find new ones before end_page, and
 * sort all by key. looks: find out which are quiet; else none is. */
void chunks_find(struct chunks *chunks, struct source *source, uint32_t end_page, bool looks);
void chunks_free(struct chunks *chunks);

static inline uint64_t chunk_offset(const struct chunk *chunk, unsigned line)
{
	return (uint64_t)chunk->page * SESSION_PAGE + line * SESSION_LINE;
}

/* When a line's call began and ended, in ticks since the epoch. A start before
 * the epoch (another CPU's clock lags a little) counts as 0. */
uint64_t chunk_line_start(const struct line *line);
uint64_t chunk_line_end(const struct line *line);

#endif
