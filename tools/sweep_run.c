/* SPDX-License-Identifier: MIT */
/* sweep_run.c - see sweep_run.h. */
#include "tools/sweep_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/create.h"
#include "tools/memory.h"
#include "tools/wording.h"

enum {
	TRIAL_EVENTS = 1 << 19,    /* a spin fills them; the rest is only counted */
	BASELINE_EVENTS = 1 << 22, /* with where calls come from: some lines each */
	BASELINES_LEAST = 2,
};

/* The last turn there is: a rule with it counts, and fails no call. */
#define NEVER " when 4294967294\n"

/* ---- a run ---- */

static bool fail(struct sweep_run *run, int status)
{
	run->status = status;
	return false;
}

static bool start_failed(struct sweep_run *run, const struct sweep_child *child, int error)
{
	unlink(child->session);
	command_fail(run->command, "cannot run %s: %s", run->argv[0], strerror(-error));
	return fail(run, error == -ENOENT                        ? EXIT_NOT_FOUND
	                 : error == -EACCES || error == -ENOEXEC ? EXIT_CANNOT_RUN
	                                                         : EXIT_TCPSHIM);
}

/* Start the program with the rules of text behind those that always hold. trial: NULL for a
 * run without a fault. */
static bool start(struct sweep_run *run, struct sweep_child *child, const char *text,
                  const struct sweep_trial *trial)
{
	struct create create = {.events = trial ? TRIAL_EVENTS : BASELINE_EVENTS,
	                        .has_seed = true,
	                        .seed = run->seed};
	struct sweep_start start = {.argv = run->argv,
	                            .library = run->library,
	                            .timeout_ns = run->timeout_ns,
	                            .wants_sites = !trial};
	static unsigned sessions;
	int error;

	if (trial && trial->is_on) {
		start.rule = run->base_rules + 1;
		start.turn = trial->turn;
	}
	create.rules = sweep_rules(run->input, text);
	if (!create.rules)
		return fail(run, command_fail(run->command, "there is no room for the rules"));
	snprintf(child->session, sizeof(child->session), "%.*s/%u" SESSION_SUFFIX,
	         (int)sizeof(child->session) - 32, run->dir, sessions++);
	error = create_session(child->session, &create);
	free(create.rules);
	if (error)
		return fail(run, command_fail(run->command, "cannot make a session in %s: %s",
		                              run->dir, strerror(-error)));
	error = sweep_child_start(child, &start);
	return error ? start_failed(run, child, error) : true;
}

/* ---- without a fault ---- */

static unsigned round_of(const struct sweep_run *run)
{
	return (unsigned)(run->baselines % run->faults->rounds);
}

static bool next_baseline(void *context, struct sweep_child *child)
{
	struct sweep_run *run = context;
	char *text = NULL;
	size_t len;
	FILE *out;
	bool started;

	if (run->status ||
	    (run->baselines >= BASELINES_LEAST && run->baselines >= run->faults->rounds))
		return false;
	out = open_memstream(&text, &len);
	for (size_t i = 0; out && i < run->faults->probes; i++)
		if (run->faults->probe[i].round == round_of(run))
			fprintf(out, "%s" NEVER,
			        run->faults->fault[run->faults->probe[i].fault].text);
	if (!out || fclose(out) != 0)
		memory_gone();
	started = start(run, child, text, NULL);
	free(text);
	return started;
}

static int refuse(const struct sweep_run *run, const struct sweep_end *end)
{
	const char *said = word_text(end->said, strlen(end->said));
	const char *colon = end->said[0] ? ": " : "";

	if (end->timed_out)
		return command_fail(
		        run->command,
		        "without a fault the program still ran after %s: it must end by "
		        "itself (see --timeout)",
		        word_duration(run->timeout_ns));
	if (end->signal)
		return command_fail(run->command,
		                    "without a fault the program died of signal %d%s%s",
		                    end->signal, colon, said);
	return command_fail(run->command,
	                    "without a fault the program's exit status is %d, not %d (see "
	                    "--expect)%s%s",
	                    end->status, run->normal.status, colon, said);
}

static void learn(struct sweep_run *run, const struct sweep_child *child,
                  const struct sweep_seen *seen)
{
	struct sweep_normal *normal = &run->normal;

	if (run->baselines == 0)
		normal->output = child->end.output;
	else if (normal->output != child->end.output)
		normal->is_unstable = true;
	if (seen->leaks > normal->leaks)
		normal->leaks = seen->leaks;
	if (seen->vanished > normal->vanished)
		normal->vanished = seen->vanished;
	if (child->end.took_ns > run->slowest_ns)
		run->slowest_ns = child->end.took_ns;
}

static bool look(struct sweep_seen *seen, const struct sweep_child *child, uint32_t rule)
{
	if (!sweep_look(seen, child->session, child->pid, rule))
		return false;
	seen->vanished = child->vanished;
	return true;
}

static void baseline_done(void *context, struct sweep_child *child)
{
	struct sweep_run *run = context;
	struct sweep_seen seen;
	uint32_t first = run->base_rules + 1;

	if (child->end.timed_out || child->end.status != run->normal.status)
		run->status = refuse(run, &child->end);
	else if (!look(&seen, child, 0) ||
	         !sweep_look_probes(run->faults, round_of(run), child->session, first))
		run->status = command_fail(run->command, "its own session cannot be read");
	else if (!seen.is_covered)
		run->status = command_fail(run->command,
		                           "%s was not seen: the library did not come up in it",
		                           word_text(run->argv[0], strlen(run->argv[0])));
	else
		learn(run, child, &seen);
	run->baselines++;
}

static void no_tick(void *context)
{
	(void)context;
}

/* Returns success. */
static bool finish(struct sweep_run *run, int result)
{
	if (result < 0)
		run->status = command_fail(run->command, "cannot run: %s", strerror(-result));
	else
		run->interrupted = result;
	return !run->status && !run->interrupted;
}

bool sweep_run_baselines(struct sweep_run *run)
{
	const struct sweep_pool pool = {.jobs = 1,
	                                .next = next_baseline,
	                                .done = baseline_done,
	                                .tick = no_tick,
	                                .context = run};

	return finish(run, sweep_pool_run(&pool));
}

/* ---- with one ---- */

static bool next_trial(void *context, struct sweep_child *child)
{
	struct sweep_run *run = context;
	struct sweep_report *report = &run->report;
	const struct sweep_trial *trial;
	char *text;
	bool started;

	while (run->next < report->trials && report->trial[run->next].is_done)
		run->next++;
	if (run->status || run->next == report->trials)
		return false;
	trial = &report->trial[run->next];
	if (asprintf(&text, "%s %s", run->faults->fault[trial->fault].text, sweep_when(trial)) < 0)
		memory_gone();
	child->number = run->next++;
	started = start(run, child, text, trial);
	free(text);
	return started;
}

static void trial_done(void *context, struct sweep_child *child)
{
	struct sweep_run *run = context;
	struct sweep_trial *trial = &run->report.trial[child->number];
	struct sweep_seen seen;
	int error;

	if (!look(&seen, child, run->base_rules + 1)) {
		run->status = command_fail(run->command, "its own session cannot be read");
		return;
	}
	trial->result = sweep_judge(&run->normal, &child->end, &seen);
	trial->is_done = true;
	run->report.done++;
	if (!run->state->path)
		return;
	error = sweep_state_write(run->state, run->report.trial, run->report.trials);
	if (error)
		run->status = command_fail(run->command, "cannot write the state to %s: %s",
		                           word_text(run->state->path, strlen(run->state->path)),
		                           strerror(-error));
}

static void tick(void *context)
{
	struct sweep_run *run = context;

	sweep_progress_tell(&run->progress, &run->report);
}

bool sweep_run_trials(struct sweep_run *run)
{
	const struct sweep_pool pool = {.jobs = run->jobs,
	                                .next = next_trial,
	                                .done = trial_done,
	                                .tick = tick,
	                                .context = run};
	bool is_whole;

	run->progress = sweep_progress_begin(&run->report, run->jobs, run->is_quiet);
	is_whole = finish(run, sweep_pool_run(&pool));
	sweep_progress_end(&run->progress);
	run->report.interrupted = run->interrupted;
	return is_whole;
}
