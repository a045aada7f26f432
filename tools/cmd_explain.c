/* SPDX-License-Identifier: MIT */
/* cmd_explain.c - tcpshim explain: what would happen to a call, and which rule says so.
 * It is the very engine that is asked. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/call_text.h"
#include "tools/cmd.h"
#include "tools/explain.h"
#include "tools/memory.h"
#include "tools/options.h"
#include "tools/reader.h"
#include "tools/rules_input.h"

enum { EXIT_DENIED = 3 };

enum { OPTION_FILE, OPTION_RULE, OPTION_SESSION, OPTION_IN, OPTION_VERBOSE };

static const struct option_help options[] = {
        [OPTION_FILE] = {"-f, --file FILE", "rules from a file; - is stdin"},
        [OPTION_RULE] = {"-r, --rule RULE", "a rule, or several with ; between them"},
        [OPTION_SESSION] = {"--session SESSION", "the rules in force of a session"},
        [OPTION_IN] = {"--in PROGRAM", "the name or path of the program that makes the call"},
        [OPTION_VERBOSE] = {"-v, --verbose",
                            "why each rule before does not match, also those for other calls"},
        {NULL, NULL},
};

struct wish {
	struct rules_input input;
	const char *session, *program;
	bool shows_all;
	struct rules *rules;
};

static void set_option(struct wish *wish, int option)
{
	switch (option) {
	case OPTION_FILE:
		rules_input_ask(&wish->input, RULES_FILE, optarg);
		break;
	case OPTION_RULE:
		rules_input_ask(&wish->input, RULES_WORDS, optarg);
		break;
	case OPTION_SESSION:
		wish->session = optarg;
		break;
	case OPTION_IN:
		wish->program = optarg;
		break;
	default: /* OPTION_VERBOSE */
		wish->shows_all = true;
		break;
	}
}

/* Returns OPTIONS_END, HELP or BAD. */
static int read_options(struct wish *wish, int argc, char **argv)
{
	const struct command *self = wish->input.command;
	int option;

	while ((option = options_next(self, argc, argv, true)) >= 0)
		set_option(wish, option);
	if (option != OPTIONS_END)
		return option;
	if (wish->session && wish->input.asked_count > 0)
		command_fail(self, "rules, or those of a session: not both");
	else if (optind == argc)
		command_fail(self, "which call? For example 'connect tcp 10.0.0.5:5432'");
	else
		return OPTIONS_END;
	return OPTIONS_BAD;
}

/* A copy of the rules in force of a session. */
static int load_session(struct wish *wish)
{
	const struct command *self = wish->input.command;
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(wish->session, error, sizeof(error));
	const struct rulesets *sets;
	int status = 0;

	if (!reader)
		return command_fail(self, "%s", error);
	sets = reader_rules(reader);
	if (sets->count == 0) {
		status = command_fail(self, "%s has no rules%s", wish->session,
		                      sets->damaged ? " that make sense" : "");
	} else {
		const struct rules *rules = sets->set[sets->count - 1].rules;

		wish->rules = aligned_alloc(64, (rules->bytes + 63) / 64 * 64);
		if (!wish->rules)
			memory_gone();
		memcpy(wish->rules, rules, rules->bytes);
	}
	reader_close(reader);
	return status;
}

static int load_rules(struct wish *wish)
{
	struct rules_input *input = &wish->input;

	if (wish->session)
		return load_session(wish);
	if (input->asked_count == 0)
		rules_input_ask_environment(input);
	if (input->asked_count == 0)
		return command_fail(input->command,
		                    "which rules? Give -f FILE, -r RULE or --session SESSION, or "
		                    "set TCPSHIM_RULES or TCPSHIM_RULES_FILE");
	return rules_input_load(input, &wish->rules);
}

/* Shell words that were not quoted are one call. */
static char *join(int argc, char **argv)
{
	size_t size = 1;
	char *text;

	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	text = memory_new(size);
	for (int i = 0; i < argc; i++) {
		strcat(text, i ? " " : "");
		strcat(text, argv[i]);
	}
	return text;
}

static bool are_words(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strpbrk(argv[i], " \t\n"))
			return false;
	return true;
}

/* Explain the calls. Returns the exit status. */
static int explain_all(const struct explain *explain, const struct command *self, char **calls,
                       int count)
{
	struct call_text call_text;
	int status = 0;

	for (int i = 0; i < count; i++) {
		if (!call_text_read(&call_text, calls[i]))
			return command_fail(self, "%s", call_text.error);
		if (explain_call(explain, calls[i], &call_text.call))
			status = EXIT_DENIED;
	}
	return status;
}

static int explain_wish(const struct wish *wish, int argc, char **argv)
{
	struct sock sock = {.word = 0};
	struct asked asked;
	struct engine engine = {.sockets = {.at = &sock, .capacity = 1, .asked = &asked}};
	struct host host = host_look();
	struct explain explain = {
	        .engine = &engine,
	        .rules = wish->rules,
	        .host = &host,
	        .shows_all = wish->shows_all,
	        .out = stdout,
	};
	const char *program = wish->program ? wish->program : "", *slash = strrchr(program, '/');
	char *joined = join(argc, argv);
	bool is_one = are_words(argc, argv);
	int status;

	engine.program = program;
	engine.name = slash ? slash + 1 : program;
	engine_set_rules(&engine, wish->rules);
	status = explain_all(&explain, wish->input.command, is_one ? &joined : argv,
	                     is_one ? 1 : argc);
	free(joined);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(wish->input.command, "cannot write: %s", strerror(errno));
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct wish wish = {.input = {.command = self, .is_quiet = true}};
	int end = read_options(&wish, argc, argv), status;

	if (end != OPTIONS_END)
		status = end == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	else
		status = load_rules(&wish);
	if (end == OPTIONS_END && status == 0)
		status = explain_wish(&wish, argc - optind, argv + optind);
	free(wish.rules);
	rules_input_free(&wish.input);
	return status;
}

const struct command cmd_explain = {
        .name = "explain",
        .usage = "[-f FILE]... [-r RULE]... [--in PROGRAM] 'CALL PROTO [ENDPOINT]'...",
        .summary = "what would happen to a call, and which rule says so",
        .options = options,
        .run = run,
};
