/* SPDX-License-Identifier: MIT */
/* chunks.c - see chunks.h. */
#include "tools/chunks.h"

#include <stdlib.h>
#include <string.h>

#include "core/event.h"
#include "core/rules.h"

/* Lines to look at for news: one whose writer was interrupted, with its text,
 * and the one behind it. */
enum { PEEK_LINES = LINE_TEXT_MAX + 2 };

static void add_gap(struct chunks *chunks, uint32_t first, uint32_t end)
{
	if (chunks->gaps > 0 && chunks->gap[chunks->gaps - 1].end == first) {
		chunks->gap[chunks->gaps - 1].end = end;
		return;
	}
	chunks->gap = grow(chunks->gap, chunks->gaps, &chunks->gap_room, sizeof(*chunks->gap));
	chunks->gap[chunks->gaps++] = (struct page_range){first, end};
}

static void add_chunk(struct chunks *chunks, struct chunk chunk)
{
	chunks->chunk = grow(chunks->chunk, chunks->count, &chunks->room, sizeof(chunk));
	chunks->chunk[chunks->count++] = chunk;
}

static bool is_zero(const void *bytes, size_t len)
{
	const char *byte = bytes;

	return byte[0] == 0 && memcmp(byte, byte + 1, len - 1) == 0;
}

/* Take a page where no chunk begins: its taker has not begun yet, or never will
 * (the magic is stored last); or it is damaged. Returns the page to go on with. */
static uint32_t skip_page(struct chunks *chunks, struct source *source, struct page_range in)
{
	char page[SESSION_PAGE] = {0};
	uint32_t next = in.first + 1;
	uint64_t data;

	source_read(source, page, sizeof(page), (uint64_t)in.first * SESSION_PAGE);
	if (!is_zero(page + SESSION_LINE, sizeof(page) - SESSION_LINE)) {
		source->damaged++;
		return next;
	}
	data = source_skip_holes(source, (uint64_t)next * SESSION_PAGE) / SESSION_PAGE;
	if (data > next) /* not so at the end of a file that ends within a page */
		next = data < in.end ? (uint32_t)data : in.end;
	add_gap(chunks, in.first, next);
	return next;
}

/* The chunks of a shared page; those that no thread has taken yet are quiet. */
static void add_small_chunks(struct chunks *chunks, uint32_t page)
{
	for (uint16_t line = 1; line < SESSION_PAGE_LINES; line += SESSION_SMALL_LINES)
		add_chunk(chunks, (struct chunk){
		                          .page = page,
		                          .head = line,
		                          .lines = (uint16_t)(line + SESSION_SMALL_LINES),
		                          .next = (uint16_t)(line + 1),
		                  });
}

/* Pass over a set of rules. Where its head and the set disagree, the smaller is taken:
 * then no event is lost behind a number that is damaged. */
static uint32_t skip_rules(const struct session_chunk *head, struct source *source,
                           struct page_range in)
{
	struct rules rules = {.bytes = 0};
	uint32_t pages = head->pages;

	source_read(source, &rules, sizeof(rules),
	            (uint64_t)in.first * SESSION_PAGE + SESSION_LINE);
	if (memcmp(rules.magic, RULES_MAGIC, sizeof(rules.magic)) == 0)
		pages = session_rules_pages(rules.bytes);
	if (pages > head->pages)
		pages = head->pages;
	if (pages > in.end - in.first)
		pages = in.end - in.first;
	if (pages != head->pages || pages == 0)
		source->damaged++;
	return in.first + (pages > 0 ? pages : 1);
}

/* Look at a page where a chunk may begin. Returns the page to go on with. */
static uint32_t walk_page(struct chunks *chunks, struct source *source, struct page_range in)
{
	struct session_chunk head = {0};
	uint32_t end;

	source_read(source, &head, sizeof(head), (uint64_t)in.first * SESSION_PAGE);
	if (head.magic == 0)
		return skip_page(chunks, source, in);
	if (head.magic == SESSION_CHUNK_MAGIC && head.class == SESSION_CHUNK_SHARED) {
		add_small_chunks(chunks, in.first);
		return in.first + 1;
	}
	if (head.magic == SESSION_CHUNK_MAGIC && head.class == SESSION_CHUNK_RULES)
		return skip_rules(&head, source, in);
	if (head.magic != SESSION_CHUNK_MAGIC || head.class > SESSION_CHUNK_CLASS_MAX) {
		source->damaged++;
		return in.first + 1;
	}
	end = in.first + (1u << head.class);
	if (end > in.end) {
		source->damaged++;
		end = in.end;
	}
	add_chunk(chunks, (struct chunk){
	                          .page = in.first,
	                          .lines = (uint16_t)((end - in.first) * SESSION_PAGE_LINES),
	                          .next = 1,
	                  });
	return end;
}

/* Find the chunks in a range of pages, and the gaps that are left. */
static void walk(struct chunks *chunks, struct source *source, struct page_range in)
{
	while (in.first < in.end)
		in.first = walk_page(chunks, source, in);
}

static void walk_gaps(struct chunks *chunks, struct source *source)
{
	struct page_range *old = chunks->gap;
	size_t count = chunks->gaps;

	chunks->gap = NULL;
	chunks->gaps = chunks->gap_room = 0;
	for (size_t i = 0; i < count; i++)
		walk(chunks, source, old[i]);
	free(old);
}

uint64_t chunk_line_start(const struct line *line)
{
	uint64_t head = atomic_load_explicit(&line->head, memory_order_relaxed);
	uint64_t since = head & (((uint64_t)1 << 56) - 1);

	return since >> 55 ? 0 : since;
}

uint64_t chunk_line_end(const struct line *line)
{
	return chunk_line_start(line) + session_span(line->took);
}

/* Set a chunk's key by what stands at its next line. */
static void look(struct chunk *chunk, struct source *source, bool may_be_quiet)
{
	struct line line[PEEK_LINES] = {0};
	unsigned left = (unsigned)chunk->lines - chunk->next;
	struct event event;

	source_read(source, line, (left < PEEK_LINES ? left : PEEK_LINES) * sizeof(*line),
	            chunk_offset(chunk, chunk->next));
	if (event_unpack(&event, line, (const char *)(line + 1), EVENT_TEXT_MAX))
		chunk->key = chunk_line_end(line);
	else
		chunk->key = may_be_quiet && is_zero(line, sizeof(line)) ? CHUNK_QUIET : 0;
}

static void forget_finished(struct chunks *chunks)
{
	size_t kept = 0;

	for (size_t i = 0; i < chunks->count; i++) {
		if (chunks->chunk[i].next < chunks->chunk[i].lines)
			chunks->chunk[kept++] = chunks->chunk[i];
	}
	chunks->count = kept;
}

static int by_key(const void *a, const void *b)
{
	const struct chunk *one = a, *other = b;

	if (one->key != other->key)
		return one->key < other->key ? -1 : 1;
	return one->page < other->page ? -1 : one->page > other->page;
}

void chunks_find(struct chunks *chunks, struct source *source, uint32_t end_page, bool looks)
{
	forget_finished(chunks);
	walk_gaps(chunks, source);
	if (chunks->page < SESSION_PAGES_FIRST)
		chunks->page = SESSION_PAGES_FIRST;
	if (chunks->page < end_page) {
		walk(chunks, source, (struct page_range){chunks->page, end_page});
		chunks->page = end_page;
	}
	for (size_t i = 0; i < chunks->count; i++)
		look(&chunks->chunk[i], source, looks);
	if (chunks->count > 0)
		qsort(chunks->chunk, chunks->count, sizeof(*chunks->chunk), by_key);
}

void chunks_free(struct chunks *chunks)
{
	free(chunks->chunk);
	free(chunks->gap);
}
