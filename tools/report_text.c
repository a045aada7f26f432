/* SPDX-License-Identifier: MIT */
/* report_text.c - the report for people: the head, then the tables. */
#include <string.h>

#include "core/names.h"
#include "core/text.h"
#include "tools/columns.h"
#include "tools/page.h"
#include "tools/port_range.h"
#include "tools/report.h"
#include "tools/wording.h"

static void print_columns(const struct page *page, struct columns *columns)
{
	columns_print(columns, page->out, page->dim, page->off);
}

static void add_all(struct columns *columns, const char *const *cells)
{
	for (; *cells; cells++)
		columns_add(columns, *cells);
}

/* What a cell has no room for. */
static void print_errors(const struct page *page, const char *what, const char *where,
                         const struct errors *errors)
{
	if (errors->total > 0)
		fprintf(page->out, "  %s%s %s: %s%s\n", page->dim, what, where, word_errors(errors),
		        page->off);
}

static void add_listener(struct columns *columns, const struct report *report,
                         const struct listener *row)
{
	const struct process *process = report->audit->process[row->slot];
	bool is_udp = row->key.place.proto == PROTO_UDP;

	columns_add(columns, word_proto(&row->key.place));
	columns_add(columns, word_moved(word_listener(row), report_asked_there(report, row)));
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

	if (report->listener_count == 0 && report->audit->bind_failed.total == 0)
		return;
	page_heading(page, "LISTENING");
	if (report->listener_count > 0)
		add_all(&columns, head);
	for (size_t i = 0; i < report->listener_count && i < PAGE_ROWS; i++)
		add_listener(&columns, report, report->listeners[i]);
	print_columns(page, &columns);
	page_more(page, report->listener_count, PAGE_ROWS);
	for (size_t i = 0; i < report->listener_count && i < PAGE_ROWS; i++)
		print_errors(page, "failed at", word_listener(report->listeners[i]),
		             &report->listeners[i]->failed);
	print_errors(page, "bind", "failed", &report->audit->bind_failed);
}

static void add_destination(struct columns *columns, const struct report *report,
                            const struct destination *row)
{
	const struct resolved *resolved = ledger_resolved(&report->audit->ledger, &row->place);

	columns_add(columns, word_proto(&row->place));
	columns_add(columns, word_moved(word_place(&row->place), report_asked_of(report, row)));
	columns_add(columns,
	            resolved ? word_text(resolved->name[0], strlen(resolved->name[0])) : "-");
	columns_add(columns, word_number(row->made));
	columns_add(columns, word_number(row->failed.total));
	columns_add(columns, word_number(row->connected.peak));
	columns_add(columns, row->ports ? word_number(row->ports) : "-");
	columns_add(columns, row->reuse_ns == UINT64_MAX ? "-" : word_duration(row->reuse_ns));
	columns_add(columns, word_programs(&row->programs));
}

static void print_outcomes(const struct page *page, const struct report *report)
{
	for (size_t i = 0; i < report->destination_count && i < PAGE_ROWS; i++) {
		const struct destination *row = report->destinations[i];

		print_errors(page, "failed to", word_place(&row->place), &row->failed);
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

	for (size_t i = 0; row && i < PAGE_ROWS; i++, row = row->hh.next) {
		const char *error = name_eai(row->result);

		fprintf(page->out, "  %snot resolved: %s: %s, %s%s\n", page->dim,
		        word_text(row->name, strlen(row->name)), error ? error : "failed",
		        word_count(row->count, "time"), page->off);
	}
	page_more(page, HASH_COUNT(report->audit->ledger.unresolved), PAGE_ROWS);
}

static void print_destinations(const struct page *page, const struct report *report)
{
	static const char *const head[] = {"proto", "address", "name",   "made", "failed",
	                                   "peak",  "ports",   "reused", "by",   NULL};
	struct columns columns = columns_new("lllrrrrrl");

	if (report->destination_count == 0 && !report->audit->ledger.unresolved)
		return;
	page_heading(page, "DESTINATIONS");
	if (report->destination_count > 0)
		add_all(&columns, head);
	for (size_t i = 0; i < report->destination_count && i < PAGE_ROWS; i++)
		add_destination(&columns, report, report->destinations[i]);
	print_columns(page, &columns);
	page_more(page, report->destination_count, PAGE_ROWS);
	print_outcomes(page, report);
	print_unresolved(page, report);
}

static void print_ports(const struct page *page, const struct report *report)
{
	const struct audit *audit = report->audit;
	const struct destination *row = report->tightest;
	struct port_range range = row ? port_range_to(audit, row) : port_range_of(audit, NULL);
	uint64_t ports = range.count, most = row ? row->connected.peak : 0;
	unsigned locals = row && row->locals ? row->locals : 1;

	if (ports == 0)
		return;
	page_heading(page, "EPHEMERAL PORTS");
	fprintf(page->out, "  %s", word_count(ports, "port"));
	if (range.high)
		fprintf(page->out, " (%u-%u)", range.low, range.high);
	if (range.rule)
		fprintf(page->out, " by %s", report_rule_name(report, range.rule, range.set));
	fprintf(page->out, " x %u local address%s = %s at once to one destination\n", locals,
	        locals == 1 ? "" : "es", word_count(ports * locals, "connection"));
	if (row)
		fprintf(page->out, "  most in use: %s, to %s; %s left\n", word_number(most),
		        word_place(&row->place),
		        word_percent(ports * locals - most, ports * locals));
	fprintf(page->out,
	        "  closed by the client, a port rests %d s: %s connections a %s can be kept up\n",
	        TIME_WAIT_S,
	        word_number(ports * locals < TIME_WAIT_S ? ports * locals
	                                                 : ports * locals / TIME_WAIT_S),
	        ports * locals < TIME_WAIT_S ? "minute" : "second");
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
	page_heading(page, "NEVER CLOSED");
	add_all(&columns, head);
	for (size_t i = 0; i < report->leak_count && i < PAGE_ROWS; i++)
		add_leak(&columns, report, report->leaks[i]);
	print_columns(page, &columns);
	page_more(page, report->leak_count, PAGE_ROWS);
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
	columns_add(columns, word_process(row->name, row->processes == 1 ? row->pid : 0));
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
	page_paragraph(page, 2, buf);
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
	page_heading(page, "PROGRAMS");
	if (count > 0)
		add_all(&columns, head);
	for (size_t i = 0; i < count && i < PAGE_ROWS; i++)
		add_program(&columns, report->programs[i]);
	print_columns(page, &columns);
	page_more(page, count, PAGE_ROWS);
	if (count < report->program_count)
		print_others(page, report, count);
}

static void print_origin(const struct page *page, const struct report *report)
{
	const struct reader_info *info = &report->info;
	char buf[40];
	struct text text = text_on(buf, sizeof(buf));

	text_time(&text, info->start_ns / 1000000000 * 1000000000);
	fprintf(page->out, "\n%srecorded from %.19sZ on %s, Linux %s\n%s%s\n", page->dim, buf,
	        word_text(info->host, strlen(info->host)),
	        word_text(info->kernel, strlen(info->kernel)),
	        word_text(info->path, strlen(info->path)), page->off);
}

void report_text(const struct report *report, FILE *out, bool colour)
{
	struct page page = page_on(out, colour);

	report_head(report, &page);
	print_listeners(&page, report);
	print_destinations(&page, report);
	print_ports(&page, report);
	report_recovery(report, &page);
	report_rules(report, &page);
	print_leaks(&page, report);
	print_programs(&page, report);
	print_origin(&page, report);
}
