/* SPDX-License-Identifier: MIT */
/* tcpshim.c - the command line: a table of subcommands, and their help. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/cmd.h"

int main(int argc, char **argv);

static const struct command *const commands[] = {&cmd_run,     &cmd_check,  &cmd_explain,
                                                 &cmd_log,     &cmd_report, &cmd_rules,
                                                 &cmd_suggest, &cmd_diff,   &cmd_sweep};

enum { COMMANDS = sizeof(commands) / sizeof(*commands), OPTION_WIDTH = 24 };

static const struct command *find_command(const char *name)
{
	for (int i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

static void print_option(const char *option, const char *help)
{
	bool is_long = strlen(option) > OPTION_WIDTH;

	printf("  %-*s%s", OPTION_WIDTH, option, is_long ? "\n" : "  ");
	if (is_long)
		printf("  %-*s  ", OPTION_WIDTH, "");
	puts(help);
}

void command_help(const struct command *command)
{
	printf("Usage: tcpshim %s %s\n%s\n\n", command->name, command->usage, command->summary);
	for (const struct option_help *row = command->options; row->option; row++)
		print_option(row->option, row->help);
	print_option("-h, --help", "print this and exit");
}

int command_fail(const struct command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "tcpshim %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_TCPSHIM;
}

static void print_usage(FILE *out)
{
	fputs("Usage: tcpshim COMMAND [OPTION]... [ARGUMENT]...\n"
	      "Shows which ports and tuples an unmodified program uses, and decides which it "
	      "may.\n\n",
	      out);
	for (int i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n'tcpshim COMMAND --help' explains a command; 'tcpshim --version' prints the "
	      "version.\n",
	      out);
}

static int unknown(const char *name)
{
	fprintf(stderr, "tcpshim: unknown command '%s'\n", name);
	print_usage(stderr);
	return EXIT_TCPSHIM;
}

/* tcpshim help [COMMAND] */
static int help(const char *name)
{
	const struct command *command = name ? find_command(name) : NULL;

	if (name && !command)
		return unknown(name);
	if (command)
		command_help(command);
	else
		print_usage(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const struct command *command = find_command(name);

	if (command)
		return command->run(command, argc - 1, argv + 1);
	if (strcmp(name, "--version") == 0)
		return puts("tcpshim " VERSION) < 0;
	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	if (name[0] != '\0')
		return unknown(name);
	print_usage(stderr);
	return EXIT_TCPSHIM;
}
