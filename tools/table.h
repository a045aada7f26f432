/* SPDX-License-Identifier: MIT */
/* table.h - the processes of a session, and their starts and ends as marks
 * that fall between the events. */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include "tools/reader.h"
#include "tools/source.h"
#include "tools/ticks.h"

struct mark {
	uint64_t key; /* ticks since the epoch */
	uint32_t slot;
	bool is_end;
};

/* A slot that is taken. */
struct slot {
	uint32_t number;
	uint8_t marked;                 /* what was told of it */
	struct session_process process; /* its strings end */
};

struct table {
	struct slot *slot; /* in order of their numbers */
	size_t count, room;
	uint32_t damaged; /* slots that make no sense */
	struct mark *mark;
	size_t marks, mark_room, told; /* mark[told] is the next */
};

/* Read the slots before end anew, learn the rate of the clock from them, and
 * find the marks that were not told yet. */
void table_look(struct table *table, const struct source *source, uint32_t end,
                struct ticks *ticks);
void table_free(struct table *table);

/* The slot, or NULL if there is none, it is free or damaged. */
const struct session_process *table_slot(const struct table *table, uint32_t slot);

/* The highest number of a taken slot, 0 if there is none. */
uint32_t table_last(const struct table *table);

/* The next mark, or NULL. */
const struct mark *table_mark(const struct table *table);

/* The mark as an event; its times are not set. */
void table_mark_event(struct event *event, const struct table *table, const struct mark *mark);

#endif
