/* SPDX-License-Identifier: MIT */
/* cmd_sweep.c - tcpshim sweep: which call, when it fails, does the program not survive? */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/names.h"
#include "tools/memory.h"
#include "tools/program.h"
#include "tools/site.h"
#include "tools/sweep_options.h"
#include "tools/sweep_pool.h"
#include "tools/sweep_print.h"
#include "tools/wording.h"

enum { BASELINE_SECONDS = 300, LEAST_SECONDS = 5, TIMES_SLOWEST = 10 };

#define SECOND_NS ((uint64_t)1000 * 1000 * 1000)

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
	sweep_signals_hold(); /* or one could end us before it is removed */
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

static void remove_dir(struct sweep *sweep)
{
	if (!sweep->run.dir[0])
		return;
	rmdir(sweep->run.dir);
	sweep->run.dir[0] = '\0';
	sweep_signals_release(sweep->run.interrupted);
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
	remove_dir(sweep);
	run->report.sites = site_names_new();
	status = write_report(sweep,
	                      &run->report); /* also if it came to a halt: of what was tried */
	site_names_free(run->report.sites);
	if (run->status)
		return run->status;
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
	end = sweep_options_read(&sweep, argc, argv);
	if (end == OPTIONS_END)
		status = prepare(&sweep) == 0 ? make_runs(&sweep) : EXIT_TCPSHIM;
	else
		status = end == OPTIONS_HELP ? 0 : EXIT_TCPSHIM;
	remove_dir(&sweep);
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
        .options = sweep_options,
        .run = sweep,
};
