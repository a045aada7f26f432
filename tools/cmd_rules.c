/* SPDX-License-Identifier: MIT */
/* cmd_rules.c - tcpshim rules: the rules in force of a session, and new ones for it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/text.h"
#include "tools/cmd.h"
#include "tools/find.h"
#include "tools/options.h"
#include "tools/reader.h"
#include "tools/replace.h"
#include "tools/rule_wording.h"
#include "tools/rules_input.h"
#include "tools/source.h"
#include "tools/wording.h"

enum { OPTION_FILE, OPTION_RULE, OPTION_CLEAR };

enum { TIME_MAX = 64 };

static const struct option_help options[] = {
        [OPTION_FILE] = {"-f, --file FILE", "replace them by those of a file; - is stdin"},
        [OPTION_RULE] = {"-r, --rule RULE",
                         "replace them by this one, or several with ; between them"},
        [OPTION_CLEAR] = {"--clear", "take all rules away"},
        {NULL, NULL},
};

struct wish {
	struct rules_input input;
	bool clears;
	char path[PATH_MAX];
};

/* Returns OPTIONS_END, HELP or BAD. */
static int read_options(struct wish *wish, int argc, char **argv)
{
	const struct command *self = wish->input.command;
	int option;

	while ((option = options_next(self, argc, argv, true)) >= 0) {
		if (option == OPTION_FILE)
			rules_input_ask(&wish->input, RULES_FILE, optarg);
		else if (option == OPTION_RULE)
			rules_input_ask(&wish->input, RULES_WORDS, optarg);
		else
			wish->clears = true;
	}
	if (option != OPTIONS_END)
		return option;
	if (wish->clears && wish->input.asked_count > 0)
		command_fail(self, "new rules or --clear, not both");
	else if (argc - optind > 1)
		command_fail(self, "one session at a time: what is '%s'?", argv[optind + 1]);
	else
		return OPTIONS_END;
	return OPTIONS_BAD;
}

/* The session that is meant, to path. */
static int find_session(struct wish *wish, const char *argument)
{
	char error[PATH_MAX + 256];

	if (!argument && !reader_newest(wish->path, sizeof(wish->path), error, sizeof(error)))
		return command_fail(wish->input.command, "%s", error);
	if (argument && strlen(argument) >= sizeof(wish->path))
		return command_fail(wish->input.command, "%s: %s", argument,
		                    strerror(ENAMETOOLONG));
	if (argument)
		strcpy(wish->path, argument);
	return 0;
}

static const char *print_time(char *buf, size_t size, uint64_t real_ns)
{
	struct text text = text_on(buf, size);

	text_time(&text, real_ns);
	return buf;
}

/* ---- to print them ---- */

static void print_set(const struct ruleset *set)
{
	char words[RULE_PRINT_MAX], place[RULE_PLACE_MAX];

	for (uint32_t i = 0; i < set->rules->count; i++) {
		const struct rule *rule = &set->rules->rule[i];
		uint64_t matched = atomic_load(&rule->matched);

		printf("%s  # %s%s; %s\n", rule_words(words, set->rules, rule),
		       matched ? "matched " : "never matched",
		       matched ? word_count(matched, "time") : "",
		       rule_place(place, set->rules, rule));
	}
}

static int print_rules(const struct wish *wish, struct reader *reader)
{
	const struct rulesets *sets = reader_rules(reader);
	const struct ruleset *set = sets->count ? &sets->set[sets->count - 1] : NULL;
	char since[TIME_MAX];

	if (!set && sets->damaged)
		return command_fail(wish->input.command, "the rules of %s are damaged", wish->path);
	if (set && set->rules->count > 0) {
		printf("# %s in force since %s in %s\n", word_count(set->rules->count, "rule"),
		       print_time(since, sizeof(since), set->since_ns),
		       word_text(wish->path, strlen(wish->path)));
		print_set(set);
	} else {
		printf("# no rules in %s\n", word_text(wish->path, strlen(wish->path)));
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(wish->input.command, "cannot write: %s", strerror(errno));
	return 0;
}

/* ---- to replace them ---- */

static uint64_t time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* No process has come up yet, but who made the session is there: `tcpshim run`. */
static bool is_beginning(const struct wish *wish, struct reader *reader)
{
	struct session_header *header;
	struct source source;
	const char *problem;
	bool is_there = false;

	if (reader_process_count(reader) > 0 || source_open(&source, AT_FDCWD, wish->path) != 0)
		return false;
	header = source_header(&source, &problem);
	if (header)
		is_there = find_is_running(header->creator_pid, header->real_ns);
	free(header);
	source_close(&source);
	return is_there;
}

static int put_in_force(const struct wish *wish, struct rules *rules)
{
	char error[PATH_MAX + 256], since[TIME_MAX];

	if (!replace_rules(wish->path, rules, error, sizeof(error)))
		return command_fail(wish->input.command, "%s", error);
	printf("%s in force since %s in %s\n",
	       rules->count ? word_count(rules->count, "rule") : "no rules",
	       print_time(since, sizeof(since), time_now()),
	       word_text(wish->path, strlen(wish->path)));
	return 0;
}

static int replace(struct wish *wish, bool is_live)
{
	const struct command *self = wish->input.command;
	struct rules *rules;
	int status;

	if (wish->clears)
		rules_input_ask(&wish->input, RULES_WORDS, "");
	status = rules_input_load(&wish->input, &rules);
	if (status != 0)
		command_fail(self, "the rules in force in %s are unchanged", wish->path);
	else if (!is_live)
		status = command_fail(self, "the session %s has ended", wish->path);
	else
		status = put_in_force(wish, rules);
	free(rules);
	return status;
}

static int act(struct wish *wish, const char *argument)
{
	char error[PATH_MAX + 256];
	struct reader *reader;
	int status;

	if (find_session(wish, argument) != 0)
		return EXIT_TCPSHIM;
	reader = reader_open(wish->path, error, sizeof(error));
	if (!reader)
		return command_fail(wish->input.command, "%s", error);
	if (wish->input.asked_count > 0 || wish->clears)
		status = replace(wish, reader_is_live(reader) || is_beginning(wish, reader));
	else
		status = print_rules(wish, reader);
	reader_close(reader);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	static struct wish wish;
	int end, status;

	wish = (struct wish){.input = {.command = self}};
	end = read_options(&wish, argc, argv);
	if (end == OPTIONS_END)
		status = act(&wish, optind < argc ? argv[optind] : NULL);
	else
		status = end == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	rules_input_free(&wish.input);
	return status;
}

const struct command cmd_rules = {
        .name = "rules",
        .usage = "[SESSION] [--clear | [-f FILE]... [-r RULE]...]",
        .summary = "print the rules in force in a session, or replace them while it runs",
        .options = options,
        .run = run,
};
