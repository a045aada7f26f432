/* SPDX-License-Identifier: MIT */
/* fuzz_reader.c - sessions of any bytes, through the reader and every formatter.
 * The input is a whole session without the long row of free process slots:
 * HEAD bytes that change a good header, SLOTS slots, then pages of events, of
 * which the first begins with bytes that change the head of a good chunk. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/csv.h"
#include "tools/filter.h"
#include "tools/reader.h"
#include "tools/show.h"

enum { HEAD = 320, SLOTS = 4, TABLE = SLOTS * SESSION_PROCESS_BYTES, EVENT_PAGES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(struct session_header) struct session_header header;
static char path[] = "/tmp/fuzz-reader-XXXXXX";
static int fd = -1;

static void remove_file(void)
{
	unlink(path);
}

static void make_file(void)
{
	struct session_header identity = {.real_ns = 1, .flags = SESSION_TICKS_CPU};

	fd = mkstemp(path);
	assert(fd >= 0);
	atexit(remove_file);
	session_format(&header, &identity, session_bytes(EVENT_PAGES * SESSION_PAGE_LINES));
}

static size_t put(size_t at, const uint8_t *data, size_t size)
{
	assert(pwrite(fd, data, size, (off_t)at) == (ssize_t)size);
	return size;
}

/* All that is left of the input, at most max bytes of it. */
static size_t take(const uint8_t **data, size_t *size, size_t max)
{
	size_t n = *size < max ? *size : max;

	*data += n;
	*size -= n;
	return n;
}

static void write_session(const uint8_t *data, size_t size)
{
	struct session_header changed = header;
	struct session_chunk chunk = {.magic = SESSION_CHUNK_MAGIC, .class = 2, .process = 1};
	const uint8_t *at = data;
	size_t n = take(&data, &size, HEAD);

	changed.pages_used = SESSION_PAGES_FIRST + EVENT_PAGES;
	changed.processes_used = 1 + SLOTS;
	for (size_t i = 8; i < n; i++) /* what is no session at all is soon refused */
		((uint8_t *)&changed)[i] ^= at[i];
	changed.version = SESSION_VERSION;
	changed.bytes = header.bytes;
	changed.processes_used %= 64; /* or the time goes into free slots */
	assert(ftruncate(fd, 0) == 0);
	put(0, (const uint8_t *)&changed, sizeof(changed));
	at = data;
	n = take(&data, &size, TABLE);
	put(SESSION_HEADER_BYTES + SESSION_PROCESS_BYTES, at, n);
	put(session_bytes(0), data, size);
	n = size < sizeof(chunk) ? size : sizeof(chunk);
	for (size_t i = 0; i < n; i++)
		((uint8_t *)&chunk)[i] ^= data[i];
	put(session_bytes(0), (const uint8_t *)&chunk, sizeof(chunk));
}

static void check_line(const char *line, size_t len)
{
	assert(len > 0 && line[len] == '\0' && strlen(line) == len);
	assert(strchr(line, '\n') == line + len - 1); /* one line, its last byte */
	for (size_t i = 0; i < len - 1; i++)
		assert((unsigned char)line[i] >= ' ' && line[i] != 0x7f);
}

static void show(const struct event *event)
{
	static struct show style;
	struct filter filter = {.process = "ng*x", .has_port = true};
	char line[SHOW_LINE_MAX];

	check_line(line, show_line(line, event, &style));
	check_line(line, csv_line(line, event));
	check_line(line, event_json(line, sizeof(line), event));
	filter_passes(&filter, event);
}

static void read_session(struct reader *reader)
{
	struct reader_process process;
	struct reader_info info;
	struct event event;
	size_t events = 0;

	while (reader_next(reader, &event)) {
		show(&event);
		events++;
	}
	for (uint32_t i = 0; i <= reader_process_count(reader); i++)
		reader_process(reader, i, &process);
	reader_info(reader, &info);
	assert(events <= EVENT_PAGES * SESSION_PAGE_LINES + 2 * SESSION_PROCESSES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[256];
	struct reader *reader;

	if (size > HEAD + TABLE + EVENT_PAGES * SESSION_PAGE)
		return -1;
	if (fd < 0)
		make_file();
	write_session(data, size);
	reader = reader_open(path, error, sizeof(error));
	if (!reader)
		return 0;
	read_session(reader);
	if (size > HEAD + TABLE) /* and as one that grows */
		put(session_bytes(0) + (size - HEAD - TABLE), data, size);
	reader_refresh(reader);
	read_session(reader);
	reader_close(reader);
	return 0;
}
