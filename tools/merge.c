/* SPDX-License-Identifier: MIT */
/* merge.c - see merge.h. */
#include "tools/merge.h"

#include <stdlib.h>

#include "tools/memory.h"

/* A fixed order also where times are equal. */
static bool is_before(const struct stream *a, const struct stream *b)
{
	return a->key != b->key ? a->key < b->key : a->chunk->page < b->chunk->page;
}

static void swap(struct stream **a, struct stream **b)
{
	struct stream *was = *a;

	*a = *b;
	*b = was;
}

static void sift_up(struct merge *merge, size_t i)
{
	for (; i > 0 && is_before(merge->heap[i], merge->heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&merge->heap[i], &merge->heap[(i - 1) / 2]);
}

static void sift_down(struct merge *merge, size_t i)
{
	for (size_t child = 2 * i + 1; child < merge->count; child = 2 * i + 1) {
		if (child + 1 < merge->count &&
		    is_before(merge->heap[child + 1], merge->heap[child]))
			child++;
		if (!is_before(merge->heap[child], merge->heap[i]))
			return;
		swap(&merge->heap[child], &merge->heap[i]);
		i = child;
	}
}

static struct stream *new_stream(struct merge *merge)
{
	struct stream *stream = merge->unused;

	if (!stream)
		return memory_new(sizeof(*stream));
	merge->unused = stream->next;
	return stream;
}

static void drop_stream(struct merge *merge, struct stream *stream)
{
	stream->next = merge->unused;
	merge->unused = stream;
}

static void open_chunk(struct merge *merge, struct source *source, struct chunk *chunk)
{
	struct stream *stream = new_stream(merge);

	stream_open(stream, source, chunk, merge->waits);
	if (!stream_next(stream, source)) {
		drop_stream(merge, stream);
		return;
	}
	merge->heap = grow(merge->heap, merge->count, &merge->room, sizeof(stream));
	merge->heap[merge->count++] = stream;
	sift_up(merge, merge->count - 1);
}

/* The first stream's event was used: go to its next one. */
static void advance(struct merge *merge, struct source *source)
{
	struct stream *stream = merge->heap[0];

	merge->is_taken = false;
	if (!stream_next(stream, source)) {
		drop_stream(merge, stream);
		merge->heap[0] = merge->heap[--merge->count];
	}
	sift_down(merge, 0);
}

/* The next chunk, if its events may come before those of all open ones. */
static struct chunk *due_chunk(struct merge *merge)
{
	struct chunk *chunk;

	if (merge->opened == merge->chunks.count)
		return NULL;
	chunk = merge->chunks.chunk + merge->opened;
	if (chunk->key == CHUNK_QUIET)
		return NULL;
	return merge->count == 0 || chunk->key <= merge->heap[0]->key ? chunk : NULL;
}

void merge_look(struct merge *merge, struct source *source, uint32_t end_page, bool waits)
{
	chunks_find(&merge->chunks, source, end_page, waits);
	merge->opened = 0;
	merge->waits = waits;
}

const struct stream *merge_first(struct merge *merge, struct source *source)
{
	struct chunk *chunk;

	if (merge->is_taken)
		advance(merge, source);
	while ((chunk = due_chunk(merge))) {
		merge->opened++;
		open_chunk(merge, source, chunk);
	}
	return merge->count > 0 ? merge->heap[0] : NULL;
}

void merge_take(struct merge *merge)
{
	merge->is_taken = true;
}

void merge_free(struct merge *merge)
{
	for (size_t i = 0; i < merge->count; i++)
		free(merge->heap[i]);
	while (merge->unused) {
		struct stream *next = merge->unused->next;

		free(merge->unused);
		merge->unused = next;
	}
	free(merge->heap);
	chunks_free(&merge->chunks);
}
