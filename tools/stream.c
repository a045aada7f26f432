/* SPDX-License-Identifier: MIT */
/* stream.c - see stream.h. */
#include "tools/stream.h"

void stream_open(struct stream *stream, const struct source *source, struct chunk *chunk,
                 bool waits)
{
	struct session_chunk head = {0};

	source_read(source, &head, sizeof(head), chunk_offset(chunk, chunk->head));
	stream->chunk = chunk;
	stream->key = 0;
	stream->process = head.process;
	stream->pid = head.pid;
	stream->tid = head.tid;
	stream->waits = waits;
	stream->first = stream->count = 0;
}

/* Have n lines from number on in the window. Returns the first, or NULL if the
 * chunk or the file ends before. */
static const struct line *lines_at(struct stream *stream, const struct source *source,
                                   unsigned number, unsigned n)
{
	unsigned left = stream->chunk->lines - number;

	if (number >= stream->chunk->lines || n > left)
		return NULL;
	if (number < stream->first || number + n > stream->first + stream->count) {
		if (left > STREAM_WINDOW_LINES)
			left = STREAM_WINDOW_LINES;
		stream->first = number;
		stream->count =
		        (unsigned)(source_read(source, stream->window, left * sizeof(struct line),
		                               chunk_offset(stream->chunk, number)) /
		                   sizeof(struct line));
	}
	return n <= stream->count ? stream->window + (number - stream->first) : NULL;
}

static bool is_written(const struct line *line)
{
	return atomic_load_explicit(&line->head, memory_order_relaxed) != 0;
}

/* A line is not written. Is it to be waited for? */
static bool must_wait(struct stream *stream, const struct source *source, unsigned number)
{
	const struct line *line;

	if (!stream->waits || stream->chunk->waited_at == number)
		return false;
	for (unsigned i = number + 1; (line = lines_at(stream, source, i, 1)); i++) {
		if (is_written(line)) {
			stream->chunk->waited_at = (uint16_t)number;
			return true;
		}
	}
	return false;
}

/* Take the line as an event. Returns how many lines it has, 0 if it is none. */
static unsigned take(struct stream *stream, const struct source *source, unsigned number)
{
	const struct line *line = lines_at(stream, source, number, 1);
	unsigned n = 1u + (line->flags >> LINE_TEXT_SHIFT);
	uint64_t end;

	line = lines_at(stream, source, number, n);
	if (!line || !event_unpack(&stream->event, line, (const char *)(line + 1),
	                           (n - 1) * sizeof(struct line)))
		return 0;
	stream->start = chunk_line_start(line);
	stream->took = session_span(line->took);
	end = chunk_line_end(line);
	if (end > stream->key)
		stream->key = end;
	stream->chunk->next = (uint16_t)(number + n);
	return n;
}

bool stream_next(struct stream *stream, struct source *source)
{
	const struct line *line;
	bool behind_hole = false;

	for (unsigned i = stream->chunk->next; (line = lines_at(stream, source, i, 1)); i++) {
		if (!is_written(line)) {
			if (must_wait(stream, source, i))
				return false;
			behind_hole = true;
		} else if (take(stream, source, i)) {
			return true;
		} else if (!behind_hole) {
			source->damaged++;
		}
	}
	return false;
}
