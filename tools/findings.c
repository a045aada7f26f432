/* SPDX-License-Identifier: MIT */
/* findings.c - see findings.h.
 * A kind of finding is a function that looks, and a row of the table at the end. */
#include "tools/findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/text.h"

#include "tools/rule_wording.h"
#include "tools/wording.h"

enum {
	SPIN_MIN = 10,        /* failures of accept in a row */
	RETRY_MIN = 5,        /* failures of connect in a row */
	CLOSES_PERCENT = 1,   /* of the ports, closed by the client within a minute */
	CLOSES_MIN = 282,     /* that many where the range is unknown */
	LOW_PERCENT = 80,     /* of a limit that was used */
	LEAK_MIN = 3,         /* sockets that were of no use, and not closed */
	LEAK_IN_USE_MIN = 10, /* that were of use, and open for a while */
	RULES_NAMED = 10,     /* of those that never matched */
};

#define LEAK_IN_USE_NS ((uint64_t)1000000000)

__attribute__((format(printf, 4, 5))) static void add(struct findings *findings, uint64_t weight,
                                                      const char *subject, const char *evidence,
                                                      ...)
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

/* Who does it to whom: "curl -> 10.0.0.5:443". */
static const char *call_of(const struct destination *destination)
{
	static char text[256];

	snprintf(text, sizeof(text), "%s -> %s", word_programs(&destination->programs),
	         word_place(&destination->place));
	return text;
}

static const char *listener_of(const struct audit *audit, const struct listener *listener)
{
	const struct process *process = audit->process[listener->slot];
	static char text[256];

	snprintf(text, sizeof(text), "%s %s",
	         word_process(listener->key.program->name, process ? process->info.pid : 0),
	         word_listener(listener));
	return text;
}

/* How many connections a destination can have at once, 0: unknown. */
static uint64_t capacity(const struct audit *audit, const struct destination *destination)
{
	unsigned locals = destination->locals ? destination->locals : 1;

	return (uint64_t)audit_port_count(audit) * locals;
}

static bool is_inet(const struct destination *destination)
{
	return destination->place.family == FAMILY_INET ||
	       destination->place.family == FAMILY_INET6;
}

static void look_fds_exhausted(const struct audit *audit, struct findings *findings)
{
	const struct program *program;

	for (program = audit->ledger.programs; program; program = program->hh.next)
		if (program->no_fd > 0)
			add(findings, program->no_fd, word_process(program->name, 0),
			    "%s failed with EMFILE or ENFILE; the highest socket was fd %s, the "
			    "limit is %s",
			    word_count(program->no_fd, "call"),
			    word_number(program->fd_peak ? program->fd_peak - 1 : 0),
			    word_number(program->fd_limit));
}

/* EADDRNOTAVAIL also says that an address is not to be had at all: then no
 * connection was made. UDP says EAGAIN. */
static void look_ports_exhausted(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	for (row = audit->ledger.destinations; row; row = row->hh.next) {
		bool is_udp = row->place.proto == PROTO_UDP;
		uint64_t count = errors_count(&row->failed, is_udp ? EAGAIN : EADDRNOTAVAIL);

		if (count > 0 && row->made > 0 && is_inet(row))
			add(findings, count, call_of(row),
			    "%s failed with %s; this session had at most %s open to it, of %s "
			    "ports",
			    word_count(count, is_udp ? "call" : "connect"),
			    is_udp ? "EAGAIN" : "EADDRNOTAVAIL", word_number(row->connected.peak),
			    word_number(audit_port_count(audit)));
	}
}

static void look_accept_spin(const struct audit *audit, struct findings *findings)
{
	const struct listener *row;

	for (row = audit->ledger.listeners; row; row = row->hh.next)
		if (row->spinning.best >= SPIN_MIN)
			add(findings, row->spinning.best, listener_of(audit, row),
			    "accept failed %s in a row within %s (%s in all)",
			    word_count(row->spinning.best, "time"),
			    word_duration(row->spinning.best_ns), word_errors(&row->failed));
}

static void look_connect_retry(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	(void)audit;
	for (row = audit->ledger.destinations; row; row = row->hh.next)
		if (row->retries.best >= RETRY_MIN)
			add(findings, row->retries.best, call_of(row),
			    "connect failed %s in a row within %s, less than 10 ms apart (%s in "
			    "all)",
			    word_count(row->retries.best, "time"),
			    word_duration(row->retries.best_ns), word_errors(&row->failed));
}

static void look_bind_first(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	for (row = audit->ledger.destinations; row; row = row->hh.next)
		if (row->bound_first > 0 && row->place.proto == PROTO_TCP)
			add(findings, row->bound_first, call_of(row),
			    "%s of %s had a port from bind(address, 0): such a port serves one "
			    "socket, whatever the destination, so all of them share %s",
			    word_number(row->bound_first), word_count(row->made, "connection"),
			    word_count(audit_port_count(audit), "port"));
}

static void look_closes_first(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;
	uint64_t ports = audit_port_count(audit);
	uint64_t least = ports ? ports * CLOSES_PERCENT / 100 : CLOSES_MIN;

	for (row = audit->ledger.destinations; row; row = row->hh.next) {
		uint64_t peak = row->closing.peak;

		if (peak < least || peak == 0 || row->closed_first + row->closed_unknown == 0)
			continue;
		add(findings, peak, call_of(row),
		    "%s closed by the client first%s; up to %s within a minute, each of which "
		    "holds its port for %d s (TIME_WAIT%s): %s of the %s ports to this destination",
		    word_number(row->closed_first + row->closed_unknown),
		    row->closed_unknown == 0 ? ""
		    : row->closed_first == 0
		            ? ", unless the server had (its end is not in the session)"
		            : ", unless the server had (some of its ends are not in the session)",
		    word_number(peak), TIME_WAIT_S,
		    addr_is_loopback(&row->place.end.ip) ? ", on loopback perhaps only 1 s" : "",
		    peak < capacity(audit, row) ? word_percent(peak, capacity(audit, row)) : "all",
		    word_number(capacity(audit, row)));
	}
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
		add(findings, row->count,
		    word_process(row->key.program->name, process ? process->info.pid : 0),
		    "%s (%s) were still open %s, the oldest after %s%s%s",
		    word_count(row->count, "socket"), leak_of(row),
		    row->key.ended ? "when the process ended" : "at the end of the record",
		    word_duration(row->age_ns), row->has_remote ? ", to " : "",
		    row->has_remote ? word_endpoint(&row->remote) : "");
	}
}

static bool is_low(uint64_t used, uint64_t limit)
{
	return limit > 0 && used * 100 >= limit * LOW_PERCENT;
}

static void look_fds_low(const struct audit *audit, struct findings *findings)
{
	const struct program *program;

	for (program = audit->ledger.programs; program; program = program->hh.next)
		if (!program->no_fd && is_low(program->fd_peak, program->fd_limit))
			add(findings, program->fd_peak, word_process(program->name, 0),
			    "the highest socket was fd %s, the limit is %s",
			    word_number(program->fd_peak - 1), word_number(program->fd_limit));
}

static void look_ports_low(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	for (row = audit->ledger.destinations; row; row = row->hh.next)
		if (is_inet(row) && is_low(row->connected.peak, capacity(audit, row)))
			add(findings, row->connected.peak, call_of(row),
			    "%s at once, and there are ports for %s",
			    word_count(row->connected.peak, "connection"),
			    word_number(capacity(audit, row)));
}

static void look_inherited(const struct audit *audit, struct findings *findings)
{
	const struct heirloom *row;

	for (row = audit->ledger.heirlooms; row; row = row->hh.next) {
		const struct process *process = audit->process[row->slot];

		add(findings, row->count,
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
			add(findings, row->accepted, listener_of(audit, row),
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
		add(findings, row->accepted, listener_of(audit, row),
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
		add(findings, idle, word_count(idle, "rule"), "%s%s%s", list,
		    idle > named ? " and " : "",
		    idle > named ? word_count(idle - named, "other") : "");
}

static const struct finding_kind kinds[] = {
        {"fds-exhausted", SEVERITY_PROBLEM, "Out of file descriptors",
         "Raise the limit (ulimit -n), or close what is no longer needed.", look_fds_exhausted},
        {"ports-exhausted", SEVERITY_PROBLEM, "Out of local ports",
         "Keep connections open and use them again, let the server close first, or add addresses.",
         look_ports_exhausted},
        {"accept-spin", SEVERITY_PROBLEM, "accept fails again and again without a pause",
         "Stop polling the listener until a descriptor is free, or keep a spare one to accept and "
         "close with.",
         look_accept_spin},
        {"connect-retry", SEVERITY_WARNING, "connect is tried again without a pause",
         "Wait between tries, longer each time, and not all clients alike.", look_connect_retry},
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
