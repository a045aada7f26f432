/* SPDX-License-Identifier: MIT */
/* fuzz_reader.c - sessions of any bytes, through the reader and every formatter.
 *
 * The input is what matters of a session, so that short inputs reach far: the
 * header's fields, the first bytes of some process slots, then pieces of which
 * each becomes the start of a page. Header and pieces change bytes that would be
 * good; one byte in a good place makes an event. Behind the pieces stand two sets of
 * rules, whose heads and first rules the input changes in the same manner. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/make_sets.h"
#include "tools/csv.h"
#include "tools/filter.h"
#include "tools/reader.h"
#include "tools/rule_wording.h"
#include "tools/show.h"

enum { SLOTS = 2, SLOT = 112, PIECE = 2 * SESSION_LINE, PAGES = 32 };
enum { SETS = 2, SET_PAGES = 8, SET_RULES = 2, SET_HEAD = 96 };

/* What of the header an input changes. */
struct fields {
	uint32_t flags, pages_used, rules_page;
	uint64_t real_ns;
	struct clock_pair epoch;
};

/* What is left of the input. */
struct input {
	const uint8_t *at;
	size_t size;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static _Alignas(struct session_header) struct session_header header;
static char path[] = "/dev/shm/fuzz-reader-XXXXXX"; /* in memory: no disk waits for it */
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
	session_format(&header, &identity,
	               session_bytes((PAGES + SETS * SET_PAGES) * SESSION_PAGE_LINES), 0);
	header.processes_used = 1 + SLOTS;
	header.pages_used += PAGES + SETS * SET_PAGES;
	header.rules_page = SESSION_PAGES_FIRST + PAGES + SET_PAGES;
}

static void put(uint64_t at, const void *data, size_t size)
{
	assert(pwrite(fd, data, size, (off_t)at) == (ssize_t)size);
}

/* Take up to size bytes of the input, and change those of good by them. */
static void change(void *good, struct input *input, size_t size)
{
	size_t n = input->size < size ? input->size : size;

	for (size_t i = 0; i < n; i++)
		((uint8_t *)good)[i] ^= input->at[i];
	input->at += n;
	input->size -= n;
}

static void put_header(struct input *input)
{
	struct fields fields = {header.flags, header.pages_used, header.rules_page, header.real_ns,
	                        header.epoch};
	struct session_header changed = header;

	change(&fields, input, sizeof(fields));
	changed.flags = fields.flags;
	changed.pages_used = fields.pages_used;
	changed.rules_page = fields.rules_page;
	changed.real_ns = fields.real_ns;
	changed.epoch = fields.epoch;
	put(0, &changed, sizeof(changed));
}

static void put_slots(struct input *input)
{
	for (uint32_t i = 1; i <= SLOTS; i++) {
		struct session_process slot = {.state = PROCESS_LIVE, .pid = INT32_MAX};

		change(&slot, input, SLOT);
		put(SESSION_HEADER_BYTES + i * SESSION_PROCESS_BYTES, &slot, sizeof(slot));
	}
}

/* Change the end of a set's head, which has the chain, and its first rule. */
static void change_set(struct rules *rules, struct input *input)
{
	char *number = (char *)&rules->number;

	change(rules, input, SET_HEAD);
	change(number, input, (size_t)((char *)(&rules->since + 1) - number));
	change(rules->rule, input, sizeof(rules->rule[0]));
}

static void put_sets(struct input *input)
{
	for (uint32_t i = 0; i < SETS; i++) {
		uint64_t page = SESSION_PAGES_FIRST + PAGES + i * SET_PAGES;
		struct rules *rules = made_rules(SET_RULES);
		struct session_chunk head = session_rules_head(rules->bytes);
		uint32_t bytes = rules->bytes;

		assert(head.pages <= SET_PAGES);
		rules->number = i + 1;
		rules->before = i ? (uint32_t)page - SET_PAGES : 0;
		rules->source[0] = (struct rule_text){0, rules->texts_bytes};
		change(&head, input, offsetof(struct session_chunk, reserved));
		change_set(rules, input);
		put(page * SESSION_PAGE, &head, sizeof(head));
		put(page * SESSION_PAGE + sizeof(head), rules, bytes);
		free(rules);
	}
}

/* Put pieces on each other page, which begins a chunk of two, behind the head
 * or where the ones before have ended. */
static void put_pieces(struct input *input, uint64_t from)
{
	for (uint32_t i = 0; i < PAGES && input->size > 0; i += 2) {
		uint64_t page = session_bytes(0) + (uint64_t)i * SESSION_PAGE;
		struct session_chunk chunk = {
		        .magic = SESSION_CHUNK_MAGIC, .class = 1, .process = 1};
		uint8_t piece[PIECE] = {0};

		if (from == 0) {
			change(&chunk.class, input, 1);
			put(page, &chunk, sizeof(chunk));
		}
		change(piece, input, sizeof(piece));
		put(page + sizeof(chunk) + from, piece, sizeof(piece));
	}
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

static void read_rules(struct reader *reader)
{
	const struct rulesets *sets = reader_rules(reader);
	char words[RULE_PRINT_MAX], place[RULE_PLACE_MAX];

	assert(sets->count <= SETS);
	for (size_t i = 0; i < sets->count; i++) {
		const struct rules *rules = sets->set[i].rules;

		for (uint32_t k = 0; k < rules->count; k++) {
			assert(strlen(rule_words(words, rules, &rules->rule[k])) < sizeof(words));
			assert(strlen(rule_place(place, rules, &rules->rule[k])) < sizeof(place));
		}
	}
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
	read_rules(reader);
	reader_info(reader, &info);
	assert(events <= (PAGES + SETS * SET_PAGES) * SESSION_PAGE_LINES + 2 * SLOTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct reader *reader;
	char error[256];

	if (fd < 0)
		make_file();
	assert(ftruncate(fd, 0) == 0);
	put_header(&input);
	put_slots(&input);
	put_sets(&input);
	put_pieces(&input, 0);
	reader = reader_open(path, error, sizeof(error));
	assert(reader);
	read_session(reader);
	put_pieces(&input, PIECE); /* and as one that grows */
	reader_refresh(reader);
	read_session(reader);
	reader_close(reader);
	return 0;
}
