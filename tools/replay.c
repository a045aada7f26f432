/* SPDX-License-Identifier: MIT */
/* replay.c - see replay.h.
 * The rules are printed and compiled anew: of what the file holds, only what can be said in
 * the language comes back. What does not come back as it was is not run. */
#include "tools/replay.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tools/reader.h"
#include "tools/rule_wording.h"
#include "tools/wording.h"

enum { SET_ALIGN = 64 };

/* All rules of a set, a line each, to *text. Returns false if one is too long. */
static bool print_rules(const struct rules *rules, char **text, size_t *len)
{
	char *line = memory_new(RULE_PRINT_MAX);
	size_t room = 0, used = 0, rule_len = 0;

	*text = NULL;
	for (uint32_t i = 0; i < rules->count && rule_len < RULE_PRINT_MAX - 1; i++) {
		rule_len = rule_print(line, RULE_PRINT_MAX, rules, &rules->rule[i]);
		if (used + rule_len + 1 > room) {
			room = 2 * (used + rule_len + 1);
			*text = realloc(*text, room);
			if (!*text)
				memory_gone();
		}
		memcpy(*text + used, line, rule_len);
		used += rule_len;
		(*text)[used++] = '\n';
	}
	free(line);
	*len = used;
	return rule_len < RULE_PRINT_MAX - 1;
}

static void say_nothing(void *context, const struct rules_problem *problem)
{
	(void)context;
	(void)problem;
}

static struct rules *compile(const char *name, const char *text, size_t len)
{
	struct rules_source source = {.name = name, .text = text, .len = len};
	size_t size = rules_room(&source, 1);
	struct rules *rules;

	size = (size + SET_ALIGN - 1) / SET_ALIGN * SET_ALIGN;
	rules = aligned_alloc(SET_ALIGN, size);
	if (!rules)
		memory_gone();
	memset(rules, 0, size);
	if (rules_compile(rules, size, &source, 1, say_nothing, NULL) == 0)
		return rules;
	free(rules);
	return NULL;
}

static bool is_same(const struct rules *rules, const char *text, size_t len)
{
	char *again;
	size_t again_len;
	bool is_printed = print_rules(rules, &again, &again_len);
	bool is_same = is_printed && again_len == len && memcmp(again, text, len) == 0;

	free(again);
	return is_same;
}

/* The rules as they are said; NULL if what is said means something else. */
static struct rules *say_again(const struct rules *rules, const char *path)
{
	struct rules *again = NULL;
	char *text;
	size_t len;

	if (print_rules(rules, &text, &len))
		again = compile(path, text, len);
	if (again && !is_same(again, text, len)) {
		free(again);
		again = NULL;
	}
	free(text);
	return again;
}

static const char *shown(const char *path)
{
	return word_text(path, strlen(path));
}

static int take(struct replay *replay, const struct command *command, struct reader *reader,
                const char *path)
{
	const struct rulesets *sets = reader_rules(reader);
	struct reader_info info;

	reader_info(reader, &info);
	replay->seed = info.seed;
	if (sets->damaged || (sets->count && sets->set[0].number != 1))
		return command_fail(command, "%s: its rules are damaged", shown(path));
	replay->has_more = sets->count > 1;
	if (sets->count == 0 || sets->set[0].rules->count == 0)
		return 0;
	replay->rules = say_again(sets->set[0].rules, path);
	if (!replay->rules)
		return command_fail(command, "%s: its rules make no sense", shown(path));
	return 0;
}

int replay_read(struct replay *replay, const struct command *command, const char *path)
{
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(path, error, sizeof(error));
	int status;

	*replay = (struct replay){.rules = NULL};
	if (!reader)
		return command_fail(command, "%s", error);
	status = take(replay, command, reader, path);
	reader_close(reader);
	return status;
}
