/* SPDX-License-Identifier: MIT */
/* cmd_suggest.c - tcpshim suggest: the least policy that allows what a session did. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

#include "tools/cmd.h"
#include "tools/options.h"
#include "tools/suggest.h"
#include "tools/wording.h"

enum { OPTION_AS, OPTION_PER_PROGRAM };

static const struct option_help options[] = {
        [OPTION_AS] = {"--as FORM", "rules (default), systemd or nft"},
        [OPTION_PER_PROGRAM] = {"--per-program", "rules that hold for one program each"},
        {NULL, NULL},
};

struct form {
	const char *name;
	void (*print)(const struct suggestion *suggestion);
	bool is_real; /* speaks of where moved calls went, not of what was asked for */
};

static const struct form forms[] = {
        {"rules", suggest_rules, false},
        {"systemd", suggest_systemd, true},
        {"nft", suggest_nft, true},
};

static const struct form *find_form(const char *name)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	return NULL;
}

static int print(const struct command *self, struct reader *reader, const struct form *form,
                 bool per_program)
{
	struct usage *usage = usage_of(reader);
	struct suggestion suggestion = {.usage = usage,
	                                .grants = grants_of(usage, per_program, form->is_real),
	                                .per_program = per_program,
	                                .out = stdout};

	form->print(&suggestion);
	grants_free(&suggestion.grants);
	usage_free(usage);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(self, "cannot write: %s", strerror(errno));
	return 0;
}

/* Read the options. Returns false with the exit status in *status if that was all. */
static bool read_options(const struct command *self, int argc, char **argv,
                         const struct form **form, bool *per_program, int *status)
{
	int option;

	*form = &forms[0];
	*status = EXIT_TCPSHIM;
	while ((option = options_next(self, argc, argv, true)) >= 0) {
		if (option == OPTION_PER_PROGRAM) {
			*per_program = true;
			continue;
		}
		*form = find_form(optarg);
		if (!*form) {
			command_fail(self, "--as takes rules, systemd or nft, not '%s'",
			             word_text(optarg, strlen(optarg)));
			return false;
		}
	}
	if (option == OPTIONS_HELP)
		*status = 0;
	if (option == OPTIONS_END && *per_program && (*form)->is_real) {
		command_fail(self, "--per-program is for rules: %s knows no programs",
		             (*form)->name);
		return false;
	}
	return option == OPTIONS_END;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct reader *reader;
	const struct form *form;
	bool per_program = false;
	int status;

	if (!read_options(self, argc, argv, &form, &per_program, &status))
		return status;
	reader = options_session(self, argc, argv);
	if (!reader)
		return EXIT_TCPSHIM;
	status = print(self, reader, form, per_program);
	reader_close(reader);
	return status;
}

const struct command cmd_suggest = {
        .name = "suggest",
        .usage = "[--as rules|systemd|nft] [SESSION]",
        .summary = "the least policy that allows what a session did",
        .options = options,
        .run = run,
};
