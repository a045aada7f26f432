/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. */
#include "tools/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tools/reader.h"

enum { OPTIONS_MAX = 32, NAME_SIZE = 32, LONG_AT = 256, HELP_AT = LONG_AT + OPTIONS_MAX };

/* What getopt_long(3) asks for. */
struct getopt_table {
	char shorts[3 + 2 * OPTIONS_MAX];
	struct option longs[OPTIONS_MAX + 2];
	char names[OPTIONS_MAX][NAME_SIZE];
	int count;
};

/* Add "-x, --name VALUE": a letter, a name, or both; and perhaps a value. */
static void add_option(struct getopt_table *table, const char *text)
{
	char *name = table->names[table->count];
	const char *dashes = strstr(text, "--");
	bool has_letter = text[0] == '-' && text[1] != '-';
	size_t at = strlen(table->shorts), len = dashes ? strcspn(dashes + 2, " ") : 0;
	bool has_value = strchr(dashes ? dashes : text, ' ') != NULL;

	if (len >= NAME_SIZE)
		len = NAME_SIZE - 1;
	if (len > 0)
		memcpy(name, dashes + 2, len);
	if (has_letter) {
		table->shorts[at] = text[1];
		table->shorts[at + 1] = has_value ? ':' : '\0';
	}
	table->longs[table->count] = (struct option){
	        name, has_value ? required_argument : no_argument, NULL, LONG_AT + table->count};
	table->count++;
}

static void build(struct getopt_table *table, const struct command *command, bool mixed)
{
	/* "+": stop at the first argument; ":": tell a missing value apart */
	*table = (struct getopt_table){.count = 0};
	strcpy(table->shorts, mixed ? ":h" : "+:h");
	for (const struct option_help *row = command->options; row->option; row++) {
		if (table->count < OPTIONS_MAX)
			add_option(table, row->option);
	}
	table->longs[table->count] = (struct option){"help", no_argument, NULL, HELP_AT};
}

static int find_letter(const struct command *command, int letter)
{
	for (int i = 0; command->options[i].option; i++) {
		if (command->options[i].option[0] == '-' && command->options[i].option[1] == letter)
			return i;
	}
	return OPTIONS_BAD;
}

/* Say what is wrong with the option that getopt_long stopped at. */
static int say_bad(const struct command *command, int argc, char **argv, int found)
{
	char letter[] = {'-', (char)optopt, '\0'};
	const char *word = optopt > 0 && optopt < LONG_AT ? letter
	                   : optind > 0 && optind <= argc ? argv[optind - 1]
	                                                  : "";

	if (found == ':')
		command_fail(command, "option %s needs a value", word);
	else if (optopt >= LONG_AT)
		command_fail(command, "option %.*s takes no value", (int)strcspn(word, "="), word);
	else
		command_fail(command, "unknown option %s; try 'tcpshim %s --help'", word,
		             command->name);
	return OPTIONS_BAD;
}

int options_next(const struct command *command, int argc, char **argv, bool mixed)
{
	struct getopt_table table;
	int found;

	build(&table, command, mixed);
	opterr = 0;
	found = getopt_long(argc, argv, table.shorts, table.longs, NULL);
	if (found == -1)
		return OPTIONS_END;
	if (found == ':' || found == '?')
		return say_bad(command, argc, argv, found);
	if (found == 'h' || found == HELP_AT) {
		command_help(command);
		return OPTIONS_HELP;
	}
	return found >= LONG_AT ? found - LONG_AT : find_letter(command, found);
}

struct reader *options_session(const struct command *command, int argc, char **argv)
{
	char newest[PATH_MAX], error[PATH_MAX + 256];
	struct reader *reader = NULL;

	if (argc - optind > 1) {
		command_fail(command, "one session at a time: what is '%s'?", argv[optind + 1]);
		return NULL;
	}
	if (argc > optind)
		reader = reader_open(argv[optind], error, sizeof(error));
	else if (reader_newest(newest, sizeof(newest), error, sizeof(error)))
		reader = reader_open(newest, error, sizeof(error));
	if (!reader)
		command_fail(command, "%s", error);
	return reader;
}
