/* SPDX-License-Identifier: MIT */
/* cmd_sweep.c - tcpshim sweep: which call, when it fails, does the program not survive? */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/names.h"
#include "tools/memory.h"
#include "tools/options.h"
#include "tools/program.h"
#include "tools/site.h"
#include "tools/sweep_print.h"
#include "tools/sweep_run.h"
#include "tools/wording.h"

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

static const struct option_help options[] = {
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

enum { FAULTS_MAX = 1000, BASELINE_SECONDS = 300, LEAST_SECONDS = 5, TIMES_SLOWEST = 10 };

#define SECOND_NS ((uint64_t)1000 * 1000 * 1000)

struct sweep {
	struct sweep_run run;
	struct rules_input input;
	struct sweep_faults faults;
	struct sweep_wish wish;
	struct sweep_state state;
	uint64_t timeout_ns; /* given; SWEEP_NEVER: not */
	bool has_seed, is_strict;
	void (*print)(const struct sweep_report *report, FILE *out);
	const char *output; /* NULL: stdout */
	char *how;          /* options that a run is repeated with */
};

/* ---- options ---- */

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

/* Returns OPTIONS_END, or OPTIONS_HELP or OPTIONS_BAD. */
static int read_options(struct sweep *sweep, int argc, char **argv)
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

/* ---- before the first run ---- */

static uint64_t hash_words(uint64_t hash, const char *words)
{
	return sweep_hash(hash, words, strlen(words) + 1);
}

/* What the results are of. Another build of the program is another program. */
static uint64_t identify(const struct sweep *sweep, const char *path)
{
	const uint64_t numbers[] = {sweep->timeout_ns, (uint64_t)sweep->run.normal.status,
	                            sweep->has_seed ? sweep->run.seed : 0};
	uint64_t hash = sweep_hash(0, numbers, sizeof(numbers));
	struct stat about;

	hash = hash_words(hash, path);
	if (stat(path, &about) == 0) {
		hash = sweep_hash(hash, &about.st_size, sizeof(about.st_size));
		hash = sweep_hash(hash, &about.st_mtim, sizeof(about.st_mtim));
	}
	for (char **word = sweep->run.argv; *word; word++)
		hash = hash_words(hash, *word);
	hash = hash_words(hash, "");
	for (size_t i = 0; i < sweep->faults.count; i++)
		hash = hash_words(hash, sweep->faults.fault[i].text);
	for (unsigned i = 0; i < sweep->input.sources; i++)
		hash = sweep_hash(hash, sweep->input.source[i].text, sweep->input.source[i].len);
	return hash;
}

/* The library must reach the program. */
static int look_at_program(struct sweep *sweep, char path[PATH_MAX])
{
	char judged[PATH_MAX];
	enum coverage coverage;

	if (!program_find(sweep->run.argv[0], path)) {
		path[0] = '\0';
		return 0; /* exec will say it */
	}
	coverage = program_coverage(path, getuid(), getgid(), judged);
	if (coverage == COVERAGE_SEEN)
		return 0;
	return command_fail(sweep->run.command, "%s cannot be seen: %s",
	                    word_text(judged, strlen(judged)), name_coverage_reason(coverage));
}

static int load_rules(struct sweep *sweep)
{
	struct rules *rules;

	if (rules_input_load(&sweep->input, &rules) != 0)
		return EXIT_TCPSHIM;
	sweep->run.base_rules = rules ? rules->count : 0;
	free(rules);
	return 0;
}

static int make_dir(struct sweep *sweep)
{
	const char *parent = getenv("TMPDIR");
	char real[PATH_MAX];

	if (!parent || !realpath(parent, real))
		strcpy(real, "/tmp");
	snprintf(sweep->run.dir, sizeof(sweep->run.dir), "%.*s/tcpshim-sweep-XXXXXX",
	         (int)sizeof(sweep->run.dir) - 32, real);
	if (mkdtemp(sweep->run.dir))
		return 0;
	sweep->run.dir[0] = '\0';
	return command_fail(sweep->run.command, "cannot make a directory in %s: %s", real,
	                    strerror(errno));
}

static int prepare(struct sweep *sweep)
{
	char path[PATH_MAX];

	if (load_rules(sweep) != 0 || look_at_program(sweep, path) != 0 ||
	    library_find(sweep->run.command, sweep->run.library) != 0)
		return EXIT_TCPSHIM;
	if (sweep->faults.count == 0)
		sweep_faults_default(&sweep->faults, sweep->run.command);
	if (!sweep->has_seed &&
	    getrandom(&sweep->run.seed, sizeof(sweep->run.seed), 0) != sizeof(sweep->run.seed))
		sweep->run.seed = sweep_now_ns();
	sweep->state.id = identify(sweep, path);
	sweep->state.seed = sweep->run.seed;
	if (sweep->state.path && sweep_state_read(&sweep->state, sweep->run.command) != 0)
		return EXIT_TCPSHIM;
	sweep->run.seed = sweep->state.seed;
	return make_dir(sweep);
}

/* ---- the runs ---- */

/* Take over what the state has. */
static void recall(struct sweep *sweep)
{
	struct sweep_report *report = &sweep->run.report;

	for (size_t i = 0; i < report->trials; i++) {
		const struct sweep_result *result =
		        sweep_state_find(&sweep->state, &report->trial[i]);

		if (!result)
			continue;
		report->trial[i].result = *result;
		report->trial[i].is_done = true;
		report->done++;
	}
}

static void plan(struct sweep *sweep)
{
	struct sweep_run *run = &sweep->run;
	struct sweep_plan plan = sweep_plan(&sweep->faults, &sweep->wish);

	run->report = (struct sweep_report){
	        .argv = run->argv,
	        .how = sweep->how,
	        .seed = run->seed,
	        .faults = &sweep->faults,
	        .trial = plan.trial,
	        .trials = plan.count,
	        .alike = plan.alike,
	        .left_out = plan.left_out,
	        .is_unstable = run->normal.is_unstable,
	};
	recall(sweep);
	run->timeout_ns = sweep->timeout_ns;
	if (!run->timeout_ns)
		run->timeout_ns = TIMES_SLOWEST * run->slowest_ns;
	if (!sweep->timeout_ns && run->timeout_ns < LEAST_SECONDS * SECOND_NS)
		run->timeout_ns = LEAST_SECONDS * SECOND_NS;
}

static int write_report(const struct sweep *sweep, struct sweep_report *report)
{
	FILE *out = sweep->output ? fopen(sweep->output, "we") : stdout;
	int failed = 0;

	if (out) {
		sweep->print(report, out);
		failed = ferror(out) | (out == stdout ? fflush(out) : fclose(out));
	}
	if (!out || failed)
		return command_fail(sweep->run.command, "cannot write the report: %s",
		                    strerror(errno));
	if (out != stdout && sweep->print != sweep_print_text)
		sweep_print_text(report, stdout);
	return 0;
}

static int judge(const struct sweep *sweep, const struct sweep_report *report)
{
	if (report->interrupted)
		return 128 + report->interrupted;
	if (sweep->is_strict && sweep_count(report, SWEEP_LEAK) +
	                                        sweep_count(report, SWEEP_OUTPUT) +
	                                        sweep_count(report, SWEEP_STATUS) >
	                                0)
		return 1;
	return sweep_count_bad(report) > 0;
}

static int make_runs(struct sweep *sweep)
{
	struct sweep_run *run = &sweep->run;
	int status;

	run->timeout_ns = sweep->timeout_ns ? sweep->timeout_ns : BASELINE_SECONDS * SECOND_NS;
	if (!sweep_run_baselines(run))
		return run->status ? run->status : 128 + run->interrupted;
	plan(sweep);
	if (run->report.trials == 0)
		return command_fail(run->command,
		                    "there is nothing to try: the program makes no call that any "
		                    "of the faults is for");
	sweep_run_trials(run);
	if (run->status)
		return run->status;
	run->report.sites = site_names_new();
	status = write_report(sweep, &run->report);
	site_names_free(run->report.sites);
	return status ? status : judge(sweep, &run->report);
}

static int sweep(const struct command *self, int argc, char **argv)
{
	struct sweep sweep = {
	        .run = {.command = self, .jobs = 1},
	        .input = {.command = self},
	        .print = sweep_print_text,
	        .how = memory_copy("", 0),
	};
	int end, status;

	sweep.run.input = &sweep.input;
	sweep.run.faults = &sweep.faults;
	sweep.run.state = &sweep.state;
	rules_input_ask_environment(&sweep.input);
	end = read_options(&sweep, argc, argv);
	if (end == OPTIONS_END)
		status = prepare(&sweep) == 0 ? make_runs(&sweep) : EXIT_TCPSHIM;
	else
		status = end == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	if (sweep.run.dir[0])
		rmdir(sweep.run.dir);
	free(sweep.run.report.trial);
	free(sweep.state.trial);
	free(sweep.how);
	sweep_faults_free(&sweep.faults);
	rules_input_free(&sweep.input);
	return status;
}

const struct command cmd_sweep = {
        .name = "sweep",
        .usage = "[OPTION]... [--] PROGRAM [ARGUMENT]...",
        .summary = "fail one call of a program after another, and tell which it does not survive",
        .options = options,
        .run = sweep,
};
