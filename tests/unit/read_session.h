/* SPDX-License-Identifier: MIT */
/* read_session.h - a made session and a reader of it, anew for each test. After
 * cmocka.h. */
#ifndef TESTS_READ_SESSION_H
#define TESTS_READ_SESSION_H

#include "tests/unit/make_session.h"
#include "tools/reader.h"

enum { EVENTS = 4096, ERROR_SIZE = 512 };

static struct made made;
static struct reader *reader;
static char error[ERROR_SIZE];

static inline int open_made(void **state)
{
	(void)state;
	made = made_open(EVENTS);
	reader = NULL;
	return 0;
}

static inline int close_made(void **state)
{
	(void)state;
	reader_close(reader);
	made_close(&made);
	return 0;
}

static inline void open_reader(void)
{
	reader = reader_open(made.path, error, sizeof(error));
	assert_non_null(reader);
}

static inline struct event next_event(void)
{
	struct event event;

	assert_true(reader_next(reader, &event));
	return event;
}

static inline void assert_end(void)
{
	struct event event;

	assert_false(reader_next(reader, &event));
	assert_false(reader_next(reader, &event));
}

static inline uint64_t damaged(void)
{
	struct reader_info info;

	reader_info(reader, &info);
	return info.damaged;
}

#endif
