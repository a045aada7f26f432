/* SPDX-License-Identifier: MIT */
/* sweep_look.c - see sweep_look.h. */
#include "tools/sweep_look.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "tools/audit.h"

/* Is this a call that failed, not one that had to wait? */
static bool is_failure(const struct event *event)
{
	if (event->verdict == VERDICT_FAILED)
		return true;
	return event_failed(event) && event->error != EAGAIN && event->error != EINPROGRESS &&
	       event->error != EALREADY && event->error != EINTR;
}

/* Behind the first fault, how long do calls go on failing without a pause? */
static void follow(struct streak *streak, bool *has_fired, const struct event *event, uint32_t rule)
{
	if (event->verdict == VERDICT_FAILED && event->rule == rule)
		*has_fired = true;
	if (*has_fired && is_failure(event))
		streak_add(streak, event->time_ns, event->time_ns + event->took_ns, AUDIT_PAUSE_NS);
}

static void look_at_process(struct sweep_seen *seen, const struct reader_process *process,
                            pid_t root)
{
	if (process->pid == (uint32_t)root)
		seen->is_covered = true;
}

static void count_leaks(struct sweep_seen *seen, const struct audit *audit)
{
	for (const struct leak *leak = audit->ledger.leaks; leak; leak = leak->hh.next)
		if (leak->key.ended)
			seen->leaks += (uint32_t)leak->count;
}

static const struct rule *rule_of(struct reader *reader, uint32_t number)
{
	const struct rulesets *sets = reader_rules(reader);

	return sets->count ? ruleset_rule(&sets->set[sets->count - 1], number) : NULL;
}

static void look_at_events(struct sweep_seen *seen, struct reader *reader, struct audit *audit,
                           uint32_t rule)
{
	struct streak streak = {.count = 0};
	bool has_fired = false;
	struct event event;

	while (reader_next(reader, &event)) {
		audit_event(audit, &event);
		follow(&streak, &has_fired, &event, rule);
	}
	audit_finish(audit);
	seen->streak = streak.best;
	seen->streak_ns = streak.best_ns;
}

bool sweep_look(struct sweep_seen *seen, const char *session, pid_t root, uint32_t rule)
{
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(session, error, sizeof(error));
	struct reader_process process;
	const struct rule *failing;
	struct reader_info info;
	struct audit *audit;

	*seen = (struct sweep_seen){.is_covered = false};
	if (!reader)
		return false;
	reader_info(reader, &info);
	audit = audit_new(info.port_low, info.port_high);
	for (uint32_t slot = 1; slot <= reader_process_count(reader); slot++) {
		if (!reader_process(reader, slot, &process))
			continue;
		audit_process(audit, &process, false);
		look_at_process(seen, &process, root);
	}
	look_at_events(seen, reader, audit, rule);
	count_leaks(seen, audit);
	failing = rule_of(reader, rule);
	seen->fired = failing ? atomic_load(&failing->matched) : 0;
	seen->events_dropped = info.events_dropped;
	audit_free(audit);
	reader_close(reader);
	return true;
}

/* ---- of a run that counts ---- */

/* The probe of a round that has its nth rule. */
static struct sweep_probe *probe_at(struct sweep_faults *faults, unsigned round, uint32_t nth)
{
	for (size_t i = 0; i < faults->probes; i++)
		if (faults->probe[i].round == round && nth-- == 0)
			return &faults->probe[i];
	return NULL;
}

static void take_site(struct sweep_faults *faults, unsigned round, const struct event *event,
                      uint32_t first)
{
	struct session_site site;
	struct sweep_probe *probe;
	const char *frames;

	if (!event_site(event, &site, &frames) || site.rule < first)
		return;
	probe = probe_at(faults, round, site.rule - first);
	if (probe && site.turn <= probe->turns && !memchr(frames, '\0', site.len))
		sweep_probe_frames(probe, site.turn, frames, site.len);
}

bool sweep_look_probes(struct sweep_faults *faults, unsigned round, const char *session,
                       uint32_t first)
{
	char error[PATH_MAX + 256];
	struct reader *reader = reader_open(session, error, sizeof(error));
	struct sweep_probe *probe;
	struct event event;

	if (!reader)
		return false;
	for (uint32_t nth = 0; (probe = probe_at(faults, round, nth)); nth++) {
		const struct rule *rule = rule_of(reader, first + nth);

		probe->turns = rule ? atomic_load(&rule->turns) : 0;
	}
	while (reader_next(reader, &event))
		take_site(faults, round, &event, first);
	reader_close(reader);
	return true;
}
