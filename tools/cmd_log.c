/* SPDX-License-Identifier: MIT */
/* cmd_log.c - tcpshim log: the events of a session, one a line. */
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/names.h"
#include "core/text.h"
#include "tools/cmd.h"
#include "tools/csv.h"
#include "tools/filter.h"
#include "tools/options.h"
#include "tools/reader.h"
#include "tools/show.h"

enum { LOOK_EVERY_MS = 100, OUT_BUFFER = 1 << 16, LINE_MAX_BYTES = 8192 };

_Static_assert(LINE_MAX_BYTES >= (int)SHOW_LINE_MAX && LINE_MAX_BYTES >= (int)CSV_LINE_MAX &&
                       LINE_MAX_BYTES >= (int)EVENT_JSON_MAX,
               "a line of any kind fits");

enum {
	OPTION_FOLLOW,
	OPTION_JSON,
	OPTION_CSV,
	OPTION_CALL,
	OPTION_PROCESS,
	OPTION_PID,
	OPTION_PORT,
	OPTION_ADDRESS,
	OPTION_FAILURES,
	OPTION_VERDICT,
	OPTION_RULE,
};

static const struct option_help options[] = {
        [OPTION_FOLLOW] = {"-f, --follow", "go on until every process of the session has ended"},
        [OPTION_JSON] = {"--json", "one JSON object a line"},
        [OPTION_CSV] = {"--csv", "comma-separated values, with a line of names first"},
        [OPTION_CALL] = {"--call NAME[,NAME]...",
                         "these calls only: socket, accept, ...; ? lists them"},
        [OPTION_PROCESS] = {"--process NAME", "programs of this name only; * and ? stand for any"},
        [OPTION_PID] = {"--pid N", "this process only"},
        [OPTION_PORT] = {"--port N", "this port only, local, remote or asked for"},
        [OPTION_ADDRESS] = {"--address ADDR[/PREFIX]",
                            "these addresses only, local, remote or asked for"},
        [OPTION_FAILURES] = {"--failures", "calls that failed only"},
        [OPTION_VERDICT] = {"--verdict NAME[,NAME]...",
                            "calls only that a rule denied, moved, assigned, ...; ? lists them"},
        [OPTION_RULE] = {"--rule N", "calls only that this rule has decided"},
        {NULL, NULL},
};

struct log {
	const struct command *command;
	bool follows, is_json, is_csv;
	struct filter filter;
	struct show show;
	const char *path;
};

static int bad_value(const struct log *log, int option, const char *value, const char *wanted)
{
	command_fail(log->command, "%s: %s is not %s", options[option].option, value, wanted);
	return OPTIONS_BAD;
}

static int set_calls(struct log *log, const char *names)
{
	static const char known[] =
#define X(name, text) " " text
	        OP_LIST(X);
#undef X
	const char *bad;
	int bad_len;

	if (filter_set_calls(&log->filter, names, &bad, &bad_len))
		return 0;
	command_fail(log->command, "there is no call '%.*s', but:%s", bad_len, bad, known);
	return OPTIONS_BAD;
}

static int set_verdicts(struct log *log, const char *names)
{
	char known[128];
	struct text text = text_on(known, sizeof(known));
	const char *bad;
	int bad_len;

	if (filter_set_verdicts(&log->filter, names, &bad, &bad_len))
		return 0;
	for (unsigned i = VERDICT_PASSED; i <= VERDICT_DELAYED; i++) {
		text_char(&text, ' ');
		text_put(&text, name_verdict((enum verdict_kind)i));
	}
	command_fail(log->command, "there is no verdict '%.*s', but:%s", bad_len, bad, known);
	return OPTIONS_BAD;
}

/* Returns 0, or OPTIONS_BAD. */
static int set_option(struct log *log, int option)
{
	switch (option) {
	case OPTION_FOLLOW:
		log->follows = true;
		return 0;
	case OPTION_JSON:
		log->is_json = true;
		return 0;
	case OPTION_CSV:
		log->is_csv = true;
		return 0;
	case OPTION_CALL:
		return set_calls(log, optarg);
	case OPTION_PROCESS:
		log->filter.process = optarg;
		return 0;
	case OPTION_VERDICT:
		return set_verdicts(log, optarg);
	case OPTION_RULE:
		return filter_set_rule(&log->filter, optarg)
		               ? 0
		               : bad_value(log, option, optarg, "the number of a rule");
	case OPTION_PID:
		return filter_set_pid(&log->filter, optarg)
		               ? 0
		               : bad_value(log, option, optarg, "a process id");
	case OPTION_PORT:
		return filter_set_port(&log->filter, optarg)
		               ? 0
		               : bad_value(log, option, optarg, "a port");
	case OPTION_ADDRESS:
		return filter_set_address(&log->filter, optarg)
		               ? 0
		               : bad_value(log, option, optarg, "an address or prefix");
	default: /* OPTION_FAILURES */
		log->filter.failures = true;
		return 0;
	}
}

/* Returns OPTIONS_END, HELP or BAD. */
static int read_options(struct log *log, int argc, char **argv)
{
	int option;

	while ((option = options_next(log->command, argc, argv, true)) >= 0) {
		if (set_option(log, option) != 0)
			return OPTIONS_BAD;
	}
	if (option != OPTIONS_END)
		return option;
	if (log->is_json && log->is_csv)
		command_fail(log->command, "--json or --csv, not both");
	else if (argc - optind > 1)
		command_fail(log->command, "one session at a time: what is '%s'?",
		             argv[optind + 1]);
	else
		return OPTIONS_END;
	return OPTIONS_BAD;
}

static void print_event(struct log *log, const struct event *event)
{
	char line[LINE_MAX_BYTES];
	size_t len;

	if (!filter_passes(&log->filter, event))
		return;
	if (log->is_json)
		len = event_json(line, sizeof(line), event);
	else if (log->is_csv)
		len = csv_line(line, event);
	else
		len = show_line(line, event, &log->show);
	fwrite(line, 1, len, stdout);
}

static void print_new(struct log *log, struct reader *reader)
{
	struct event event;

	while (!ferror(stdout) && reader_next(reader, &event))
		print_event(log, &event);
	fflush(stdout);
}

static void print_all(struct log *log, struct reader *reader)
{
	static const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000};
	bool is_live = log->follows;

	if (log->is_csv)
		fputs(csv_head, stdout);
	print_new(log, reader);
	while (is_live && !ferror(stdout)) {
		is_live = reader_is_live(reader);
		if (is_live)
			nanosleep(&pause, NULL);
		reader_refresh(reader); /* also when all have ended: for their last words */
		print_new(log, reader);
		is_live = is_live || reader_is_live(reader);
	}
}

static void print_losses(struct reader *reader)
{
	struct reader_info info;

	reader_info(reader, &info);
	if (info.events_dropped)
		fprintf(stderr,
		        "tcpshim log: %" PRIu64
		        " events are missing: the session or its disk was full\n",
		        info.events_dropped);
	if (info.processes_dropped)
		fprintf(stderr, "tcpshim log: %" PRIu64 " processes had no room in the session\n",
		        info.processes_dropped);
	if (info.peers_dropped)
		fprintf(stderr, "tcpshim log: %" PRIu64 " UDP peers were too many to record\n",
		        info.peers_dropped);
	if (info.damaged)
		fprintf(stderr,
		        "tcpshim log: the session is damaged: %" PRIu64
		        " places make no sense and were passed over\n",
		        info.damaged);
}

static bool wants_colours(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) && term &&
	       strcmp(term, "dumb") != 0;
}

static int print_session(struct log *log, const char *path)
{
	static char buffer[OUT_BUFFER];
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(path, error, sizeof(error));

	if (!reader)
		return command_fail(log->command, "%s", error);
	log->show.has_colours = wants_colours();
	signal(SIGPIPE, SIG_DFL); /* `log | head` ends quietly, whoever started us */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	print_all(log, reader);
	print_losses(reader);
	reader_close(reader);
	return ferror(stdout) ? command_fail(log->command, "cannot write the output") : 0;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct log log = {.command = self};
	char newest[PATH_MAX], error[PATH_MAX + 256];
	int end = read_options(&log, argc, argv);

	if (end != OPTIONS_END)
		return end == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	if (optind < argc)
		return print_session(&log, argv[optind]);
	if (!reader_newest(newest, sizeof(newest), error, sizeof(error)))
		return command_fail(self, "%s", error);
	return print_session(&log, newest);
}

const struct command cmd_log = {
        .name = "log",
        .usage = "[-f] [--json|--csv] [FILTER]... [SESSION]",
        .summary = "print the events of a session, one a line; by default of the newest session",
        .options = options,
        .run = run,
};
