/* SPDX-License-Identifier: MIT */
/* report.c - see report.h. */
#include "tools/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tools/find.h"
#include "tools/port_range.h"
#include "tools/wording.h"

enum { UNSEEN_COMPARED = 64 };
#define STARTING_NS ((uint64_t)2000000000)

/* A list with room for as many rows as a hash table has. */
#define ROWS(head) memory_new((HASH_COUNT(head) + 1) * sizeof(void *))

static int by_listener(const void *a, const void *b)
{
	const struct listener *one = *(const struct listener *const *)a;
	const struct listener *other = *(const struct listener *const *)b;
	const struct place *left = &one->key.place, *right = &other->key.place;

	if (left->family == FAMILY_UNIX || right->family == FAMILY_UNIX)
		return (left->family == FAMILY_UNIX) - (right->family == FAMILY_UNIX);
	if (left->proto != right->proto)
		return left->proto < right->proto ? -1 : 1;
	return left->end.port < right->end.port ? -1 : left->end.port > right->end.port;
}

static uint64_t calls(const struct destination *destination)
{
	return destination->made + destination->failed.total;
}

static int by_calls(const void *a, const void *b)
{
	uint64_t one = calls(*(const struct destination *const *)a);
	uint64_t other = calls(*(const struct destination *const *)b);

	return one > other ? -1 : one < other;
}

static int by_count(const void *a, const void *b)
{
	uint64_t one = (*(const struct leak *const *)a)->count;
	uint64_t other = (*(const struct leak *const *)b)->count;

	return one > other ? -1 : one < other;
}

static int by_denials(const void *a, const void *b)
{
	const struct denial *one = *(const struct denial *const *)a;
	const struct denial *other = *(const struct denial *const *)b;

	if (one->count != other->count)
		return one->count > other->count ? -1 : 1;
	return one->key.call < other->key.call ? -1 : one->key.call > other->key.call;
}

static int by_sockets(const void *a, const void *b)
{
	const struct program *one = *(const struct program *const *)a;
	const struct program *other = *(const struct program *const *)b;

	if (one->sockets != other->sockets)
		return one->sockets > other->sockets ? -1 : 1;
	return one->slot < other->slot ? -1 : one->slot > other->slot;
}

static void collect_programs(struct report *report)
{
	const struct program *row;

	report->programs = ROWS(report->audit->ledger.programs);
	for (row = report->audit->ledger.programs; row; row = row->hh.next)
		if (row->processes > 0)
			report->programs[report->program_count++] = row;
	qsort(report->programs, report->program_count, sizeof(void *), by_sockets);
}

static void collect_listeners(struct report *report)
{
	const struct listener *row;

	report->listeners = ROWS(report->audit->ledger.listeners);
	for (row = report->audit->ledger.listeners; row; row = row->hh.next) {
		report->listeners[report->listener_count++] = row;
		report->accepted += row->accepted;
	}
	qsort(report->listeners, report->listener_count, sizeof(void *), by_listener);
}

static void collect_destinations(struct report *report)
{
	const struct destination *row;

	report->destinations = ROWS(report->audit->ledger.destinations);
	for (row = report->audit->ledger.destinations; row; row = row->hh.next) {
		uint64_t most = report->tightest ? report->tightest->connected.peak : 0;

		report->destinations[report->destination_count++] = row;
		report->made += row->made;
		report->failed += row->failed.total;
		if (row->place.family != FAMILY_UNIX && row->connected.peak > most)
			report->tightest = row;
	}
	qsort(report->destinations, report->destination_count, sizeof(void *), by_calls);
}

static void collect_leaks(struct report *report)
{
	const struct leak *row;

	report->leaks = ROWS(report->audit->ledger.leaks);
	for (row = report->audit->ledger.leaks; row; row = row->hh.next)
		report->leaks[report->leak_count++] = row;
	qsort(report->leaks, report->leak_count, sizeof(void *), by_count);
}

static void collect_denials(struct report *report)
{
	const struct denial *row;

	report->denials = ROWS(report->audit->verdicts.denials);
	for (row = report->audit->verdicts.denials; row; row = row->hh.next)
		report->denials[report->denial_count++] = row;
	qsort(report->denials, report->denial_count, sizeof(void *), by_denials);
}

static int by_trouble(const void *a, const void *b)
{
	const struct trouble *one = *(const struct trouble *const *)a;
	const struct trouble *other = *(const struct trouble *const *)b;

	if (!one->key.rule != !other->key.rule)
		return one->key.rule ? -1 : 1;
	if (one->failures != other->failures)
		return one->failures > other->failures ? -1 : 1;
	return one->key.rule - other->key.rule;
}

static void collect_troubles(struct report *report)
{
	const struct trouble *row;

	report->troubles = ROWS(report->audit->recovery.rows);
	for (row = report->audit->recovery.rows; row; row = row->hh.next)
		report->troubles[report->trouble_count++] = row;
	qsort(report->troubles, report->trouble_count, sizeof(void *), by_trouble);
}

/* One more that is not seen: like another, or a new entry. */
static void add_unseen(struct report *report, const struct unseen *unseen, size_t *room)
{
	for (size_t i = 0; i < report->unseen_count && i < UNSEEN_COMPARED; i++) {
		struct unseen *known = &report->unseen[i];

		if (known->what == unseen->what && strcmp(known->program, unseen->program) == 0) {
			known->count++;
			return;
		}
	}
	if (report->unseen_count == *room) {
		*room = 2 * *room + 16;
		report->unseen = realloc(report->unseen, *room * sizeof(*report->unseen));
		if (!report->unseen)
			memory_gone();
	}
	report->unseen[report->unseen_count++] = *unseen;
}

/* Is it so young that the library may yet come up in it? */
static bool is_starting(const struct reader_process *process)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return process->start_ns + STARTING_NS > (uint64_t)now.tv_sec * 1000000000 &&
	       find_is_running(process->pid, process->start_ns);
}

static void collect_unseen(struct report *report, struct reader *reader)
{
	struct reader_process process;
	struct unseen found[COVERAGE_MAX];
	size_t room = 0;

	for (uint32_t slot = 1; slot <= reader_process_count(reader); slot++) {
		size_t count = 0;

		if (reader_process(reader, slot, &process))
			count = coverage_of(&process, is_starting(&process), found);
		for (size_t i = 0; i < count; i++) {
			add_unseen(report, &found[i], &room);
			report->blind_count += !found[i].is_partial;
		}
	}
}

struct report report_of(struct reader *reader)
{
	struct report report = {.audit = audit_session(reader)};

	report.rules = report.audit->rules;
	reader_info(reader, &report.info); /* what is damaged is known now */
	report.is_live = reader_is_live(reader);
	report.findings = findings_of(report.audit);
	collect_unseen(&report, reader);
	collect_programs(&report);
	collect_listeners(&report);
	collect_destinations(&report);
	collect_leaks(&report);
	collect_denials(&report);
	collect_troubles(&report);
	return report;
}

void report_free(struct report *report)
{
	findings_free(&report->findings);
	free(report->unseen);
	free(report->programs);
	free(report->listeners);
	free(report->destinations);
	free(report->leaks);
	free(report->denials);
	free(report->troubles);
	audit_free(report->audit);
}

uint64_t report_capacity(const struct report *report, const struct destination *destination)
{
	return port_range_capacity(report->audit, destination);
}

const struct ruleset *report_set(const struct report *report, uint32_t number)
{
	for (size_t i = 0; i < report->rules->count; i++)
		if (report->rules->set[i].number == number)
			return &report->rules->set[i];
	return NULL;
}

const char *report_rule_name(const struct report *report, uint32_t rule, uint32_t set)
{
	if (rule == 0)
		return "?";
	return word_rule(rule, report->rules->count > 1 ? set : 0);
}

const struct move *report_asked_there(const struct report *report, const struct listener *row)
{
	return row->any_port ? NULL
	                     : verdicts_move(&report->audit->verdicts, true, &row->key.place);
}

const struct move *report_asked_of(const struct report *report, const struct destination *row)
{
	return verdicts_move(&report->audit->verdicts, false, &row->place);
}

const char *report_use(enum use use)
{
	switch (use) {
	case USE_UNUSED:
		return "unused";
	case USE_BOUND:
		return "bound";
	case USE_LISTENING:
		return "listening";
	case USE_CLIENT:
		return "connected";
	case USE_SERVER:
		return "accepted";
	case USE_FAILED:
		return "connect failed";
	}
	return "?";
}
