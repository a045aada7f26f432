/* SPDX-License-Identifier: MIT */
/* cmd_report.c - tcpshim report: what a session adds up to. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/cmd.h"
#include "tools/options.h"
#include "tools/report.h"

enum { OPTION_JSON };

static const struct option_help options[] = {
        [OPTION_JSON] = {"--json", "the same as one JSON object"},
        {NULL, NULL},
};

/* See https://no-color.org: any value but an empty one. */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no && *no);
}

static int print_report(const struct command *self, struct reader *reader, bool is_json)
{
	struct report report = report_of(reader);
	bool is_good = true;

	if (is_json)
		is_good = report_json(&report, stdout);
	else
		report_text(&report, stdout, wants_colour());
	report_free(&report);
	if (!is_good || fflush(stdout) != 0 || ferror(stdout))
		return command_fail(self, "cannot write: %s", strerror(errno));
	return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct reader *reader;
	bool is_json = false;
	int option, status;

	while ((option = options_next(self, argc, argv, true)) == OPTION_JSON)
		is_json = true;
	if (option != OPTIONS_END)
		return option == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	reader = options_session(self, argc, argv);
	if (!reader)
		return EXIT_TCPSHIM;
	status = print_report(self, reader, is_json);
	reader_close(reader);
	return status;
}

const struct command cmd_report = {
        .name = "report",
        .usage = "[--json] [SESSION]",
        .summary = "what a session adds up to: ports, destinations, findings",
        .options = options,
        .run = run,
};
