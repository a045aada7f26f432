/* SPDX-License-Identifier: MIT */
/* cmd.h - one subcommand, one file: what tcpshim.c's table and the commands share. */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

/* Exit statuses of tcpshim itself (env(1) has 125 to 127). */
enum { EXIT_TCPSHIM = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

struct option_help {
	const char *option; /* "-o, --output SESSION" */
	const char *help;
};

struct command {
	const char *name, *usage, *summary;
	const struct option_help *options; /* ends with a NULL option */
	int (*run)(const struct command *self, int argc,
	           char **argv); /* argv[0] is the subcommand; returns the exit status */
};

extern const struct command cmd_run, cmd_check, cmd_explain, cmd_log, cmd_report, cmd_rules;
extern const struct command cmd_suggest, cmd_diff, cmd_sweep;

/* Print a command's --help, from the table, to stdout. */
void command_help(const struct command *command);

/* Print "tcpshim NAME: message" to stderr. Returns EXIT_TCPSHIM. */
__attribute__((format(printf, 2, 3))) int command_fail(const struct command *command,
                                                       const char *format, ...);

#endif
