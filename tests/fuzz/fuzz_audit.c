/* SPDX-License-Identifier: MIT */
/* fuzz_audit.c - any events, in any order, through the audit and its findings.
 *
 * The input is a row of lines as they stand in a session, shortened: a byte for
 * the process and one for the pause before, then what is in struct line. What an
 * honest session never holds is what it should survive. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tools/findings.h"
#include "tools/recovery_words.h"

enum { SLOTS = 8, PAUSE_NS = 7654321 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line of which only the fields that matter come from the input. */
struct brief {
	uint8_t process, pause;
	uint8_t op, kind, flags, sock;
	int8_t fd, result;
	uint8_t local, remote, local_port, remote_port;
	uint8_t rule, set;
	uint8_t text[20]; /* as long as an endpoint */
};

static void make_processes(struct audit *audit, const uint8_t *seed)
{
	for (uint32_t slot = 1; slot < SLOTS; slot++) {
		struct reader_process info = {
		        .slot = slot,
		        .pid = 1 + (seed[slot] >> 6),
		        .parent = seed[slot] >> 3 & 7,
		        .origin = (enum process_origin)(seed[slot] & 3),
		        .fd_peak = seed[slot],
		        .fd_limit = seed[0],
		        .name = "program",
		};

		audit_process(audit, &info, seed[slot] & 4);
	}
}

/* Few addresses, so that they meet; unfold() turns the same byte into the same. */
static struct ip unfold(uint8_t byte)
{
	struct ip ip = {{0}};

	if (byte & 4)
		memset(ip.byte + 10, 0xff, 2);
	ip.byte[15] = byte & 3;
	return ip;
}

static void play(struct audit *audit, const struct brief *brief, uint64_t *now)
{
	struct line line[2] = {0};
	struct event event = {.set = brief->set & 3};

	line->fd = brief->fd;
	line->result = brief->result;
	line->sock = brief->sock;
	line->kind = brief->kind;
	line->rule = brief->rule;
	line->flags = (uint8_t)((brief->flags & 0x1f) | 1 << LINE_TEXT_SHIFT);
	line->local = unfold(brief->local);
	line->remote = unfold(brief->remote);
	line->local_port = (uint16_t)(32760 + brief->local_port % 16);
	line->remote_port = (uint16_t)(32760 + brief->remote_port % 16);
	memcpy(line + 1, brief->text, sizeof(brief->text));
	line->head = (uint64_t)brief->op << 56;
	if (!event_unpack(&event, line, (char *)(line + 1), SESSION_LINE))
		return;
	*now += (uint64_t)(brief->pause * brief->pause) * PAUSE_NS;
	event.process = brief->process % SLOTS;
	event.time_ns = *now;
	audit_event(audit, &event);
}

static void check_texts(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		assert(memchr(findings->list[i].subject, 0, sizeof(findings->list[i].subject)));
		assert(findings->list[i].evidence[0]);
	}
}

/* What became of failures adds up, and can be said. */
static void check_recovery(const struct audit *audit)
{
	const struct trouble *row;
	char words[RECOVERY_WORDS_MAX];

	assert(audit->recovery.watches == 0);
	for (row = audit->recovery.rows; row; row = row->hh.next) {
		uint64_t ends = row->recovered + row->idle + row->pending + row->closed +
		                row->exited + row->died + row->open;

		assert(row->failures >= row->episodes && row->episodes >= ends);
		assert(row->pauses.count == row->tries);
		assert(memchr(trouble_words(words, row), 0, sizeof(words)));
		assert(trouble_place(row)[0] && trouble_error(audit, row)[0]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct audit *audit;
	struct findings findings;
	struct brief brief;
	uint64_t now = 1;

	if (size < SLOTS)
		return 0;
	audit = audit_new(32768, 32771);
	make_processes(audit, data);
	for (size_t at = SLOTS; at + sizeof(brief) <= size; at += sizeof(brief)) {
		memcpy(&brief, data + at, sizeof(brief));
		play(audit, &brief, &now);
	}
	audit_finish(audit);
	assert(audit->life.open.now == 0 && audit->life.names == 0);
	check_recovery(audit);
	findings = findings_of(audit);
	check_texts(&findings);
	findings_free(&findings);
	audit_free(audit);
	return 0;
}
