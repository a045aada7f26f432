/* SPDX-License-Identifier: MIT */
/* rules_input.c - see rules_input.h. */
#include "tools/rules_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/memory.h"
#include "tools/rule_wording.h"
#include "tools/source.h"

enum {
	TEXT_BYTES_MAX = 64 << 20, /* of one source */
	TEXT_BYTES_FIRST = 1 << 14,
	PROBLEMS_SHOWN = 100,
	SET_ALIGN = 64,
};

static const char words_name[] = "-r";

void rules_input_ask(struct rules_input *input, enum rules_kind kind, const char *word)
{
	input->asked =
	        grow(input->asked, input->asked_count, &input->asked_room, sizeof(*input->asked));
	input->asked[input->asked_count++] = (struct rules_asked){kind, word};
}

/* ---- reading ---- */

/* Takes the text. */
static int add_source(struct rules_input *input, const char *name, char *text, size_t len)
{
	if (input->sources == RULES_SOURCES_MAX) {
		free(text);
		return command_fail(input->command, "rules from more than %d files are too many",
		                    RULES_SOURCES_MAX);
	}
	input->text[input->sources] = text;
	input->source[input->sources++] =
	        (struct rules_source){.name = name, .text = text, .len = len};
	return 0;
}

/* Words that follow each other are one source, each a line of it. */
static int add_words(struct rules_input *input, const char *name, const char *words)
{
	unsigned last = input->sources - 1;
	char *joined = NULL;
	int len;

	if (name != words_name || input->sources == 0 || input->source[last].name != words_name)
		return add_source(input, name, memory_copy(words, strlen(words)), strlen(words));
	len = asprintf(&joined, "%s\n%s", input->text[last], words);
	if (len < 0)
		memory_gone();
	free(input->text[last]);
	input->text[last] = joined;
	input->source[last].text = joined;
	input->source[last].len = (size_t)len;
	return 0;
}

/* All that an fd has, to *text. Returns 0 or -errno. */
static int read_all(int fd, char **text, size_t *len)
{
	size_t room = TEXT_BYTES_FIRST;
	ssize_t got;

	*text = memory_new(room);
	*len = 0;
	while ((got = read(fd, *text + *len, room - *len)) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		*len += got > 0 ? (size_t)got : 0;
		if (*len > TEXT_BYTES_MAX)
			return -EFBIG;
		if (*len < room)
			continue;
		room *= 2;
		*text = realloc(*text, room);
		if (!*text)
			memory_gone();
	}
	return 0;
}

static int add_file(struct rules_input *input, const char *path)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t len = 0;
	int error = fd < 0 ? -errno : read_all(fd, &text, &len);

	if (fd >= 0 && !is_stdin)
		close(fd);
	if (!error)
		return add_source(input, is_stdin ? "stdin" : path, text, len);
	free(text);
	return command_fail(input->command, "cannot read the rules in %s: %s",
	                    is_stdin ? "stdin" : path, strerror(-error));
}

static int add_asked(struct rules_input *input, const struct rules_asked *asked)
{
	switch (asked->kind) {
	case RULES_FILE:
		return add_file(input, asked->word);
	case RULES_WORDS:
		return add_words(input, words_name, asked->word);
	case RULES_VARIABLE:
		return add_words(input, "TCPSHIM_RULES", asked->word);
	}
	return 0;
}

void rules_input_ask_environment(struct rules_input *input)
{
	static const struct {
		const char *name;
		enum rules_kind kind;
	} variables[] = {{"TCPSHIM_RULES_FILE", RULES_FILE}, {"TCPSHIM_RULES", RULES_VARIABLE}};

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *value = getenv(variables[i].name);

		if (value && *value)
			rules_input_ask(input, variables[i].kind, value);
	}
}

int rules_input_read(struct rules_input *input)
{
	int status = 0;

	for (size_t i = 0; i < input->asked_count && status == 0; i++)
		status = add_asked(input, &input->asked[i]);
	return status;
}

/* ---- compiling ---- */

static char *copy_of(const char *string)
{
	return string ? memory_copy(string, strlen(string)) : NULL;
}

static void keep_problem(void *context, const struct rules_problem *problem)
{
	struct rules_input *input = context;
	struct rules_kept *kept;

	*(problem->is_warning ? &input->warnings : &input->errors) += 1;
	input->problem = grow(input->problem, input->problems, &input->problem_room,
	                      sizeof(*input->problem));
	kept = &input->problem[input->problems++];
	kept->problem = *problem;
	kept->problem.what = kept->what = copy_of(problem->what);
	kept->problem.expected = kept->expected = copy_of(problem->expected);
	kept->problem.instead = kept->instead = copy_of(problem->instead);
}

struct rules *rules_input_compile(struct rules_input *input)
{
	size_t size = rules_room(input->source, input->sources);
	struct rules *rules;

	size = (size + SET_ALIGN - 1) / SET_ALIGN * SET_ALIGN;
	rules = aligned_alloc(SET_ALIGN, size);
	if (!rules)
		memory_gone();
	memset(rules, 0, size);
	if (rules_compile(rules, size, input->source, input->sources, keep_problem, input) == 0)
		return rules;
	free(rules);
	return NULL;
}

/* Of the rules of a line, with ; between them, the nth. To *at (from the line's
 * begin) and *len. */
static void find_in_line(const char *line, size_t line_len, unsigned nth, size_t *at, size_t *len)
{
	const char *comment = memchr(line, '#', line_len);
	size_t end = comment ? (size_t)(comment - line) : line_len;

	*at = 0;
	*len = 0;
	for (size_t from = 0; from < end; from += *len + 1) {
		const char *semicolon = memchr(line + from, ';', end - from);

		while (from < end && strchr(" \t\r", line[from]))
			from++;
		*at = from;
		*len = (semicolon ? (size_t)(semicolon - line) : end) - from;
		if (*len > 0 && nth-- == 0)
			break;
	}
	while (*len > 0 && strchr(" \t\r", line[*at + *len - 1]))
		--*len;
}

/* Where a rule stands in its source. */
static void find_rule(const struct rules *rules, uint32_t index, struct rules_problem *problem)
{
	const struct rule *rule = &rules->rule[index];
	const char *line = problem->source->text, *end = line + problem->source->len, *newline;
	unsigned nth = 0;
	size_t at;

	while (index > 0 && rules->rule[index - 1].source == rule->source &&
	       rules->rule[--index].line == rule->line)
		nth++;
	newline = memchr(line, '\n', (size_t)(end - line));
	for (unsigned number = 1; number < rule->line && newline; number++) {
		line = newline + 1;
		newline = memchr(line, '\n', (size_t)(end - line));
	}
	find_in_line(line, (size_t)((newline ? newline : end) - line), nth, &at, &problem->len);
	problem->line = rule->line;
	problem->at = (size_t)(line - problem->source->text) + at;
	problem->column = 1;
	for (size_t i = 0; i < at; i++)
		problem->column += (line[i] & 0xc0) != 0x80; /* not within a character */
}

void rules_input_warn(struct rules_input *input, const struct rules *rules, uint32_t index,
                      const char *what, const char *note)
{
	struct rules_problem problem = {
	        .source = &input->source[rules->rule[index].source],
	        .is_warning = true,
	        .what = what,
	        .expected = note,
	};

	find_rule(rules, index, &problem);
	keep_problem(input, &problem);
}

void rules_input_print(const struct rules_input *input)
{
	char *buf = memory_new(RULES_PROBLEM_MAX);
	size_t shown = 0, left = input->errors + (input->is_quiet ? 0 : input->warnings);

	for (size_t i = 0; i < input->problems && shown < PROBLEMS_SHOWN; i++) {
		if (input->is_quiet && input->problem[i].problem.is_warning)
			continue;
		rules_print_problem(buf, RULES_PROBLEM_MAX, &input->problem[i].problem);
		fputs(buf, stderr);
		shown++;
	}
	if (left > shown)
		fprintf(stderr, "tcpshim %s: and %zu more\n", input->command->name, left - shown);
	free(buf);
}

int rules_input_load(struct rules_input *input, struct rules **rules)
{
	int status = rules_input_read(input);

	*rules = NULL;
	if (status != 0 || input->sources == 0)
		return status;
	*rules = rules_input_compile(input);
	rules_input_print(input);
	return *rules ? 0 : EXIT_TCPSHIM;
}

void rules_input_free(struct rules_input *input)
{
	for (size_t i = 0; i < input->problems; i++) {
		free(input->problem[i].what);
		free(input->problem[i].expected);
		free(input->problem[i].instead);
	}
	for (unsigned i = 0; i < input->sources; i++)
		free(input->text[i]);
	free(input->problem);
	free(input->asked);
}
