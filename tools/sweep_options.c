/* SPDX-License-Identifier: MIT */
/* sweep_options.c - see sweep_options.h. */
#include "tools/sweep_options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tools/memory.h"
#include "tools/sweep_print.h"

enum {
	OPTION_FAIL,
	OPTION_ONCE,
	OPTION_ALWAYS,
	OPTION_UNIQUE,
	OPTION_MAX,
	OPTION_TIMEOUT,
	OPTION_JOBS,
	OPTION_EXPECT,
	OPTION_STRICT,
	OPTION_STATE,
	OPTION_TAP,
	OPTION_JUNIT,
	OPTION_OUTPUT,
	OPTION_FILE,
	OPTION_RULE,
	OPTION_SEED,
	OPTION_QUIET,
};

const struct option_help sweep_options[] = {
        [OPTION_FAIL] = {"--fail FAULT", "a fault to try, such as 'connect error ETIMEDOUT'"},
        [OPTION_ONCE] = {"--once", "fail one call at a time, never all that follow it too"},
        [OPTION_ALWAYS] = {"--always", "fail a call and all that follow, never one alone"},
        [OPTION_UNIQUE] = {"--unique", "of calls from the same place, try the first"},
        [OPTION_MAX] = {"--max N", "make N runs at most"},
        [OPTION_TIMEOUT] = {"--timeout TIME",
                            "a run that takes longer hangs (10 times as long as without a fault, "
                            "5s at least)"},
        [OPTION_JOBS] = {"-j, --jobs N", "make N runs at once (1)"},
        [OPTION_EXPECT] = {"--expect STATUS", "the program's exit status when all is well (0)"},
        [OPTION_STRICT] = {"--strict",
                           "exit with 1 for a leak, other output or an other status, too"},
        [OPTION_STATE] = {"--state FILE", "keep the results there, and go on from them"},
        [OPTION_TAP] = {"--tap", "report as TAP 14"},
        [OPTION_JUNIT] = {"--junit", "report as JUnit XML"},
        [OPTION_OUTPUT] = {"-o, --output FILE",
                           "write that report to a file, and the table to stdout"},
        [OPTION_FILE] = {"-f, --file FILE", "rules from a file, that hold in every run"},
        [OPTION_RULE] = {"-r, --rule RULE", "a rule, or several with ; between them"},
        [OPTION_SEED] = {"--seed N", "what chance is drawn from"},
        [OPTION_QUIET] = {"-q, --quiet", "do not tell how far it is"},
        {NULL, NULL},
};

enum { FAULTS_MAX = 1000 };

static int set_number(struct sweep *sweep, const char *name, uint64_t least, uint64_t most,
                      uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(optarg, &end, 10);
	if (!errno && isdigit((unsigned char)optarg[0]) && !*end && *number >= least &&
	    *number <= most)
		return 0;
	return command_fail(sweep->run.command, "%s %s: a number from %llu to %llu is needed", name,
	                    optarg, (unsigned long long)least, (unsigned long long)most);
}

/* As durations of rules: 500ms, 1.5s, 2m; a bare number is of seconds. */
static int set_timeout(struct sweep *sweep)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ms", 1e6}, {"s", 1e9}, {"", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	char *end;
	double number = strtod(optarg, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		double ns = number * units[i].ns;

		if (!isdigit((unsigned char)optarg[0]) || strcmp(end, units[i].name) != 0)
			continue;
		if (!(ns >= 1e6 && ns <= 1e17)) /* a millisecond; three years */
			break;
		sweep->timeout_ns = (uint64_t)ns;
		return 0;
	}
	return command_fail(sweep->run.command,
	                    "--timeout %s: a time such as 500ms or 10s is needed", optarg);
}

/* Decimal, or 0x and hexadecimal. */
static int set_seed(struct sweep *sweep)
{
	bool is_hex = optarg[0] == '0' && (optarg[1] == 'x' || optarg[1] == 'X');
	const char *digits = optarg + (is_hex ? 2 : 0);
	char *end;

	errno = 0;
	sweep->run.seed = strtoull(digits, &end, is_hex ? 16 : 10);
	sweep->has_seed = true;
	if (!errno && !*end && isxdigit((unsigned char)digits[0]))
		return 0;
	return command_fail(sweep->run.command, "--seed %s: a number of 64 bits is needed", optarg);
}

/* A rule that holds in every run; to repeat one, it is needed again. */
static int add_rules(struct sweep *sweep, enum rules_kind kind, const char *option)
{
	char *how, *word = sweep_quote(optarg);

	rules_input_ask(&sweep->input, kind, optarg);
	if (asprintf(&how, "%s %s %s", sweep->how, option, word) < 0)
		memory_gone();
	free(word);
	free(sweep->how);
	sweep->how = how;
	return 0;
}

static int add_fault(struct sweep *sweep)
{
	if (sweep->faults.count == FAULTS_MAX)
		return command_fail(sweep->run.command, "more than %d faults are too many",
		                    FAULTS_MAX);
	return sweep_faults_add(&sweep->faults, sweep->run.command, optarg);
}

/* The three that take a number. */
static int set_amount(struct sweep *sweep, int option)
{
	uint64_t number = 0;
	int status;

	if (option == OPTION_MAX) {
		status = set_number(sweep, "--max", 1, UINT32_MAX, &number);
		sweep->wish.most = number;
	} else if (option == OPTION_JOBS) {
		status = set_number(sweep, "--jobs", 1, SWEEP_JOBS_MAX, &number);
		sweep->run.jobs = (unsigned)number;
	} else {
		status = set_number(sweep, "--expect", 0, 255, &number);
		sweep->run.normal.status = (int)number;
	}
	return status;
}

static int set_flag(struct sweep *sweep, int option)
{
	switch (option) {
	case OPTION_ONCE:
		sweep->wish.once = true;
		break;
	case OPTION_ALWAYS:
		sweep->wish.on = true;
		break;
	case OPTION_UNIQUE:
		sweep->wish.is_unique = true;
		break;
	case OPTION_STRICT:
		sweep->is_strict = true;
		break;
	case OPTION_TAP:
		sweep->print = sweep_print_tap;
		break;
	case OPTION_JUNIT:
		sweep->print = sweep_print_junit;
		break;
	default: /* OPTION_QUIET */
		sweep->run.is_quiet = true;
		break;
	}
	return 0;
}

static int set_option(struct sweep *sweep, int option)
{
	switch (option) {
	case OPTION_FAIL:
		return add_fault(sweep);
	case OPTION_MAX:
	case OPTION_JOBS:
	case OPTION_EXPECT:
		return set_amount(sweep, option);
	case OPTION_TIMEOUT:
		return set_timeout(sweep);
	case OPTION_SEED:
		return set_seed(sweep);
	case OPTION_FILE:
		return add_rules(sweep, RULES_FILE, "-f");
	case OPTION_RULE:
		return add_rules(sweep, RULES_WORDS, "-r");
	case OPTION_STATE:
		sweep->state.path = optarg;
		return 0;
	case OPTION_OUTPUT:
		sweep->output = optarg;
		return 0;
	default:
		return set_flag(sweep, option);
	}
}

int sweep_options_read(struct sweep *sweep, int argc, char **argv)
{
	int option;

	while ((option = options_next(sweep->run.command, argc, argv, false)) >= 0)
		if (set_option(sweep, option) != 0)
			return OPTIONS_BAD;
	if (option != OPTIONS_END)
		return option;
	if (optind == argc) {
		command_fail(sweep->run.command, "which program? See 'tcpshim sweep --help'");
		return OPTIONS_BAD;
	}
	sweep->run.argv = argv + optind;
	if (!sweep->wish.once && !sweep->wish.on)
		sweep->wish.once = sweep->wish.on = true;
	return OPTIONS_END;
}
