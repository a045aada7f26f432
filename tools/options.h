/* SPDX-License-Identifier: MIT */
/* options.h - reads a subcommand's options by the table that its --help prints. */
#ifndef TOOLS_OPTIONS_H
#define TOOLS_OPTIONS_H

#include <stdbool.h>

#include "tools/cmd.h"

enum {
	OPTIONS_END = -1,  /* none is left; the arguments begin at optind */
	OPTIONS_HELP = -2, /* --help: printed */
	OPTIONS_BAD = -3,  /* an unknown option, or no argument where one is needed: said */
};

/* The next option: its place in command->options, or one of the above. Its
 * argument is in optarg. "-x, --name" takes none, "--name VALUE" takes one.
 * Every command has -h, --help; its table leaves it out. mixed: options may stand
 * behind arguments too. */
int options_next(const struct command *command, int argc, char **argv, bool mixed);

/* The one session that the arguments behind the options name, or the newest, opened.
 * Returns NULL if there is none, or more than one: said. */
struct reader;
struct reader *options_session(const struct command *command, int argc, char **argv);

#endif
