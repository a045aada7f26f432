/* SPDX-License-Identifier: MIT */
/* reader.c - see reader.h.
 * The parts: source (bytes), ticks (time), chunks (where events stand), stream
 * (those of one chunk), merge (of all, in order), table (processes), rulesets. */
#include "tools/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/find.h"
#include "tools/memory.h"
#include "tools/merge.h"
#include "tools/table.h"
#include "tools/ticks.h"

struct reader {
	char *path;
	struct source source;
	struct session_header *header;
	struct ticks ticks;
	struct table table;
	struct merge merge;
	struct rulesets rules;
	bool is_at_end;
};

/* Read anew what the processes of a session keep changing. The table comes
 * last: whoever has events has a slot. */
static void look(struct reader *reader, bool waits)
{
	struct session_header *header = reader->header;
	struct source *source = &reader->source;
	uint64_t file_pages = (source->bytes + SESSION_PAGE - 1) / SESSION_PAGE;
	size_t shared = offsetof(struct session_header, rules_page);

	source_read(source, (char *)header + shared, SESSION_PAGE - shared, shared);
	merge_look(&reader->merge, source,
	           header->pages_used < file_pages ? header->pages_used : (uint32_t)file_pages,
	           waits);
	source_read(source, (char *)header + shared, SESSION_PAGE - shared, shared);
	table_look(&reader->table, source, header->processes_used, &reader->ticks);
	if (header->rules_page != reader->rules.page)
		rulesets_look(&reader->rules, source, header->rules_page, &reader->ticks);
	reader->is_at_end = false;
}

/* Open the file and read its header. Returns NULL, or what is wrong. */
static const char *open_source(struct reader *reader, const char *path)
{
	const char *problem = NULL;
	int failed = source_open(&reader->source, AT_FDCWD, path);

	if (failed == -ELOOP)
		return "it is a symbolic link";
	if (failed == -EINVAL)
		return "it is not a regular file";
	if (failed)
		return strerror(-failed);
	reader->header = source_header(&reader->source, &problem);
	if (problem)
		source_close(&reader->source);
	return problem;
}

struct reader *reader_open(const char *path, char *error, size_t error_size)
{
	struct reader *reader = memory_new(sizeof(*reader));
	const char *problem = open_source(reader, path);

	if (problem) {
		snprintf(error, error_size, "cannot read %s: %s", path, problem);
		free(reader);
		return NULL;
	}
	reader->path = memory_copy(path, strlen(path));
	reader->ticks = ticks_of(reader->header);
	reader->source.damaged = reader->source.bytes < reader->header->bytes; /* cut short */
	look(reader, false);
	return reader;
}

void reader_close(struct reader *reader)
{
	if (!reader)
		return;
	merge_free(&reader->merge);
	table_free(&reader->table);
	rulesets_free(&reader->rules);
	source_close(&reader->source);
	free(reader->header);
	free(reader->path);
	free(reader);
}

static void give_mark(struct reader *reader, struct event *event, const struct mark *mark)
{
	table_mark_event(event, &reader->table, mark);
	event->time_ns = ticks_to_real(&reader->ticks, mark->key);
	reader->table.told++;
}

static void give_line(struct reader *reader, struct event *event, const struct stream *stream)
{
	const struct session_process *process = table_slot(&reader->table, stream->process);
	const struct ruleset *set;

	*event = stream->event;
	event->time_ns = ticks_to_real(&reader->ticks, stream->start);
	event->took_ns = ticks_to_ns(&reader->ticks, stream->took);
	event->pid = stream->pid;
	event->tid = stream->tid;
	event->process = process ? stream->process : 0;
	event->program = process ? process->name : NULL;
	set = event->rule ? rulesets_at(&reader->rules, stream->start) : NULL;
	event->set = set ? set->number : 0;
	merge_take(&reader->merge);
}

/* A process starts before its first event and ends after its last. */
static bool is_due(const struct mark *mark, const struct stream *stream)
{
	if (!stream)
		return true;
	return mark->is_end ? mark->key < stream->key : mark->key <= stream->key;
}

bool reader_next(struct reader *reader, struct event *event)
{
	const struct stream *stream = merge_first(&reader->merge, &reader->source);
	const struct mark *mark = table_mark(&reader->table);

	if (mark && is_due(mark, stream))
		give_mark(reader, event, mark);
	else if (stream)
		give_line(reader, event, stream);
	else
		reader->is_at_end = true;
	return !reader->is_at_end;
}

void reader_refresh(struct reader *reader)
{
	if (reader->is_at_end)
		look(reader, reader_is_live(reader));
}

bool reader_is_live(struct reader *reader)
{
	struct reader_process process;

	for (uint32_t i = 1; i <= table_last(&reader->table); i++) {
		if (reader_process(reader, i, &process) &&
		    (process.state == PROCESS_LIVE || process.state == PROCESS_EXECING) &&
		    find_is_running(process.pid, process.start_ns))
			return true;
	}
	return false;
}

static void copy_string(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
}

void reader_info(struct reader *reader, struct reader_info *info)
{
	const struct session_header *header = reader->header;
	uint64_t lines = header->bytes / SESSION_LINE, first = session_bytes(0) / SESSION_LINE;
	uint64_t used = (uint64_t)header->pages_used * SESSION_PAGE_LINES;

	used = used < first ? first : used > lines ? lines : used;
	*info = (struct reader_info){
	        .path = reader->path,
	        .bytes = reader->source.bytes,
	        .capacity_lines = lines - first,
	        .used_lines = used - first,
	        .seed = header->seed,
	        .start_ns = header->real_ns,
	        .events_dropped = header->events_dropped,
	        .processes_dropped = header->processes_dropped,
	        .peers_dropped = header->peers_dropped,
	        .damaged = reader->source.damaged + reader->table.damaged + reader->rules.damaged,
	        .port_low = header->port_low,
	        .port_high = header->port_high,
	};
	copy_string(info->host, sizeof(info->host), header->host);
	copy_string(info->kernel, sizeof(info->kernel), header->kernel);
}

const struct rulesets *reader_rules(struct reader *reader)
{
	if (reader->rules.page)
		rulesets_look(&reader->rules, &reader->source, reader->rules.page, &reader->ticks);
	return &reader->rules;
}

uint32_t reader_process_count(struct reader *reader)
{
	return table_last(&reader->table);
}

bool reader_process(struct reader *reader, uint32_t slot, struct reader_process *process)
{
	const struct session_process *from = table_slot(&reader->table, slot);
	const struct ticks *ticks = &reader->ticks;

	if (!from)
		return false;
	*process = (struct reader_process){
	        .slot = slot,
	        .pid = from->pid,
	        .ppid = from->ppid,
	        .parent = from->parent < SESSION_PROCESSES ? from->parent : 0,
	        .uid = from->uid,
	        .state = (enum process_state)from->state,
	        .origin = (enum process_origin)from->origin,
	        .coverage = (enum coverage)from->coverage,
	        .next_coverage = (enum coverage)from->next_coverage,
	        .blind = from->blind,
	        .status = from->status,
	        .fd_limit = from->fd_limit,
	        .fd_peak = from->fd_peak,
	        .start_ns = ticks_to_real(ticks, ticks_since(ticks, from->start)),
	        .end_ns = from->end ? ticks_to_real(ticks, ticks_since(ticks, from->end)) : 0,
	};
	copy_string(process->name, sizeof(process->name), from->name);
	copy_string(process->program, sizeof(process->program), from->program);
	copy_string(process->next, sizeof(process->next), from->next);
	return true;
}
