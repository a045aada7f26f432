/* SPDX-License-Identifier: MIT */
/* coverage.h - which processes of a session could not be seen, or only in part,
 * and why. */
#ifndef TOOLS_COVERAGE_H
#define TOOLS_COVERAGE_H

#include "tools/reader.h"

struct unseen {
	uint32_t pid;           /* of the first of */
	uint32_t count;         /* so many alike */
	bool is_partial;        /* only some of its calls cannot be seen */
	char program[225];      /* a path or a name, as far as known */
	enum coverage coverage; /* COVERAGE_SEEN if is_partial */
	const char *what;       /* a word: static, setuid, io_uring... */
	const char *why;        /* a sentence */
};

/* What this process, or the program that it was to become, hides. is_starting:
 * that program may yet come up. Returns how many entries of list (COVERAGE_MAX)
 * were filled. */
enum { COVERAGE_MAX = 4 };
size_t coverage_of(const struct reader_process *process, bool is_starting, struct unseen *list);

#endif
