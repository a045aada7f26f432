/* SPDX-License-Identifier: MIT */
/* reader.h - reads a session file that nobody vouches for.
 * Gives its events in order of time, over all threads and processes, with
 * process starts and ends between them. Memory is bounded by the number of
 * chunks and processes, never of events. Nothing in the file can crash it. */
#ifndef TOOLS_READER_H
#define TOOLS_READER_H

#include "core/event.h"
#include "tools/rulesets.h"

struct reader;

/* What a process slot says, checked: strings end, enums are in range. */
struct reader_process {
	uint32_t slot, pid, ppid, parent, uid;
	enum process_state state;
	enum process_origin origin;
	enum coverage coverage, next_coverage; /* next: EXECING, of the program to come */
	unsigned blind;
	int status; /* ENDED: exit status, -1 unknown */
	uint32_t fd_limit, fd_peak;
	uint64_t start_ns, end_ns; /* CLOCK_REALTIME; end 0: unknown */
	char name[33], program[225], next[141];
};

struct reader_info {
	const char *path;
	uint64_t bytes;                      /* of the file */
	uint64_t capacity_lines, used_lines; /* room for events, and how much is taken */
	uint64_t seed, start_ns;             /* CLOCK_REALTIME */
	uint64_t events_dropped, processes_dropped, peers_dropped;
	uint64_t damaged; /* lines and chunks that made no sense, so far */
	uint16_t port_low, port_high;
	char host[65], kernel[65];
};

/* Open path. Returns NULL and fills error (a whole sentence without a newline)
 * if it cannot be read as a session. */
struct reader *reader_open(const char *path, char *error, size_t error_size);
void reader_close(struct reader *reader);

/* The next event in order of time, or false at the end. event->text, program
 * stay valid until the next call. Process starts (OP_START, FORK or EXEC by
 * origin) and ends (OP_EXIT, with result = status, or -1 when unknown) come as
 * events of their own. */
bool reader_next(struct reader *reader, struct event *event);

/* After reader_next() said false: look whether the session has grown. The next
 * reader_next() goes on with what is new. */
void reader_refresh(struct reader *reader);

/* Is any process of the session still running? */
bool reader_is_live(struct reader *reader);

void reader_info(struct reader *reader, struct reader_info *info);

/* The processes, in slots 1..n. Returns false if the slot is free. */
uint32_t reader_process_count(struct reader *reader);
bool reader_process(struct reader *reader, uint32_t slot, struct reader_process *process);

/* The sets of rules, with their counters as they are now. Valid until the next call
 * and until reader_refresh(). The set of an event is the one that was in force when
 * its call began. */
const struct rulesets *reader_rules(struct reader *reader);

/* The newest session in the default directory, to path. Returns false, with the
 * reason in error, if there is none. */
bool reader_newest(char *path, size_t path_size, char *error, size_t error_size);

#endif
