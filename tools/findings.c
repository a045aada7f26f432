/* SPDX-License-Identifier: MIT */
/* findings.c - see findings.h.
 * A kind of finding is a function that looks, and a row of the table at the end. */
#include "tools/findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/text.h"

#include "tools/findings_look.h"
#include "tools/recovery_words.h"
#include "tools/rule_wording.h"
#include "tools/wording.h"

enum {
	LEAK_MIN = 3,         /* sockets that were of no use, and not closed */
	LEAK_IN_USE_MIN = 10, /* that were of use, and open for a while */
	RULES_NAMED = 10,     /* of those that never matched */
};

#define LEAK_IN_USE_NS ((uint64_t)1000000000)

void findings_add(struct findings *findings, uint64_t weight, const char *subject,
                  const char *evidence, ...)
{
	struct finding *finding;
	va_list args;

	if (findings->count == findings->room) {
		findings->room = findings->room ? 2 * findings->room : 16;
		findings->list = realloc(findings->list, findings->room * sizeof(*finding));
		if (!findings->list)
			memory_gone();
	}
	finding = &findings->list[findings->count++];
	finding->kind = findings->kind;
	finding->weight = weight;
	snprintf(finding->subject, sizeof(finding->subject), "%s", subject);
	va_start(args, evidence);
	vsnprintf(finding->evidence, sizeof(finding->evidence), evidence, args);
	va_end(args);
}

static const char *leak_of(const struct leak *leak)
{
	switch ((enum use)leak->key.use) {
	case USE_UNUSED:
		return "unused";
	case USE_BOUND:
		return "bound only";
	case USE_FAILED:
		return "after connect failed";
	case USE_LISTENING:
	case USE_CLIENT:
	case USE_SERVER:
		break;
	}
	return leak->key.use == USE_CLIENT ? "connected" : "accepted";
}

static void look_never_closed(const struct audit *audit, struct findings *findings)
{
	const struct leak *row;

	for (row = audit->ledger.leaks; row; row = row->hh.next) {
		bool was_used = row->key.use == USE_CLIENT || row->key.use == USE_SERVER;
		const struct process *process = audit->process[row->slot];

		if (row->count < (was_used ? LEAK_IN_USE_MIN : LEAK_MIN) ||
		    (was_used && row->age_ns < LEAK_IN_USE_NS))
			continue;
		findings_add(findings, row->count,
		             word_process(row->key.program->name, process ? process->info.pid : 0),
		             "%s (%s) were still open %s, the oldest after %s%s%s",
		             word_count(row->count, "socket"), leak_of(row),
		             row->key.ended ? "when the process ended" : "at the end of the record",
		             word_duration(row->age_ns), row->has_remote ? ", to " : "",
		             row->has_remote ? word_endpoint(&row->remote) : "");
	}
}

static void look_inherited(const struct audit *audit, struct findings *findings)
{
	const struct heirloom *row;

	for (row = audit->ledger.heirlooms; row; row = row->hh.next) {
		const struct process *process = audit->process[row->slot];

		findings_add(
		        findings, row->count,
		        word_process(row->key.to->name, process ? process->info.pid : 0),
		        "%s from %s, not used (reads and writes are not recorded); one is "
		        "fd %d%s%s",
		        word_count(row->count, row->key.listening ? "listening socket" : "socket"),
		        word_process(row->key.from->name, 0), row->fd, row->has_local ? ", " : "",
		        row->has_local ? word_endpoint(&row->local) : "");
	}
}

static void look_no_reuseaddr(const struct audit *audit, struct findings *findings)
{
	const struct listener *row;

	for (row = audit->ledger.listeners; row; row = row->hh.next)
		if (row->no_reuse && !audit_is_ephemeral(audit, row->key.place.end.port))
			findings_add(findings, row->accepted, findings_listener(audit, row),
			             "bound without SO_REUSEADDR; %s accepted",
			             word_count(row->accepted, "connection"));
}

static void look_any_address(const struct audit *audit, struct findings *findings)
{
	const struct listener *row;

	for (row = audit->ledger.listeners; row; row = row->hh.next) {
		const struct place *place = &row->key.place;

		if (place->proto != PROTO_TCP || !addr_is_any(&place->end.ip))
			continue;
		findings_add(findings, row->accepted, findings_listener(audit, row),
		             "reachable at every address of the host; %s accepted",
		             word_count(row->accepted, "connection"));
	}
}

/* Of the set in force at the end. */
static void look_rules_idle(const struct audit *audit, struct findings *findings)
{
	const struct rulesets *sets = audit->rules;
	const struct ruleset *set = sets && sets->count ? &sets->set[sets->count - 1] : NULL;
	size_t idle = set ? ruleset_idle(set) : 0, named = 0;
	char list[384], place[RULE_PLACE_MAX];
	struct text text = text_on(list, sizeof(list));

	for (uint32_t i = 0; idle > 0 && i < set->rules->count && named < RULES_NAMED; i++) {
		const struct rule *rule = &set->rules->rule[i];

		if (rule->matched)
			continue;
		text_put(&text, named++ ? ", " : "");
		text_put(&text, word_rule(i + 1, 0));
		text_put(&text, " (");
		text_put(&text, rule_place(place, set->rules, rule));
		text_put(&text, ")");
	}
	if (idle > 0)
		findings_add(findings, idle, word_count(idle, "rule"), "%s%s%s", list,
		             idle > named ? " and " : "",
		             idle > named ? word_count(idle - named, "other") : "");
}

const char *findings_call(const struct destination *destination)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s -> %s", word_programs(&destination->programs),
	         word_place(&destination->place));
	return text;
}

const char *findings_listener(const struct audit *audit, const struct listener *listener)
{
	const struct process *process = audit->process[listener->slot];
	static char text[256];

	snprintf(text, sizeof(text), "%s %s",
	         word_process(listener->key.program->name, process ? process->info.pid : 0),
	         word_listener(listener));
	return text;
}

static const struct finding_kind kinds[] = {
        {"fds-exhausted", SEVERITY_PROBLEM, "Out of file descriptors",
         "Raise the limit (ulimit -n), or close what is no longer needed.", look_fds_exhausted},
        {"ports-exhausted", SEVERITY_PROBLEM, "Out of local ports",
         "Use connections again (a pool), or add local addresses, or addresses or ports of the "
         "destination: a port is taken for one destination, others can use it too.",
         look_ports_exhausted},
        {"ports-churned", SEVERITY_PROBLEM, "Out of local ports, though few connections are open",
         "Keep connections open and use them again (a pool), or let the server close first: then "
         "no port rests. A wider net.ipv4.ip_local_port_range puts it off; "
         "net.ipv4.tcp_tw_reuse = 1 lets a port rest one second only.",
         look_ports_churned},
        {"binds-exhausted", SEVERITY_PROBLEM, "Out of ports for bind",
         "Where a connect follows, set IP_BIND_ADDRESS_NO_PORT before bind, or leave bind out; "
         "else close what is no longer needed.",
         look_binds_exhausted},
        {"accept-spin", SEVERITY_PROBLEM, "accept fails again and again without a pause",
         "Stop polling the listener until a descriptor is free, or keep a spare one to accept and "
         "close with.",
         look_accept_spin},
        {"call-spin", SEVERITY_PROBLEM, "A failed call is repeated without a pause",
         "Wait before it is tried again, longer each time, or give up.", look_call_spin},
        {"connect-retry", SEVERITY_WARNING, "connect is tried again without a pause",
         "Wait between tries, longer each time, and not all clients alike.", look_connect_retry},
        {"last-words", SEVERITY_WARNING, "A process ended with a failed call, without exit",
         "See whether it crashed: tcpshim run ends with 128 and the signal's number.",
         look_last_words},
        {"bind-before-connect", SEVERITY_WARNING, "A port is bound before connect",
         "Set IP_BIND_ADDRESS_NO_PORT before bind, or leave bind out: then connect chooses, and a "
         "port serves many destinations.",
         look_bind_first},
        {"client-closes-first", SEVERITY_WARNING, "The client closes first, at a high rate",
         "Let the server close first, or keep connections open and use them again.",
         look_closes_first},
        {"never-closed", SEVERITY_WARNING, "Sockets were never closed",
         "Close them when they are done with; if they are a pool, this is as it should be.",
         look_never_closed},
        {"fds-low", SEVERITY_WARNING, "Few file descriptors were left",
         "Raise the limit (ulimit -n), or close what is no longer needed.", look_fds_low},
        {"ports-low", SEVERITY_WARNING, "Few local ports were left",
         "Keep connections open and use them again, or add local or remote addresses.",
         look_ports_low},
        {"fds-limited", SEVERITY_NOTE, "Out of file descriptors, as a rule asked",
         "See below how it was taken (RECOVERY).", look_fds_limited},
        {"ports-limited", SEVERITY_NOTE, "Out of local ports, as a rule asked",
         "What spares ports: connections that are used again (a pool); a server that closes "
         "first, so that no port rests here; no bind before connect. A port is taken for one "
         "destination, others can use it too.",
         look_ports_limited},
        {"binds-limited", SEVERITY_NOTE, "Out of ports for bind, as a rule asked",
         "Where a connect follows, set IP_BIND_ADDRESS_NO_PORT before bind, or leave bind out.",
         look_binds_limited},
        {"accept-stopped", SEVERITY_NOTE, "After accept failed, it did not succeed again",
         "See that the listener is polled again once a descriptor is free; with edge-triggered "
         "events, that accept is called again until EAGAIN.",
         look_accept_stopped},
        {"inherited", SEVERITY_NOTE, "A socket was inherited over exec without need",
         "Make it with SOCK_CLOEXEC: else its port stays taken while the other program runs.",
         look_inherited},
        {"no-reuseaddr", SEVERITY_NOTE, "A listener without SO_REUSEADDR",
         "Set it before bind: else bind fails with EADDRINUSE after a restart, while old "
         "connections are in TIME_WAIT.",
         look_no_reuseaddr},
        {"any-address", SEVERITY_NOTE, "Listening on every address",
         "Bind to 127.0.0.1, or to one interface, if others need not reach it.", look_any_address},
        {"rule-never-matched", SEVERITY_NOTE, "A rule never matched",
         "See which rule decides such a call instead (tcpshim explain), or leave it out.",
         look_rules_idle},
};

static int by_gravity(const void *a, const void *b)
{
	const struct finding *one = a, *other = b;

	if (one->kind != other->kind)
		return one->kind < other->kind ? -1 : 1; /* the table is in that order */
	return one->weight > other->weight ? -1 : one->weight < other->weight;
}

struct findings findings_of(const struct audit *audit)
{
	struct findings findings = {.list = NULL};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		findings.kind = &kinds[i];
		kinds[i].look(audit, &findings);
	}
	if (findings.count > 0)
		qsort(findings.list, findings.count, sizeof(*findings.list), by_gravity);
	return findings;
}

void findings_free(struct findings *findings)
{
	free(findings->list);
	*findings = (struct findings){.list = NULL};
}

size_t findings_count(const struct findings *findings, enum severity severity)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->list[i].kind->severity == severity;
	return count;
}

const char *findings_severity(enum severity severity)
{
	static const char *const names[] = {"problem", "warning", "note"};

	return severity < SEVERITIES ? names[severity] : "?";
}
