/* SPDX-License-Identifier: MIT */
/* report_text.c - the report for people: what is missing, three lines that say
 * it all, findings, then the tables. No line of ours is longer than LINE. */
#include <string.h>

#include "core/names.h"
#include "core/text.h"
#include "tools/columns.h"
#include "tools/report.h"
#include "tools/wording.h"

enum { LINE = 90, ROWS_SHOWN = 20, FINDINGS_SHOWN = 5, NAMES_SHOWN = 4 };

struct page {
	FILE *out;
	const char *bold, *dim, *red, *yellow, *off;
};

static struct page page_on(FILE *out, bool colour)
{
	if (!colour)
		return (struct page){out, "", "", "", "", ""};
	return (struct page){out, "\033[1m", "\033[2m", "\033[31m", "\033[33m", "\033[0m"};
}

static void heading(const struct page *page, const char *title)
{
	fprintf(page->out, "\n%s%s%s\n", page->bold, title, page->off);
}

/* Text from one word to the next, broken before LINE, each line indented. */
static void paragraph(const struct page *page, int indent, const char *text)
{
	size_t width = (size_t)(LINE - indent);

	while (*text) {
		size_t len = strlen(text);

		if (len > width) {
			for (len = width; len > 0 && text[len] != ' '; len--)
				;
			if (len == 0)
				len = strcspn(text, " ");
		}
		fprintf(page->out, "%*s%.*s\n", indent, "", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
}

static void more(const struct page *page, size_t count, size_t shown)
{
	if (count > shown)
		fprintf(page->out, "  %sand %s more: --json has all%s\n", page->dim,
		        word_number(count - shown), page->off);
}

/* ---- what is missing ---- */

static void missing(const struct page *page, uint64_t count, const char *thing, const char *why)
{
	if (count > 0)
		fprintf(page->out, "%sincomplete: %s %s%s\n", page->red, word_count(count, thing),
		        why, page->off);
}

static void print_missing(const struct page *page, const struct report *report)
{
	const struct reader_info *info = &report->info;

	missing(page, info->events_dropped, "event",
	        "lost: the session was full, or its disk (tcpshim run --capacity)");
	missing(page, info->damaged, "part", "of the file made no sense and was left out");
	missing(page, info->processes_dropped, "process record", "lost: the table was full");
	missing(page, info->peers_dropped, "UDP peer", "not recorded: too many for one socket");
	missing(page, report->audit->life.names_dropped, "descriptor",
	        "of forked processes not followed: too many");
}

static void print_unseen(const struct page *page, const struct report *report)
{
	for (size_t i = 0; i < report->unseen_count && i < ROWS_SHOWN; i++) {
		const struct unseen *unseen = &report->unseen[i];

		fprintf(page->out, "%s%s: %s%s\n      %s\n", page->yellow,
		        unseen->is_partial ? "seen in part" : "not seen", word_unseen(unseen),
		        page->off, unseen->why);
	}
	more(page, report->unseen_count, ROWS_SHOWN);
}

/* ---- the three lines ---- */

static void print_programs_line(const struct page *page, const struct report *report)
{
	const struct audit *audit = report->audit;
	size_t i;

	if (audit->processes == 0) {
		fprintf(page->out, "%snothing seen:%s the library came up in no process\n",
		        page->bold, page->off);
		return;
	}
	fputs(page->bold, page->out);
	for (i = 0; i < report->program_count && i < NAMES_SHOWN; i++)
		fprintf(page->out, "%s%s", i ? ", " : "",
		        word_process(report->programs[i]->name, 0));
	if (i < report->program_count)
		fprintf(page->out, " and %s",
		        word_count(report->program_count - i, "other program"));
	fprintf(page->out, "%s: %s in %s, ", page->off, word_count(audit->processes, "process"),
	        word_duration(audit->now_ns > audit->first_ns ? audit->now_ns - audit->first_ns
	                                                      : 0));
	if (report->blind_count)
		fprintf(page->out, "%s not seen", word_number(report->blind_count));
	else
		fputs(report->unseen_count ? "some seen in part" : "all seen", page->out);
	fputs(report->is_live ? ", still running\n" : "\n", page->out);
}

static void print_traffic_line(const struct page *page, const struct report *report)
{
	size_t listening = 0;

	for (size_t i = 0; i < report->listener_count; i++)
		listening += report->listeners[i]->key.place.proto != PROTO_UDP;
	if (listening)
		fprintf(page->out, "%s listened on, %s accepted", word_count(listening, "port"),
		        word_count(report->accepted, "connection"));
	else
		fputs("listens nowhere", page->out);
	if (report->destination_count)
		fprintf(page->out, "; %s made to %s, %s failed\n",
		        word_count(report->made, "connection"),
		        word_count(report->destination_count, "destination"),
		        word_number(report->failed));
	else
		fputs("; calls nobody\n", page->out);
}

static void print_findings_line(const struct page *page, const struct report *report)
{
	const char *comma = "";

	for (int severity = 0; severity < SEVERITIES; severity++) {
		size_t count = findings_count(&report->findings, (enum severity)severity);

		if (count == 0)
			continue;
		fprintf(page->out, "%s%s", comma,
		        word_count(count, findings_severity((enum severity)severity)));
		comma = ", ";
	}
	if (report->findings.count == 0)
		fputs("nothing found that needs attention", page->out);
	if (report->tightest && report_capacity(report, report->tightest))
		fprintf(page->out, "; at most %s of %s ephemeral ports in use to one destination",
		        word_number(report->tightest->connected.peak),
		        word_number(report_capacity(report, report->tightest)));
	fputc('\n', page->out);
}

/* ---- sections ---- */

static void print_finding(const struct page *page, const struct finding *finding)
{
	fprintf(page->out, "    %s\n", finding->subject);
	paragraph(page, 6, finding->evidence);
}

static void print_findings(const struct page *page, const struct report *report)
{
	const struct findings *findings = &report->findings;

	if (findings->count == 0)
		return;
	heading(page, "FINDINGS");
	for (size_t i = 0, next; i < findings->count; i = next) {
		const struct finding_kind *kind = findings->list[i].kind;
		size_t shown = 0;

		fprintf(page->out, "  %s%s%s: %s\n",
		        kind->severity == SEVERITY_PROBLEM   ? page->red
		        : kind->severity == SEVERITY_WARNING ? page->yellow
		                                             : page->bold,
		        findings_severity(kind->severity), page->off, kind->title);
		for (next = i; next < findings->count && findings->list[next].kind == kind; next++)
			if (++shown <= FINDINGS_SHOWN)
				print_finding(page, &findings->list[next]);
		more(page, next - i, FINDINGS_SHOWN);
		fputs(page->dim, page->out);
		paragraph(page, 4, kind->advice);
		fputs(page->off, page->out);
	}
}

static void print_columns(const struct page *page, struct columns *columns)
{
	columns_print(columns, page->out, page->dim, page->off);
}

static void add_all(struct columns *columns, const char *const *cells)
{
	for (; *cells; cells++)
		columns_add(columns, *cells);
}

static void add_listener(struct columns *columns, const struct report *report,
                         const struct listener *row)
{
	const struct process *process = report->audit->process[row->slot];
	bool is_udp = row->key.place.proto == PROTO_UDP;

	columns_add(columns, word_proto(&row->key.place));
	columns_add(columns, word_listener(row));
	columns_add(columns, row->backlog < 0 ? "-" : word_number((uint64_t)row->backlog));
	columns_add(columns, is_udp ? word_count(row->peers, "peer") : word_number(row->accepted));
	columns_add(columns, is_udp ? "-" : word_number(row->connected.peak));
	columns_add(columns, word_number(row->failed.total));
	columns_add(columns, word_process(row->key.program->name, process ? process->info.pid : 0));
}

static void print_listeners(const struct page *page, const struct report *report)
{
	static const char *const head[] = {"proto", "address", "backlog", "accepted",
	                                   "peak",  "failed",  "by",      NULL};
	struct columns columns = columns_new("llrrrrl");

	if (report->listener_count == 0)
		return;
	heading(page, "LISTENING");
	add_all(&columns, head);
	for (size_t i = 0; i < report->listener_count && i < ROWS_SHOWN; i++)
		add_listener(&columns, report, report->listeners[i]);
	print_columns(page, &columns);
	more(page, report->listener_count, ROWS_SHOWN);
}

static void add_destination(struct columns *columns, const struct report *report,
                            const struct destination *row)
{
	const struct resolved *resolved = ledger_resolved(&report->audit->ledger, &row->place);

	columns_add(columns, word_proto(&row->place));
	columns_add(columns, word_place(&row->place));
	columns_add(columns,
	            resolved ? word_text(resolved->name[0], strlen(resolved->name[0])) : "-");
	columns_add(columns, word_number(row->made));
	columns_add(columns, word_number(row->failed.total));
	columns_add(columns, word_number(row->connected.peak));
	columns_add(columns, row->ports ? word_number(row->ports) : "-");
	columns_add(columns, row->reuse_ns == UINT64_MAX ? "-" : word_duration(row->reuse_ns));
	columns_add(columns, word_programs(&row->programs));
}

/* What a cell has no room for. */
static void print_failures(const struct page *page, const struct report *report)
{
	for (size_t i = 0; i < report->destination_count && i < ROWS_SHOWN; i++) {
		const struct destination *row = report->destinations[i];

		if (row->failed.total > 0)
			fprintf(page->out, "  %sfailed to %s: %s%s\n", page->dim,
			        word_place(&row->place), word_errors(&row->failed), page->off);
		if (row->pending > 0)
			fprintf(page->out,
			        "  %sto %s: %s did not wait; how they went is not known%s\n",
			        page->dim, word_place(&row->place),
			        word_count(row->pending, "connect"), page->off);
	}
}

static void print_unresolved(const struct page *page, const struct report *report)
{
	const struct unresolved *row = report->audit->ledger.unresolved;

	for (size_t i = 0; row && i < ROWS_SHOWN; i++, row = row->hh.next) {
		const char *error = name_eai(row->result);

		fprintf(page->out, "  %snot resolved: %s: %s, %s%s\n", page->dim,
		        word_text(row->name, strlen(row->name)), error ? error : "failed",
		        word_count(row->count, "time"), page->off);
	}
	more(page, HASH_COUNT(report->audit->ledger.unresolved), ROWS_SHOWN);
}

static void print_destinations(const struct page *page, const struct report *report)
{
	static const char *const head[] = {"proto", "address", "name",   "made", "failed",
	                                   "peak",  "ports",   "reused", "by",   NULL};
	struct columns columns = columns_new("lllrrrrrl");

	if (report->destination_count == 0 && !report->audit->ledger.unresolved)
		return;
	heading(page, "DESTINATIONS");
	if (report->destination_count > 0)
		add_all(&columns, head);
	for (size_t i = 0; i < report->destination_count && i < ROWS_SHOWN; i++)
		add_destination(&columns, report, report->destinations[i]);
	if (report->destination_count > 0)
		print_columns(page, &columns);
	more(page, report->destination_count, ROWS_SHOWN);
	print_failures(page, report);
	print_unresolved(page, report);
}

static void print_ports(const struct page *page, const struct report *report)
{
	const struct audit *audit = report->audit;
	const struct destination *row = report->tightest;
	uint64_t ports = audit_port_count(audit), most = row ? row->connected.peak : 0;
	unsigned locals = row && row->locals ? row->locals : 1;

	if (ports == 0)
		return;
	heading(page, "EPHEMERAL PORTS");
	fprintf(page->out, "  %s (%u-%u) x %u local address%s = %s at once to one destination\n",
	        word_count(ports, "port"), audit->port_low, audit->port_high, locals,
	        locals == 1 ? "" : "es", word_count(ports * locals, "connection"));
	if (row)
		fprintf(page->out, "  most in use: %s, to %s; %s left\n", word_number(most),
		        word_place(&row->place),
		        word_percent(ports * locals - most, ports * locals));
	fprintf(page->out, "  held at once, all destinations: %s tcp, %s udp\n",
	        word_number(audit->tcp.ephemeral.peak), word_number(audit->udp.ephemeral.peak));
}

static void add_leak(struct columns *columns, const struct report *report, const struct leak *row)
{
	const struct process *process = report->audit->process[row->slot];
	char ends[2 * ADDR_TEXT_MAX + 8];

	snprintf(ends, sizeof(ends), "%s%s%s", row->has_local ? word_endpoint(&row->local) : "-",
	         row->has_remote ? " > " : "", row->has_remote ? word_endpoint(&row->remote) : "");
	columns_add(columns, word_number(row->count));
	columns_add(columns, report_use((enum use)row->key.use));
	columns_add(columns, word_duration(row->age_ns));
	columns_add(columns, row->key.ended ? "until exit" : "still open");
	columns_add(columns, ends);
	columns_add(columns, word_process(row->key.program->name, process ? process->info.pid : 0));
}

static void print_leaks(const struct page *page, const struct report *report)
{
	static const char *const head[] = {"sockets",     "use", "oldest", "when",
	                                   "for example", "by",  NULL};
	struct columns columns = columns_new("rlrlll");

	if (report->leak_count == 0)
		return;
	heading(page, "NEVER CLOSED");
	add_all(&columns, head);
	for (size_t i = 0; i < report->leak_count && i < ROWS_SHOWN; i++)
		add_leak(&columns, report, report->leaks[i]);
	print_columns(page, &columns);
	more(page, report->leak_count, ROWS_SHOWN);
}

static void add_program(struct columns *columns, const struct program *row)
{
	columns_add(columns, word_number(row->processes));
	columns_add(columns, row->running ? word_number(row->running) : "-");
	columns_add(columns, word_number(row->sockets));
	columns_add(columns, row->fd_peak ? word_number(row->fd_peak) : "-");
	columns_add(columns, row->fd_limit ? word_number(row->fd_limit) : "-");
	columns_add(columns, row->fd_peak && row->fd_limit
	                             ? word_percent(row->fd_peak, row->fd_limit)
	                             : "-");
	columns_add(columns, word_process(row->name, 0));
}

/* Programs that had nothing to do with sockets, in a line. */
static void print_others(const struct page *page, const struct report *report, size_t from)
{
	char buf[1024];
	struct text text = text_on(buf, sizeof(buf));

	text_put(&text, "without a socket: ");
	for (size_t i = from; i < report->program_count; i++) {
		text_put(&text, i > from ? ", " : "");
		text_put(&text, word_process(report->programs[i]->name, 0));
	}
	fputs(page->dim, page->out);
	paragraph(page, 2, buf);
	fputs(page->off, page->out);
}

static void print_programs(const struct page *page, const struct report *report)
{
	static const char *const head[] = {"processes", "running", "sockets", "fd peak",
	                                   "limit",     "used",    "program", NULL};
	struct columns columns = columns_new("rrrrrrl");
	size_t count = 0;

	while (count < report->program_count && report->programs[count]->sockets > 0)
		count++;
	if (report->program_count == 0)
		return;
	heading(page, "PROGRAMS");
	add_all(&columns, head);
	for (size_t i = 0; i < count && i < ROWS_SHOWN; i++)
		add_program(&columns, report->programs[i]);
	if (count > 0)
		print_columns(page, &columns);
	more(page, count, ROWS_SHOWN);
	if (count < report->program_count)
		print_others(page, report, count);
}

void report_text(const struct report *report, FILE *out, bool colour)
{
	struct page page = page_on(out, colour);

	print_missing(&page, report);
	print_programs_line(&page, report);
	print_traffic_line(&page, report);
	print_findings_line(&page, report);
	print_unseen(&page, report);
	print_findings(&page, report);
	print_listeners(&page, report);
	print_destinations(&page, report);
	print_ports(&page, report);
	print_leaks(&page, report);
	print_programs(&page, report);
}
