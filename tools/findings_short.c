/* SPDX-License-Identifier: MIT */
/* findings_short.c - what ran out, or nearly: descriptors and ports.
 *
 * A port is taken for a destination: the same one serves another destination at the same
 * time, as long as the whole tuple is unique. Not so one that bind gave. And a connection
 * that this side has closed first keeps its tuple for a while (TIME_WAIT), so that ports to a
 * destination can run out though few connections are open. */
#include <errno.h>
#include <stdio.h>

#include "tools/findings_look.h"
#include "tools/port_range.h"
#include "tools/wording.h"

enum {
	CLOSES_PERCENT = 1, /* of the ports, closed by the client within a minute */
	CLOSES_MIN = 282,   /* that many where the range is unknown */
	LOW_PERCENT = 80,   /* of a limit that was used */
};

static bool is_inet(const struct destination *destination)
{
	return destination->place.family == FAMILY_INET ||
	       destination->place.family == FAMILY_INET6;
}

static bool is_low(uint64_t used, uint64_t limit)
{
	return limit > 0 && used * 100 >= limit * LOW_PERCENT;
}

/* ---- descriptors ---- */

static bool limits_fds(const struct audit *audit, const struct program *program)
{
	uint32_t set;

	return port_range_fds_rule(audit, program, &set) > 0;
}

/* Without those that a rule has failed. */
static void add_fds(const struct audit *audit, struct findings *findings, bool is_limited)
{
	const struct program *program;

	for (program = audit->ledger.programs; program; program = program->hh.next) {
		uint64_t count = program->no_fd - program->no_fd_by_rule;

		if (count > 0 && limits_fds(audit, program) == is_limited)
			findings_add(
			        findings, count, word_process(program->name, 0),
			        "%s failed with EMFILE or ENFILE; the highest socket was fd %s, "
			        "the limit is %s",
			        word_count(count, "call"),
			        word_number(program->fd_peak ? program->fd_peak - 1 : 0),
			        word_number(program->fd_limit));
	}
}

void look_fds_exhausted(const struct audit *audit, struct findings *findings)
{
	add_fds(audit, findings, false);
}

void look_fds_limited(const struct audit *audit, struct findings *findings)
{
	add_fds(audit, findings, true);
}

void look_fds_low(const struct audit *audit, struct findings *findings)
{
	const struct program *program;

	for (program = audit->ledger.programs; program; program = program->hh.next)
		if (!program->no_fd && is_low(program->fd_peak, program->fd_limit) &&
		    !limits_fds(audit, program))
			findings_add(findings, program->fd_peak, word_process(program->name, 0),
			             "the highest socket was fd %s, the limit is %s",
			             word_number(program->fd_peak - 1),
			             word_number(program->fd_limit));
}

/* ---- ports ---- */

enum cause { CAUSE_OPEN, CAUSE_CHURN, CAUSE_RULE };

/* "16 ports (40000-40015, rule 1)" */
static const char *words_of_range(const struct port_range *range)
{
	static char text[2][128];
	static unsigned next;
	char *buf = text[next++ % 2];
	int len = snprintf(buf, sizeof(text[0]), "%s", word_count(range->count, "port"));

	if (range->high)
		len += snprintf(buf + len, sizeof(text[0]) - (size_t)len, " (%u-%u%s%s)",
		                range->low, range->high, range->rule ? ", " : "",
		                range->rule ? word_rule(range->rule, 0) : "");
	else if (range->rule)
		snprintf(buf + len, sizeof(text[0]) - (size_t)len, " (%s)",
		         word_rule(range->rule, 0));
	return buf;
}

/* Were more of its ports lately closed than are open? If it is this session that has the
 * ports: on a busy host others may. */
static bool is_churn(const struct shortage *shortage, const struct port_range *range)
{
	uint64_t closed = shortage->closed + shortage->closed_unknown;

	return closed > shortage->open && (closed + shortage->open) * 2 >= range->count;
}

/* EADDRNOTAVAIL also says that an address is not to be had at all: then no connection was
 * made, and nothing was short. */
static bool is_short(const struct destination *row, const struct port_range *range)
{
	return row->shortage.count > 0 && is_inet(row) && !range->is_other &&
	       (row->made > 0 || range->is_limit);
}

static const char *words_of_closed(const struct shortage *shortage)
{
	static char text[160];

	snprintf(text, sizeof(text), "%s%s%s%s%s",
	         shortage->closed ? word_number(shortage->closed) : "",
	         shortage->closed ? " surely before the other end" : "",
	         shortage->closed && shortage->closed_unknown ? ", " : "",
	         shortage->closed_unknown ? word_number(shortage->closed_unknown) : "",
	         shortage->closed_unknown ? " perhaps: the other end is not in the session" : "");
	return text;
}

static void add_shortage(const struct destination *row, const struct port_range *range,
                         struct findings *findings)
{
	const struct shortage *shortage = &row->shortage;
	uint64_t closed = shortage->closed + shortage->closed_unknown;
	const char *error = row->place.proto == PROTO_UDP ? "EAGAIN" : "EADDRNOTAVAIL";

	if (closed == 0)
		findings_add(findings, shortage->count, findings_call(row),
		             "%s failed with %s; at the first of them this session had %s open to "
		             "it, of %s",
		             word_count(shortage->count, "call"), error,
		             word_number(shortage->open), words_of_range(range));
	else
		findings_add(findings, shortage->count, findings_call(row),
		             "%s failed with %s; at the first of them this session had %s open to "
		             "it, of %s, and had closed %s within %d s (%s); such a one keeps its "
		             "port for this destination, %d s as a rule (TIME_WAIT)",
		             word_count(shortage->count, "call"), error,
		             word_number(shortage->open), words_of_range(range),
		             word_number(closed), TIME_WAIT_S, words_of_closed(shortage),
		             TIME_WAIT_S);
}

static void add_shortages(const struct audit *audit, struct findings *findings, enum cause cause)
{
	const struct destination *row;

	for (row = audit->ledger.destinations; row; row = row->hh.next) {
		struct port_range range = port_range_short(audit, &row->shortage);

		if (!is_short(row, &range))
			continue;
		if (cause == (range.is_limit                     ? CAUSE_RULE
		              : is_churn(&row->shortage, &range) ? CAUSE_CHURN
		                                                 : CAUSE_OPEN))
			add_shortage(row, &range, findings);
	}
}

void look_ports_exhausted(const struct audit *audit, struct findings *findings)
{
	add_shortages(audit, findings, CAUSE_OPEN);
}

void look_ports_churned(const struct audit *audit, struct findings *findings)
{
	add_shortages(audit, findings, CAUSE_CHURN);
}

void look_ports_limited(const struct audit *audit, struct findings *findings)
{
	add_shortages(audit, findings, CAUSE_RULE);
}

static void add_binds(const struct audit *audit, struct findings *findings, bool is_limited)
{
	const struct shortage *shortage = &audit->bind_short;
	struct port_range range = port_range_short(audit, shortage);

	if (shortage->count == 0 || range.is_other || range.is_limit != is_limited)
		return;
	findings_add(
	        findings, shortage->count,
	        word_process(shortage->program ? shortage->program->name : "?", 0),
	        "%s without a port found none (EADDRINUSE); at the first this session held %s, "
	        "of %s: one that bind gives serves one socket, whatever the destination",
	        word_count(shortage->count, "bind or listen"), word_count(shortage->open, "port"),
	        words_of_range(&range));
}

void look_binds_exhausted(const struct audit *audit, struct findings *findings)
{
	add_binds(audit, findings, false);
}

void look_binds_limited(const struct audit *audit, struct findings *findings)
{
	add_binds(audit, findings, true);
}

void look_ports_low(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	for (row = audit->ledger.destinations; row; row = row->hh.next) {
		uint64_t capacity = port_range_capacity(audit, row);

		if (is_inet(row) && is_low(row->connected.peak, capacity) &&
		    !port_range_to(audit, row).is_limit)
			findings_add(findings, row->connected.peak, findings_call(row),
			             "%s at once, and there are ports for %s",
			             word_count(row->connected.peak, "connection"),
			             word_number(capacity));
	}
}

/* ---- habits that cost ports ---- */

void look_bind_first(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	for (row = audit->ledger.destinations; row; row = row->hh.next)
		if (row->bound_first > 0 && row->place.proto == PROTO_TCP)
			findings_add(
			        findings, row->bound_first, findings_call(row),
			        "%s of %s had a port from bind(address, 0): such a port serves one "
			        "socket, whatever the destination, so all of them share %s",
			        word_number(row->bound_first), word_count(row->made, "connection"),
			        word_count(port_range_to(audit, row).count, "port"));
}

/* Whatever a rule leaves it here: elsewhere it has these. */
static uint64_t host_capacity(const struct audit *audit, const struct destination *row)
{
	return audit_port_count(audit) * (uint64_t)(row->locals ? row->locals : 1);
}

void look_closes_first(const struct audit *audit, struct findings *findings)
{
	const struct destination *row;

	for (row = audit->ledger.destinations; row; row = row->hh.next) {
		uint64_t peak = row->closing.peak;
		uint64_t ports = audit_port_count(audit);
		uint64_t least = ports ? ports * CLOSES_PERCENT / 100 : CLOSES_MIN;

		if (peak < least || peak == 0 || row->closed_first + row->closed_unknown == 0)
			continue;
		findings_add(
		        findings, peak, findings_call(row),
		        "%s closed by the client first%s; up to %s within a minute, each of which "
		        "holds its port for %d s (TIME_WAIT%s): %s of the %s ports to this "
		        "destination",
		        word_number(row->closed_first + row->closed_unknown),
		        row->closed_unknown == 0 ? ""
		        : row->closed_first == 0
		                ? ", unless the server had (its end is not in the session)"
		                : ", unless the server had (some of its ends are not in the "
		                  "session)",
		        word_number(peak), TIME_WAIT_S,
		        addr_is_loopback(&row->place.end.ip) ? ", on loopback perhaps only 1 s"
		                                             : "",
		        peak < host_capacity(audit, row)
		                ? word_percent(peak, host_capacity(audit, row))
		                : "all",
		        word_number(host_capacity(audit, row)));
	}
}
