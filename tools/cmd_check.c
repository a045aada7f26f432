/* SPDX-License-Identifier: MIT */
/* cmd_check.c - tcpshim check: rules as they are understood, and what is doubtful. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/check_json.h"
#include "tools/cmd.h"
#include "tools/columns.h"
#include "tools/options.h"
#include "tools/rule_wording.h"
#include "tools/rules_warn.h"

enum { EXIT_DOUBTFUL = 1 };

enum { OPTION_FILE, OPTION_RULE, OPTION_STRICT, OPTION_JSON };

static const struct option_help options[] = {
        [OPTION_FILE] = {"-f, --file FILE", "rules from a file; - is stdin"},
        [OPTION_RULE] = {"-r, --rule RULE", "a rule, or several with ; between them"},
        [OPTION_STRICT] = {"--strict", "exit with 1 if there are warnings"},
        [OPTION_JSON] = {"--json", "the same as one JSON object"},
        {NULL, NULL},
};

struct check {
	struct rules_input input;
	struct host host;
	bool is_strict, is_json;
};

/* Returns OPTIONS_END, HELP or BAD. */
static int read_options(struct check *check, int argc, char **argv)
{
	const struct command *self = check->input.command;
	int option;

	while ((option = options_next(self, argc, argv, true)) >= 0) {
		if (option == OPTION_FILE)
			rules_input_ask(&check->input, RULES_FILE, optarg);
		else if (option == OPTION_RULE)
			rules_input_ask(&check->input, RULES_WORDS, optarg);
		else if (option == OPTION_STRICT)
			check->is_strict = true;
		else
			check->is_json = true;
	}
	if (option != OPTIONS_END || optind == argc)
		return option;
	command_fail(self, "what is '%s'? Files are given with -f, rules with -r", argv[optind]);
	return OPTIONS_BAD;
}

static void print_table(const struct check *check, const struct rules *rules)
{
	struct columns table = columns_new("rlll");
	char buf[RULE_PRINT_MAX];

	columns_add(&table, "#");
	columns_add(&table, "place");
	columns_add(&table, "rule");
	columns_add(&table, "what happens");
	for (uint32_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		snprintf(buf, sizeof(buf), "%u", i + 1);
		columns_add(&table, buf);
		columns_add(&table, rule_place(buf, rules, rule));
		columns_add(&table, rule_words(buf, rules, rule));
		columns_add(&table, rule_effect(buf, rules, rule, &check->host));
	}
	columns_print(&table, stdout, "", "");
	if (rules->count == 0)
		puts("  (no rules: every call goes ahead)");
}

static int tell(const struct check *check, const struct rules *rules)
{
	if (check->is_json)
		check_json(&check->input, rules, &check->host, stdout);
	else if (rules)
		print_table(check, rules);
	if (fflush(stdout) != 0 || ferror(stdout))
		return command_fail(check->input.command, "cannot write: %s", strerror(errno));
	if (!check->is_json)
		rules_input_print(&check->input);
	if (!rules)
		return EXIT_TCPSHIM;
	return check->is_strict && check->input.warnings > 0 ? EXIT_DOUBTFUL : 0;
}

static int check_rules(struct check *check)
{
	struct rules *rules;
	int status;

	if (rules_input_read(&check->input) != 0)
		return EXIT_TCPSHIM;
	rules = rules_input_compile(&check->input);
	if (rules)
		rules_warn(&check->input, rules, &check->host);
	status = tell(check, rules);
	free(rules);
	return status;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct check check = {.input = {.command = self}, .host = host_look()};
	int end = read_options(&check, argc, argv), status;

	if (end == OPTIONS_END && check.input.asked_count == 0)
		rules_input_ask_environment(&check.input);
	if (end != OPTIONS_END)
		status = end == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	else if (check.input.asked_count == 0)
		status = command_fail(self, "which rules? Give -f FILE or -r RULE, or set "
		                            "TCPSHIM_RULES or TCPSHIM_RULES_FILE");
	else
		status = check_rules(&check);
	rules_input_free(&check.input);
	return status;
}

const struct command cmd_check = {
        .name = "check",
        .usage = "[--strict] [--json] [-f FILE]... [-r RULE]...",
        .summary = "print rules as they are understood, and warn of what is doubtful",
        .options = options,
        .run = run,
};
