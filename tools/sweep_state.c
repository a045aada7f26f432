/* SPDX-License-Identifier: MIT */
/* sweep_state.c - see sweep_state.h.
 *
 *	tcpshim sweep state 1
 *	id 0123456789abcdef
 *	seed 0123456789abcdef
 *	run FAULT TURN ON DID STATUS SIGNAL TOOK_NS RATE LEAKS VANISHED xSAID
 *	end
 *
 * Numbers are decimal; SAID is hexadecimal. */
#include "tools/sweep_state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/memory.h"
#include "tools/source.h"
#include "tools/wording.h"

#define FIRST_LINE "tcpshim sweep state 1"

enum { LINE_SIZE = 1024, STATE_BYTES_MAX = 64 << 20 };

/* ---- numbers and words of a line ---- */

struct words {
	const char *at;
	bool is_bad;
};

/* The next number, behind one space. */
static int64_t number(struct words *words, int64_t least, int64_t most)
{
	char *end;
	long long value;

	errno = 0;
	if (words->is_bad || words->at[0] != ' ' || !strchr("-0123456789", words->at[1]) ||
	    !words->at[1]) {
		words->is_bad = true;
		return 0;
	}
	value = strtoll(words->at + 1, &end, 10);
	words->is_bad = errno || end == words->at + 1 || value < least || value > most;
	words->at = end;
	return words->is_bad ? 0 : value;
}

static int digit(char c)
{
	const char *const digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void bytes(struct words *words, char said[SWEEP_SAID_MAX + 1])
{
	const char *at = words->at + 2;
	size_t len = 0;

	if (words->is_bad || strncmp(words->at, " x", 2) != 0) {
		words->is_bad = true;
		return;
	}
	for (; at[0]; at += 2) {
		int high = digit(at[0]), low = high < 0 ? -1 : digit(at[1]);

		if (low < 0 || (high == 0 && low == 0) || len == SWEEP_SAID_MAX) {
			words->is_bad = true;
			return;
		}
		said[len++] = (char)(high << 4 | low);
	}
	said[len] = '\0';
}

static bool read_run(const char *line, struct sweep_trial *trial)
{
	struct words words = {.at = line + strlen("run")};
	struct sweep_result *result = &trial->result;

	*trial = (struct sweep_trial){.is_done = true};
	trial->fault = (uint32_t)number(&words, 0, UINT32_MAX);
	trial->turn = (uint32_t)number(&words, 1, UINT32_MAX);
	trial->is_on = number(&words, 0, 1);
	result->did = (enum sweep_did)number(&words, 0, SWEEP_DIDS - 1);
	result->status = (int)number(&words, -1, 255);
	result->signal = (int)number(&words, 0, 64);
	result->took_ns = (uint64_t)number(&words, 0, INT64_MAX);
	result->rate = (uint64_t)number(&words, 0, INT64_MAX);
	result->leaks = (uint32_t)number(&words, 0, UINT32_MAX);
	result->vanished = (uint32_t)number(&words, 0, UINT32_MAX);
	bytes(&words, result->said);
	return !words.is_bad;
}

static bool read_hex(const char *line, const char *name, uint64_t *value)
{
	size_t len = strlen(name);

	*value = 0;
	if (strncmp(line, name, len) != 0 || strlen(line) != len + 16)
		return false;
	for (const char *at = line + len; *at; at++) {
		if (digit(*at) < 0)
			return false;
		*value = *value << 4 | (uint64_t)digit(*at);
	}
	return true;
}

/* ---- the file ---- */

/* A line without its newline. Returns false at the end, or where it makes no sense. */
static bool next_line(FILE *file, char line[LINE_SIZE])
{
	size_t len;

	if (!fgets(line, LINE_SIZE, file))
		return false;
	len = strlen(line);
	if (len == 0 || line[len - 1] != '\n')
		return false;
	line[len - 1] = '\0';
	return true;
}

/* Returns NULL, or what is wrong. */
static const char *read_lines(struct sweep_state *state, FILE *file)
{
	static const char damaged[] = "it is damaged, or no state of a sweep";
	char line[LINE_SIZE];
	struct sweep_trial trial;
	size_t room = 0;
	uint64_t id;

	if (!next_line(file, line) || strcmp(line, FIRST_LINE) != 0)
		return damaged;
	if (!next_line(file, line) || !read_hex(line, "id ", &id))
		return damaged;
	if (id != state->id)
		return "it is of another program, other arguments or other options; remove it, or "
		       "name another";
	if (!next_line(file, line) || !read_hex(line, "seed ", &state->seed))
		return damaged;
	for (;;) {
		if (!next_line(file, line))
			return damaged;
		if (strcmp(line, "end") == 0)
			return fgetc(file) == EOF ? NULL : damaged;
		if (strncmp(line, "run ", 4) != 0 || !read_run(line, &trial))
			return damaged;
		state->trial = grow(state->trial, state->count, &room, sizeof(trial));
		state->trial[state->count++] = trial;
	}
}

int sweep_state_read(struct sweep_state *state, const struct command *command)
{
	int fd = open(state->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const char *problem = "it is no regular file of a size that makes sense";
	struct stat about;
	FILE *file;

	if (fd < 0 && errno == ENOENT)
		return 0;
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file) {
		problem = strerror(errno);
		if (fd >= 0)
			close(fd);
	} else {
		if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
		    about.st_size <= STATE_BYTES_MAX)
			problem = read_lines(state, file);
		fclose(file);
	}
	if (problem)
		return command_fail(command, "cannot go on from the state in %s: %s",
		                    word_text(state->path, strlen(state->path)), problem);
	return 0;
}

static bool is_same(const struct sweep_trial *a, const struct sweep_trial *b)
{
	return a->fault == b->fault && a->turn == b->turn && a->is_on == b->is_on;
}

/* They stand in the order in which they are asked for. */
const struct sweep_result *sweep_state_find(struct sweep_state *state,
                                            const struct sweep_trial *trial)
{
	for (size_t i = 0; i < state->count; i++) {
		struct sweep_trial *at = &state->trial[(state->next + i) % state->count];

		if (!is_same(at, trial))
			continue;
		state->next += i + 1;
		at->is_done = false;
		return &at->result;
	}
	return NULL;
}

static void write_run(FILE *file, const struct sweep_trial *trial)
{
	const struct sweep_result *result = &trial->result;

	fprintf(file, "run %u %u %d %d %d %d %" PRIu64 " %" PRIu64 " %u %u x", trial->fault,
	        trial->turn, trial->is_on, (int)result->did, result->status, result->signal,
	        result->took_ns, result->rate, result->leaks, result->vanished);
	for (const char *at = result->said; *at; at++)
		fprintf(file, "%02x", (unsigned char)*at);
	fputc('\n', file);
}

static void write_lines(const struct sweep_state *state, FILE *file,
                        const struct sweep_trial *trial, size_t count)
{
	fprintf(file, FIRST_LINE "\nid %016" PRIx64 "\nseed %016" PRIx64 "\n", state->id,
	        state->seed);
	for (size_t i = 0; i < count; i++)
		if (trial[i].is_done)
			write_run(file, &trial[i]);
	for (size_t i = 0; i < state->count; i++)
		if (state->trial[i].is_done)
			write_run(file, &state->trial[i]);
	fputs("end\n", file);
}

int sweep_state_write(const struct sweep_state *state, const struct sweep_trial *trial,
                      size_t count)
{
	char *path;
	FILE *file = NULL;
	int fd, error = 0;

	if (asprintf(&path, "%s.XXXXXX", state->path) < 0)
		memory_gone();
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		file = fdopen(fd, "w");
	if (!file) {
		error = -errno;
		free(path);
		return error;
	}
	write_lines(state, file, trial, count);
	errno = 0;
	if (ferror(file) | fclose(file))
		error = errno ? -errno : -EIO;
	if (!error && rename(path, state->path) != 0)
		error = -errno;
	if (error)
		unlink(path);
	free(path);
	return error;
}
