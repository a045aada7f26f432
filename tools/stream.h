/* SPDX-License-Identifier: MIT */
/* stream.h - the events of one chunk, one after the other.
 *
 * A chunk has one writer, which writes a line when the call has ended: the order
 * of the lines is the order in which the calls ended. A line's key is therefore
 * its own end or that of the line before it, whichever is later (a signal
 * handler may get between the clock and the line).
 *
 * A line that is not written yet, with others behind it, has a writer that was
 * interrupted by a signal, or killed. Who follows a live session waits for it
 * until the next look, once; then it is passed over. Its text may stand behind
 * it and make no sense by itself: that is no damage. */
#ifndef TOOLS_STREAM_H
#define TOOLS_STREAM_H

#include "core/event.h"
#include "tools/chunks.h"

enum { STREAM_WINDOW_LINES = 256 };

struct stream {
	struct chunk *chunk;
	uint64_t key;         /* of the event */
	uint64_t start, took; /* ticks */
	struct event event;   /* its times are not set; text is in the window */
	uint32_t process, pid, tid;
	bool waits;
	unsigned first, count; /* lines in the window */
	struct stream *next;   /* in a list of unused ones */
	struct line window[STREAM_WINDOW_LINES];
};

/* Begin to read a chunk behind what was read of it before. waits: see above. */
void stream_open(struct stream *stream, const struct source *source, struct chunk *chunk,
                 bool waits);

/* Go to the next event. Returns false if there is none. */
bool stream_next(struct stream *stream, struct source *source);

#endif
