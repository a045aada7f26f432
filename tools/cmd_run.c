/* SPDX-License-Identifier: MIT */
/* cmd_run.c - tcpshim run: a program with the library in it, its session and,
 * when it has ended, a few lines about that. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/names.h"
#include "tools/cmd.h"
#include "tools/create.h"
#include "tools/launch.h"
#include "tools/library.h"
#include "tools/options.h"
#include "tools/program.h"
#include "tools/replay.h"
#include "tools/report.h"
#include "tools/rules_input.h"
#include "tools/summary.h"
#include "tools/wording.h"

enum {
	OPTION_FILE,
	OPTION_RULE,
	OPTION_OUTPUT,
	OPTION_CAPACITY,
	OPTION_SEED,
	OPTION_REPLAY,
	OPTION_QUIET,
	OPTION_STRICT,
};

static const struct option_help options[] = {
        [OPTION_FILE] = {"-f, --file FILE", "rules from a file; - is stdin"},
        [OPTION_RULE] = {"-r, --rule RULE", "a rule, or several with ; between them"},
        [OPTION_OUTPUT] = {"-o, --output SESSION",
                           "the session file to make; it must not exist yet"},
        [OPTION_CAPACITY] = {"--capacity EVENTS", "room for this many events (8388608)"},
        [OPTION_SEED] = {"--seed N", "what chance is drawn from, to repeat a run"},
        [OPTION_REPLAY] = {"--replay SESSION",
                           "the seed and the first rules of that session again"},
        [OPTION_QUIET] = {"-q, --quiet", "no summary at the end, no warnings"},
        [OPTION_STRICT] = {"--strict",
                           "exit with 3 if a rule denied something, 4 if one that fails or delays "
                           "calls never did, 5 if a process could not be seen"},
        {NULL, NULL},
};

struct run {
	const struct command *command;
	const char *output; /* or NULL */
	const char *replay; /* a session; or NULL */
	bool has_rules;     /* of the command line */
	struct create create;
	struct rules_input input;
	bool is_strict;
	bool is_out_of_reach; /* known before it ran, and said */
	char **argv;          /* of the program */
	char library[LIBRARY_MAX], session[PATH_MAX];
};

static int set_capacity(struct run *run, const char *text)
{
	char *end;

	errno = 0;
	run->create.events = strtoull(text, &end, 10);
	if (!errno && end != text && !*end && text[0] != '-' &&
	    run->create.events >= SESSION_EVENTS_MIN && run->create.events <= SESSION_EVENTS_MAX)
		return 0;
	return command_fail(run->command,
	                    "--capacity %s: a number of events from %d to %d is needed", text,
	                    SESSION_EVENTS_MIN, SESSION_EVENTS_MAX);
}

/* Decimal, or 0x and hexadecimal. */
static int set_seed(struct run *run, const char *name, const char *text)
{
	bool is_hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = text + (is_hex ? 2 : 0);
	char *end;

	errno = 0;
	run->create.seed = strtoull(digits, &end, is_hex ? 16 : 10);
	run->create.has_seed = true;
	if (!errno && !*end && isxdigit((unsigned char)digits[0]))
		return 0;
	return command_fail(run->command, "%s %s: a number of 64 bits is needed", name, text);
}

static int set_option(struct run *run, int option)
{
	switch (option) {
	case OPTION_FILE:
		run->has_rules = true;
		rules_input_ask(&run->input, RULES_FILE, optarg);
		return 0;
	case OPTION_RULE:
		run->has_rules = true;
		rules_input_ask(&run->input, RULES_WORDS, optarg);
		return 0;
	case OPTION_SEED:
		return set_seed(run, "--seed", optarg);
	case OPTION_REPLAY:
		run->replay = optarg;
		return 0;
	case OPTION_OUTPUT:
		run->output = optarg;
		return 0;
	case OPTION_CAPACITY:
		return set_capacity(run, optarg);
	case OPTION_QUIET:
		run->input.is_quiet = true;
		return 0;
	default: /* OPTION_STRICT */
		run->is_strict = true;
		return 0;
	}
}

/* Returns OPTIONS_END, or OPTIONS_HELP or OPTIONS_BAD. */
static int read_options(struct run *run, int argc, char **argv)
{
	int option;

	while ((option = options_next(run->command, argc, argv, false)) >= 0)
		if (set_option(run, option) != 0)
			return OPTIONS_BAD;
	if (option != OPTIONS_END)
		return option;
	if (run->replay && (run->has_rules || run->create.has_seed)) {
		command_fail(run->command, "--replay takes the %s of a session, no other",
		             run->has_rules ? "rules" : "seed");
		return OPTIONS_BAD;
	}
	if (optind == argc) {
		command_fail(run->command, "which program? See 'tcpshim run --help'");
		return OPTIONS_BAD;
	}
	run->argv = argv + optind;
	return OPTIONS_END;
}

/* The program may change its directory: it is told the whole path. */
static int make_session(struct run *run)
{
	char dir[PATH_MAX];
	int error = 0, len;

	if (!run->output) {
		error = create_default_path(run->session, sizeof(run->session), run->argv[0]);
	} else {
		bool is_absolute = run->output[0] == '/';

		if (!is_absolute && !getcwd(dir, sizeof(dir)))
			return command_fail(run->command, "cannot tell the current directory: %s",
			                    strerror(errno));
		len = snprintf(run->session, sizeof(run->session), "%s%s%s", is_absolute ? "" : dir,
		               is_absolute ? "" : "/", run->output);
		error = len < (int)sizeof(run->session) ? 0 : -ENAMETOOLONG;
	}
	if (!error)
		error = create_session(run->session, &run->create);
	if (error == -E2BIG)
		return command_fail(run->command,
		                    "the rules take %s KiB: there is no room for them in the "
		                    "session (see ulimit -f)",
		                    word_number(run->create.rules->bytes / 1024));
	if (error)
		return command_fail(run->command, "cannot make the session %s: %s", run->session,
		                    strerror(-error));
	return 0;
}

/* What follows for a program that the library does not reach. */
static const char *lawless(const struct run *run)
{
	return run->create.rules ? "; the rules do not hold for it" : "";
}

/* Before it runs: is it of a kind that no preload reaches? Says so. */
static bool is_out_of_reach(const struct run *run)
{
	char path[PATH_MAX], judged[PATH_MAX];
	enum coverage coverage;

	if (!program_find(run->argv[0], path))
		return false; /* exec will say it */
	coverage = program_coverage(path, getuid(), getgid(), judged);
	if (coverage == COVERAGE_SEEN)
		return false;
	fprintf(stderr, "tcpshim: %s cannot be seen: %s%s\n", word_text(judged, strlen(judged)),
	        name_coverage_reason(coverage), lawless(run));
	return true;
}

static int exec_failed(const struct run *run, int error)
{
	unlink(run->session); /* nothing is in it */
	command_fail(run->command, "cannot run %s: %s", run->argv[0], strerror(error));
	return error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

static bool has_pid(struct reader *reader, pid_t pid)
{
	struct reader_process process;

	for (uint32_t slot = 1; slot <= reader_process_count(reader); slot++)
		if (reader_process(reader, slot, &process) && process.pid == (uint32_t)pid)
			return true;
	return false;
}

/* After the program has ended. Returns the exit status. */
static int look_back(const struct run *run, pid_t pid, int status)
{
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(run->session, error, sizeof(error));
	struct report report;
	bool is_missing;

	if (!reader) {
		fprintf(stderr, "tcpshim: %s\n", error);
		return run->is_strict ? summary_judge(NULL, true, status) : status;
	}
	is_missing = !has_pid(reader, pid);
	if (is_missing && !run->is_out_of_reach)
		fprintf(stderr, "tcpshim: %s was not seen: the library did not come up in it%s\n",
		        word_text(run->argv[0], strlen(run->argv[0])), lawless(run));
	if (!run->input.is_quiet || run->is_strict) {
		report = report_of(reader);
		if (!run->input.is_quiet)
			summary_print(&report, run->session);
		if (run->is_strict)
			status = summary_judge(&report, is_missing, status);
		report_free(&report);
	}
	reader_close(reader);
	return status;
}

/* What the environment asks for does not count. */
static int load_replay(struct run *run)
{
	struct replay replay;

	if (replay_read(&replay, run->command, run->replay) != 0)
		return EXIT_TCPSHIM;
	run->create.rules = replay.rules;
	run->create.seed = replay.seed;
	run->create.has_seed = true;
	if (replay.has_more && !run->input.is_quiet)
		fprintf(stderr,
		        "tcpshim: the rules of %s were changed while it ran; those it began with "
		        "are taken\n",
		        word_text(run->replay, strlen(run->replay)));
	return 0;
}

/* The rules, and the seed of the environment if the command line gives none. */
static int load_rules(struct run *run)
{
	const char *seed = getenv("TCPSHIM_SEED");

	if (run->replay)
		return load_replay(run);
	if (!run->create.has_seed && seed && *seed && set_seed(run, "TCPSHIM_SEED", seed) != 0)
		return EXIT_TCPSHIM;
	if (rules_input_load(&run->input, &run->create.rules) != 0)
		return EXIT_TCPSHIM;
	if (!run->create.rules)
		return 0;
	if (run->create.rules->count == 0) { /* asked for, but none: a run as any other */
		free(run->create.rules);
		run->create.rules = NULL;
	}
	return 0;
}

static int run_program(struct run *run)
{
	struct launch launch;
	int error;

	if (load_rules(run) != 0 || library_find(run->command, run->library) != 0 ||
	    make_session(run) != 0)
		return EXIT_TCPSHIM;
	run->is_out_of_reach = is_out_of_reach(run);
	error = launch_start(&launch, run->argv, run->library, run->session);
	if (error)
		return exec_failed(run, -error);
	return look_back(run, launch.pid, launch_wait(&launch));
}

static int run(const struct command *self, int argc, char **argv)
{
	struct run run = {
	        .command = self,
	        .create = {.events = SESSION_EVENTS_DEFAULT},
	        .input = {.command = self},
	};
	int end, status;

	rules_input_ask_environment(&run.input);
	end = read_options(&run, argc, argv);
	if (end == OPTIONS_END)
		status = run_program(&run);
	else
		status = end == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	free(run.create.rules);
	rules_input_free(&run.input);
	return status;
}

const struct command cmd_run = {
        .name = "run",
        .usage = "[OPTION]... [--] PROGRAM [ARGUMENT]...",
        .summary = "run a program under rules, and record every port and tuple that it uses",
        .options = options,
        .run = run,
};
