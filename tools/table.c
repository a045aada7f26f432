/* SPDX-License-Identifier: MIT */
/* table.c - see table.h. */
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

#include "tools/memory.h"

enum { MARKED_START = 1, MARKED_END = 2 };

static bool is_sane(const struct session_process *process)
{
	return process->state <= PROCESS_ENDED && process->origin <= ORIGIN_SPAWN &&
	       process->coverage < COVERAGES && process->next_coverage < COVERAGES &&
	       process->pid <= INT32_MAX;
}

static void end_strings(struct session_process *process)
{
	process->name[sizeof(process->name) - 1] = '\0';
	process->program[sizeof(process->program) - 1] = '\0';
	process->next[sizeof(process->next) - 1] = '\0';
}

static void read_slots(struct table *table, const struct source *source, uint32_t end)
{
	size_t size = sizeof(*table->slot), got;

	if (end > SESSION_PROCESSES)
		end = SESSION_PROCESSES;
	free(table->slot);
	table->slot = memory_new((end ? end : 1) * size);
	got = source_read(source, table->slot, end * size, SESSION_HEADER_BYTES);
	table->count = (uint32_t)(got / size);
	table->damaged = end - table->count; /* the file is too short for them */
	for (uint32_t i = 1; i < table->count; i++) {
		end_strings(&table->slot[i]);
		table->damaged += !is_sane(&table->slot[i]);
	}
}

const struct session_process *table_slot(const struct table *table, uint32_t slot)
{
	const struct session_process *process = table->slot + slot;

	if (slot == 0 || slot >= table->count || process->state == PROCESS_FREE)
		return NULL;
	return is_sane(process) ? process : NULL;
}

static void add_mark(struct table *table, uint32_t slot, bool is_end, uint64_t key)
{
	uint8_t bit = is_end ? MARKED_END : MARKED_START;

	if (table->marked[slot] & bit)
		return;
	table->marked[slot] |= bit;
	table->mark = grow(table->mark, table->marks, &table->mark_room, sizeof(*table->mark));
	table->mark[table->marks++] = (struct mark){key, slot, is_end};
}

static void mark_slot(struct table *table, uint32_t i, const struct ticks *ticks)
{
	const struct session_process *process = table_slot(table, i);
	uint64_t start, end;

	if (!process)
		return;
	start = ticks_since(ticks, process->start ? process->start : process->first.ticks);
	end = ticks_since(ticks, process->end ? process->end : process->last.ticks);
	add_mark(table, i, false, start);
	if (process->state == PROCESS_ENDED)
		add_mark(table, i, true, end > start ? end : start);
}

static int by_key(const void *a, const void *b)
{
	const struct mark *one = a, *other = b;

	if (one->key != other->key)
		return one->key < other->key ? -1 : 1;
	if (one->is_end != other->is_end)
		return one->is_end ? 1 : -1;
	return one->slot < other->slot ? -1 : one->slot > other->slot;
}

void table_look(struct table *table, const struct source *source, uint32_t end, struct ticks *ticks)
{
	read_slots(table, source, end);
	table->marks = table->told = 0;
	for (uint32_t i = 1; i < table->count; i++) {
		if (table_slot(table, i)) {
			ticks_learn(ticks, &table->slot[i].first);
			ticks_learn(ticks, &table->slot[i].last);
		}
		mark_slot(table, i, ticks);
	}
	if (table->marks > 0)
		qsort(table->mark, table->marks, sizeof(*table->mark), by_key);
}

void table_free(struct table *table)
{
	free(table->slot);
	free(table->mark);
}

const struct mark *table_mark(const struct table *table)
{
	return table->told < table->marks ? table->mark + table->told : NULL;
}

static enum op_kind start_kind(enum process_origin origin)
{
	switch (origin) {
	case ORIGIN_FORK:
		return OP_FORK;
	case ORIGIN_EXEC:
	case ORIGIN_SPAWN:
		return OP_EXEC;
	case ORIGIN_ROOT:
		break;
	}
	return OP_START;
}

void table_mark_event(struct event *event, const struct table *table, const struct mark *mark)
{
	const struct session_process *process = table->slot + mark->slot;

	*event = (struct event){
	        .kind = OP_EXIT,
	        .pid = process->pid,
	        .process = mark->slot,
	        .program = process->name,
	        .fd = -1,
	        .arg = -1,
	        .result = process->status < 0 ? -1 : process->status,
	};
	if (mark->is_end)
		return;
	event->kind = start_kind((enum process_origin)process->origin);
	event->result = event->kind == OP_FORK ? (int)process->pid : 0;
	event->text = process->program;
	event->text_len = strlen(process->program);
}
