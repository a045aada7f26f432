/* SPDX-License-Identifier: MIT */
/* table.c - see table.h. */
#include "tools/table.h"

#include <stdlib.h>
#include <string.h>

enum { MARKED_START = 1, MARKED_END = 2, READ_SLOTS = 128 };

static bool is_sane(const struct session_process *process)
{
	return process->state <= PROCESS_ENDED && process->origin <= ORIGIN_SPAWN &&
	       process->coverage < COVERAGES && process->next_coverage < COVERAGES &&
	       process->pid <= INT32_MAX;
}

/* Is there a process in the slot, and does it make sense? */
static bool is_process(const struct session_process *process)
{
	return process->state != PROCESS_FREE && is_sane(process);
}

static void end_strings(struct session_process *process)
{
	process->name[sizeof(process->name) - 1] = '\0';
	process->program[sizeof(process->program) - 1] = '\0';
	process->next[sizeof(process->next) - 1] = '\0';
}

static void add_slot(struct table *table, uint32_t number, const struct session_process *process)
{
	struct slot *slot;

	if (process->pid == 0 && process->state == PROCESS_FREE)
		return;
	table->slot = grow(table->slot, table->count, &table->room, sizeof(*slot));
	slot = &table->slot[table->count++];
	*slot = (struct slot){.number = number, .process = *process};
	end_strings(&slot->process);
	table->damaged += !is_sane(process);
}

/* The slot to go on with: those before it are holes in the file. */
static uint32_t skip_free(const struct source *source, uint32_t slot)
{
	uint64_t at = SESSION_HEADER_BYTES + (uint64_t)slot * SESSION_PROCESS_BYTES;

	return slot + (uint32_t)((source_skip_holes(source, at) - at) / SESSION_PROCESS_BYTES);
}

/* Slots are spread by pid over a table that is mostly holes. */
static void read_slots(struct table *table, const struct source *source, uint32_t end)
{
	struct session_process read[READ_SLOTS];

	if (end > SESSION_PROCESSES)
		end = SESSION_PROCESSES;
	for (uint32_t number = 1; (number = skip_free(source, number)) < end;) {
		uint32_t n = end - number < READ_SLOTS ? end - number : READ_SLOTS;
		size_t got = source_read(source, read, n * sizeof(*read),
		                         SESSION_HEADER_BYTES + (uint64_t)number * sizeof(*read));

		for (uint32_t i = 0; i < got / sizeof(*read); i++)
			add_slot(table, number + i, &read[i]);
		number += n;
	}
}

/* Read the slots anew, and remember what was told of them. */
static void renew_slots(struct table *table, const struct source *source, uint32_t end)
{
	struct slot *old = table->slot, *slot;
	size_t old_count = table->count;

	table->slot = NULL;
	table->count = table->room = table->damaged = 0;
	read_slots(table, source, end);
	slot = table->slot;
	for (size_t i = 0; i < old_count; i++) {
		while (slot < table->slot + table->count && slot->number < old[i].number)
			slot++;
		if (slot < table->slot + table->count && slot->number == old[i].number)
			slot->marked = old[i].marked;
	}
	free(old);
}

static int by_number(const void *number, const void *slot)
{
	uint32_t wanted = *(const uint32_t *)number, found = ((const struct slot *)slot)->number;

	return wanted < found ? -1 : wanted > found;
}

const struct session_process *table_slot(const struct table *table, uint32_t number)
{
	const struct slot *slot = NULL;

	if (table->count > 0)
		slot = bsearch(&number, table->slot, table->count, sizeof(*slot), by_number);
	return slot && is_process(&slot->process) ? &slot->process : NULL;
}

uint32_t table_last(const struct table *table)
{
	return table->count > 0 ? table->slot[table->count - 1].number : 0;
}

static void add_mark(struct table *table, struct slot *slot, bool is_end, uint64_t key)
{
	uint8_t bit = is_end ? MARKED_END : MARKED_START;

	if (slot->marked & bit)
		return;
	slot->marked |= bit;
	table->mark = grow(table->mark, table->marks, &table->mark_room, sizeof(*table->mark));
	table->mark[table->marks++] = (struct mark){key, slot->number, is_end};
}

static void mark_slot(struct table *table, struct slot *slot, struct ticks *ticks)
{
	const struct session_process *process = &slot->process;
	uint64_t start, end;

	if (!is_process(process))
		return;
	ticks_learn(ticks, &process->first);
	ticks_learn(ticks, &process->last);
	start = ticks_since(ticks, process->start ? process->start : process->first.ticks);
	end = ticks_since(ticks, process->end ? process->end : process->last.ticks);
	add_mark(table, slot, false, start);
	if (process->state == PROCESS_ENDED)
		add_mark(table, slot, true, end > start ? end : start);
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
	renew_slots(table, source, end);
	table->marks = table->told = 0;
	for (size_t i = 0; i < table->count; i++)
		mark_slot(table, &table->slot[i], ticks);
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
	const struct session_process *process = table_slot(table, mark->slot);

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
