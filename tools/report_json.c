/* SPDX-License-Identifier: MIT */
/* report_json.c - the report as one JSON object. Names are stable; unknown
 * values are null. Times are RFC 3339 in UTC, durations are in ns, addresses are
 * "1.2.3.4:80" or "[::1]:80".
 *
 *  format         1
 *  session        path, host, kernel, started, seed (hex), live, events, bytes,
 *                 capacity and used (lines of 64 bytes), first_event, duration_ns
 *  lost           events, processes, udp_peers, damaged, closes (not seen),
 *                 descriptors (of forks, not followed)
 *  not_seen[]     program, processes, pid (of the first), partial, what, why
 *  totals         processes, running, tcp_sockets, udp_sockets, unix_sockets,
 *                 other_sockets, open_peak, made, failed, accepted
 *  findings[]     id, severity, title, subject, evidence, advice
 *  listeners[]    proto, address, ephemeral, program, pid, backlog, sockets,
 *                 accepted, peak, peers, reuseaddr, failed{ERRNO: n}
 *  destinations[] proto, address, names[], programs[], made (of them pending: the
 *                 outcome is not known), failed{ERRNO: n}, peak, local_ports, local_addresses[],
 * reused_after_ns, bound_first, closed_first, closed_by_peer_first, closed_unknown, capacity,
 *                 headroom_percent
 *  ephemeral      low, high, ports, tcp_peak, udp_peak; tightest: the address of the
 *                 destination with the least headroom, and its local_addresses,
 *                 capacity, peak, headroom_percent
 *  unresolved[]   name, error, count
 *  bind_failed    {ERRNO: n}
 *  never_closed[] program, pid, fd, count, use, at_exit, proto, oldest_ns, local, remote
 *  programs[]     name, processes, running, sockets, fd_peak, fd_limit, fd_failures
 *  processes[]    pid, ppid, uid, program, name, origin, state, running, status,
 *                 coverage, started, ended, sockets, fd_peak, fd_limit
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "core/names.h"
#include "core/text.h"
#include "tools/report.h"
#include "tools/wording.h"

static void add(cJSON *object, const char *name, cJSON *item)
{
	if (!item || !cJSON_AddItemToObject(object, name, item))
		memory_gone();
}

static void push(cJSON *array, cJSON *item)
{
	if (!item || !cJSON_AddItemToArray(array, item))
		memory_gone();
}

static cJSON *add_array(cJSON *object, const char *name)
{
	cJSON *array = cJSON_AddArrayToObject(object, name);

	if (!array)
		memory_gone();
	return array;
}

static cJSON *add_object(cJSON *object, const char *name)
{
	cJSON *inner = cJSON_AddObjectToObject(object, name);

	if (!inner)
		memory_gone();
	return inner;
}

/* All 64 bits, which a double would not hold. */
static void add_number(cJSON *object, const char *name, uint64_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	add(object, name, cJSON_CreateRaw(digits));
}

/* A number that is not there when it is 0. */
static void add_known(cJSON *object, const char *name, uint64_t number)
{
	if (number)
		add_number(object, name, number);
	else
		add(object, name, cJSON_CreateNull());
}

static void add_bool(cJSON *object, const char *name, bool value)
{
	add(object, name, cJSON_CreateBool(value));
}

/* Bytes that may be anything: cJSON would pass on what is not UTF-8. */
static cJSON *string_of(const char *bytes)
{
	enum { GROWTH = 6 }; /* a control character: \u0000 */
	size_t size = strlen(bytes) * GROWTH + 3;
	char *buf = memory_new(size);
	struct text text = text_on(buf, size);
	cJSON *item;

	text_json(&text, bytes, strlen(bytes), 0);
	item = cJSON_CreateRaw(buf);
	free(buf);
	return item;
}

static void add_string(cJSON *object, const char *name, const char *bytes)
{
	add(object, name, string_of(bytes));
}

static void add_time(cJSON *object, const char *name, uint64_t real_ns)
{
	char buf[40];
	struct text text = text_on(buf, sizeof(buf));

	text_time(&text, real_ns);
	add(object, name, real_ns ? cJSON_CreateString(buf) : cJSON_CreateNull());
}

static void add_address(cJSON *object, const char *name, const struct place *place)
{
	add_string(object, name,
	           place->family == FAMILY_UNIX ? place->path : word_endpoint(&place->end));
}

static void add_errors(cJSON *object, const char *name, const struct errors *errors)
{
	cJSON *counts = add_object(object, name);

	for (unsigned i = 0; i < errors->kinds; i++) {
		const char *error = name_errno(errors->kind[i].error);

		add_number(counts, error ? error : word_number((uint64_t)errors->kind[i].error),
		           errors->kind[i].count);
	}
	if (errors->other)
		add_number(counts, "other", errors->other);
}

static uint32_t pid_of(const struct report *report, uint32_t slot)
{
	const struct process *process = report->audit->process[slot];

	return process ? process->info.pid : 0;
}

/* ---- the parts ---- */

static void add_session(cJSON *root, const struct report *report)
{
	const struct reader_info *info = &report->info;
	const struct audit *audit = report->audit;
	cJSON *session = add_object(root, "session");
	char seed[32];

	snprintf(seed, sizeof(seed), "0x%016llx", (unsigned long long)info->seed);
	add_string(session, "path", info->path);
	add_string(session, "host", info->host);
	add_string(session, "kernel", info->kernel);
	add_time(session, "started", info->start_ns);
	add_string(session, "seed", seed);
	add_bool(session, "live", report->is_live);
	add_number(session, "events", audit->events);
	add_number(session, "bytes", info->bytes);
	add_number(session, "capacity", info->capacity_lines);
	add_number(session, "used", info->used_lines);
	add_time(session, "first_event", audit->first_ns);
	add_number(session, "duration_ns",
	           audit->now_ns > audit->first_ns ? audit->now_ns - audit->first_ns : 0);
}

static void add_lost(cJSON *root, const struct report *report)
{
	cJSON *lost = add_object(root, "lost");

	add_number(lost, "events", report->info.events_dropped);
	add_number(lost, "processes", report->info.processes_dropped);
	add_number(lost, "udp_peers", report->info.peers_dropped);
	add_number(lost, "damaged", report->info.damaged);
	add_number(lost, "closes", report->audit->life.closes_missed);
	add_number(lost, "descriptors", report->audit->life.names_dropped);
}

static void add_not_seen(cJSON *root, const struct report *report)
{
	cJSON *list = add_array(root, "not_seen");

	for (size_t i = 0; i < report->unseen_count; i++) {
		const struct unseen *unseen = &report->unseen[i];
		cJSON *item = cJSON_CreateObject();

		push(list, item);
		add_string(item, "program", unseen->program);
		add_number(item, "processes", unseen->count);
		add_number(item, "pid", unseen->pid);
		add_bool(item, "partial", unseen->is_partial);
		add_string(item, "what", unseen->what);
		add_string(item, "why", unseen->why);
	}
}

static void add_totals(cJSON *root, const struct report *report)
{
	const struct audit *audit = report->audit;
	cJSON *totals = add_object(root, "totals");

	add_number(totals, "processes", audit->processes);
	add_number(totals, "running", audit->running);
	add_number(totals, "tcp_sockets", audit->sockets_tcp);
	add_number(totals, "udp_sockets", audit->sockets_udp);
	add_number(totals, "unix_sockets", audit->sockets_unix);
	add_number(totals, "other_sockets", audit->sockets_other);
	add_number(totals, "open_peak", audit->life.open.peak);
	add_number(totals, "made", report->made);
	add_number(totals, "failed", report->failed);
	add_number(totals, "accepted", report->accepted);
}

static void add_findings(cJSON *root, const struct report *report)
{
	cJSON *list = add_array(root, "findings");

	for (size_t i = 0; i < report->findings.count; i++) {
		const struct finding *finding = &report->findings.list[i];
		cJSON *item = cJSON_CreateObject();

		push(list, item);
		add_string(item, "id", finding->kind->id);
		add_string(item, "severity", findings_severity(finding->kind->severity));
		add_string(item, "title", finding->kind->title);
		add_string(item, "subject", finding->subject);
		add_string(item, "evidence", finding->evidence);
		add_string(item, "advice", finding->kind->advice);
	}
}

static void add_listener(cJSON *list, const struct report *report, const struct listener *row)
{
	cJSON *item = cJSON_CreateObject();

	push(list, item);
	add_string(item, "proto", word_proto(&row->key.place));
	add_address(item, "address", &row->key.place);
	add_bool(item, "ephemeral", row->any_port);
	add_string(item, "program", row->key.program->name);
	add_known(item, "pid", pid_of(report, row->slot));
	if (row->backlog < 0)
		add(item, "backlog", cJSON_CreateNull());
	else
		add_number(item, "backlog", (uint64_t)row->backlog);
	add_number(item, "sockets", row->opened);
	add_number(item, "accepted", row->accepted);
	add_number(item, "peak", row->connected.peak);
	add_number(item, "peers", row->peers);
	add_bool(item, "reuseaddr", !row->no_reuse);
	add_errors(item, "failed", &row->failed);
}

static void add_headroom(cJSON *item, const struct report *report, const struct destination *row)
{
	uint64_t capacity = report_capacity(report, row), used = row->connected.peak;
	double left = used < capacity ? 100.0 * (double)(capacity - used) / (double)capacity : 0;

	add_known(item, "capacity", capacity);
	add(item, "headroom_percent", capacity ? cJSON_CreateNumber(left) : cJSON_CreateNull());
}

static void add_locals(cJSON *item, const struct destination *row)
{
	cJSON *list = add_array(item, "local_addresses");

	for (unsigned i = 0; i < row->locals; i++) {
		char printed[ADDR_TEXT_MAX];

		addr_print(printed, &row->local[i]);
		push(list, string_of(printed));
	}
}

static void add_names(cJSON *item, const struct report *report, const struct destination *row)
{
	const struct resolved *resolved = ledger_resolved(&report->audit->ledger, &row->place);
	cJSON *names = add_array(item, "names"), *programs = add_array(item, "programs");

	for (unsigned i = 0; resolved && i < resolved->names; i++)
		push(names, string_of(resolved->name[i]));
	for (unsigned i = 0; i < row->programs.count; i++)
		push(programs, string_of(row->programs.list[i]->name));
}

static void add_destination(cJSON *list, const struct report *report, const struct destination *row)
{
	cJSON *item = cJSON_CreateObject();
	bool is_reused = row->reuse_ns != UINT64_MAX;

	push(list, item);
	add_string(item, "proto", word_proto(&row->place));
	add_address(item, "address", &row->place);
	add_names(item, report, row);
	add_number(item, "made", row->made);
	add_number(item, "pending", row->pending);
	add_errors(item, "failed", &row->failed);
	add_number(item, "peak", row->connected.peak);
	add_number(item, "local_ports", row->ports);
	add_locals(item, row);
	if (is_reused)
		add_number(item, "reused_after_ns", row->reuse_ns);
	else
		add(item, "reused_after_ns", cJSON_CreateNull());
	add_number(item, "bound_first", row->bound_first);
	add_number(item, "closed_first", row->closed_first);
	add_number(item, "closed_by_peer_first", row->closed_second);
	add_number(item, "closed_unknown", row->closed_unknown);
	add_headroom(item, report, row);
}

static void add_ephemeral(cJSON *root, const struct report *report)
{
	const struct audit *audit = report->audit;
	cJSON *ephemeral = add_object(root, "ephemeral"), *tightest;

	add_known(ephemeral, "low", audit->port_low);
	add_known(ephemeral, "high", audit->port_high);
	add_number(ephemeral, "ports", audit_port_count(audit));
	add_number(ephemeral, "tcp_peak", audit->tcp.ephemeral.peak);
	add_number(ephemeral, "udp_peak", audit->udp.ephemeral.peak);
	if (!report->tightest) {
		add(ephemeral, "tightest", cJSON_CreateNull());
		return;
	}
	tightest = add_object(ephemeral, "tightest");
	add_address(tightest, "address", &report->tightest->place);
	add_locals(tightest, report->tightest);
	add_number(tightest, "peak", report->tightest->connected.peak);
	add_headroom(tightest, report, report->tightest);
}

static void add_leak(cJSON *list, const struct report *report, const struct leak *row)
{
	struct place place = {.family = row->key.family, .proto = row->key.proto};
	cJSON *item = cJSON_CreateObject();

	push(list, item);
	add_string(item, "program", row->key.program->name);
	add_known(item, "pid", pid_of(report, row->slot));
	add_number(item, "fd", (uint64_t)row->fd);
	add_number(item, "count", row->count);
	add_string(item, "use", report_use((enum use)row->key.use));
	add_bool(item, "at_exit", row->key.ended);
	add_string(item, "proto", word_proto(&place));
	add_number(item, "oldest_ns", row->age_ns);
	add(item, "local",
	    row->has_local ? string_of(word_endpoint(&row->local)) : cJSON_CreateNull());
	add(item, "remote",
	    row->has_remote ? string_of(word_endpoint(&row->remote)) : cJSON_CreateNull());
}

static void add_program(cJSON *list, const struct program *row)
{
	cJSON *item = cJSON_CreateObject();

	push(list, item);
	add_string(item, "name", row->name);
	add_number(item, "processes", row->processes);
	add_number(item, "running", row->running);
	add_number(item, "sockets", row->sockets);
	add_known(item, "fd_peak", row->fd_peak);
	add_known(item, "fd_limit", row->fd_limit);
	add_number(item, "fd_failures", row->no_fd);
}

static void add_process(cJSON *list, const struct process *process)
{
	static const char *const origins[] = {"root", "fork", "exec", "spawn"};
	static const char *const states[] = {"free", "live", "exec", "replaced", "ended"};
	const struct reader_process *info = &process->info;
	bool has_status = info->state == PROCESS_ENDED && info->status >= 0;
	cJSON *item = cJSON_CreateObject();

	push(list, item);
	add_number(item, "pid", info->pid);
	add_number(item, "ppid", info->ppid);
	add_number(item, "uid", info->uid);
	add_string(item, "program", info->program);
	add_string(item, "name", info->name);
	add_string(item, "origin", origins[info->origin]);
	add_string(item, "state", states[info->state]);
	add_bool(item, "running", process->is_running);
	add(item, "status", has_status ? cJSON_CreateNumber(info->status) : cJSON_CreateNull());
	add_string(item, "coverage", name_coverage(info->coverage));
	add_time(item, "started", info->start_ns);
	add_time(item, "ended", info->end_ns);
	add_number(item, "sockets", process->sockets);
	add_known(item, "fd_peak", info->fd_peak);
	add_known(item, "fd_limit", info->fd_limit);
}

static void add_unresolved(cJSON *root, const struct report *report)
{
	const struct unresolved *row = report->audit->ledger.unresolved;
	cJSON *list = add_array(root, "unresolved");

	for (; row; row = row->hh.next) {
		const char *error = name_eai(row->result);
		cJSON *item = cJSON_CreateObject();

		push(list, item);
		add_string(item, "name", row->name);
		add_string(item, "error", error ? error : "?");
		add_number(item, "count", row->count);
	}
}

static void add_rows(cJSON *root, const struct report *report)
{
	cJSON *list = add_array(root, "listeners");

	for (size_t i = 0; i < report->listener_count; i++)
		add_listener(list, report, report->listeners[i]);
	list = add_array(root, "destinations");
	for (size_t i = 0; i < report->destination_count; i++)
		add_destination(list, report, report->destinations[i]);
	add_ephemeral(root, report);
	add_unresolved(root, report);
	add_errors(root, "bind_failed", &report->audit->bind_failed);
	list = add_array(root, "never_closed");
	for (size_t i = 0; i < report->leak_count; i++)
		add_leak(list, report, report->leaks[i]);
	list = add_array(root, "programs");
	for (size_t i = 0; i < report->program_count; i++)
		add_program(list, report->programs[i]);
	list = add_array(root, "processes");
	for (uint32_t slot = 1; slot < report->audit->slots; slot++)
		if (report->audit->process[slot] && report->audit->process[slot]->info.slot)
			add_process(list, report->audit->process[slot]);
}

bool report_json(const struct report *report, FILE *out)
{
	cJSON *root = cJSON_CreateObject();
	char *text;
	bool is_written;

	if (!root)
		memory_gone();
	add_number(root, "format", 1);
	add_session(root, report);
	add_lost(root, report);
	add_not_seen(root, report);
	add_totals(root, report);
	add_findings(root, report);
	add_rows(root, report);
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text)
		memory_gone();
	is_written = fputs(text, out) >= 0 && fputc('\n', out) != EOF;
	cJSON_free(text);
	return is_written;
}
