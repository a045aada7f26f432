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
 *                 accepted, peak, peers, reuseaddr, failed{ERRNO: n}, asked[] (a rule moved
 *                 it here)
 *  destinations[] proto, address, names[], programs[], made (of them pending: the
 *                 outcome is not known), failed{ERRNO: n}, peak, local_ports, local_addresses[],
 *                 reused_after_ns, bound_first, closed_first, closed_by_peer_first,
 *                 closed_unknown, capacity, headroom_percent, asked[] (moved from there)
 *  ephemeral      low, high, ports, tcp_peak, udp_peak; tightest: the address of the
 *                 destination with the least headroom, and its local_addresses,
 *                 capacity, peak, headroom_percent
 *  unresolved[]   name, error, count
 *  bind_failed    {ERRNO: n}
 *  never_closed[] program, pid, fd, count, use, at_exit, proto, oldest_ns, local, remote
 *  programs[]     name, processes, running, sockets, fd_peak, fd_limit, fd_failures
 *  processes[]    pid, ppid, uid, program, name, origin, state, running, status,
 *                 coverage, started, ended, sockets, fd_peak, fd_limit
 *  and what rules did: see report_json_rules.c; how it was taken: report_recovery.c
 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "core/names.h"
#include "tools/json.h"
#include "tools/report.h"
#include "tools/wording.h"

static void add_address(cJSON *object, const char *name, const struct place *place)
{
	json_string(object, name,
	            place->family == FAMILY_UNIX ? place->path : word_endpoint(&place->end));
}

void report_json_errors(cJSON *object, const char *name, const struct errors *errors)
{
	cJSON *counts = json_object(object, name);

	for (unsigned i = 0; i < errors->kinds; i++) {
		const char *error = name_errno(errors->kind[i].error);

		json_number(counts, error ? error : word_number((uint64_t)errors->kind[i].error),
		            errors->kind[i].count);
	}
	if (errors->other)
		json_number(counts, "other", errors->other);
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
	cJSON *session = json_object(root, "session");
	char seed[32];

	snprintf(seed, sizeof(seed), "0x%016llx", (unsigned long long)info->seed);
	json_string(session, "path", info->path);
	json_string(session, "host", info->host);
	json_string(session, "kernel", info->kernel);
	json_time(session, "started", info->start_ns);
	json_string(session, "seed", seed);
	json_bool(session, "live", report->is_live);
	json_number(session, "events", audit->events);
	json_number(session, "bytes", info->bytes);
	json_number(session, "capacity", info->capacity_lines);
	json_number(session, "used", info->used_lines);
	json_time(session, "first_event", audit->first_ns);
	json_number(session, "duration_ns",
	            audit->now_ns > audit->first_ns ? audit->now_ns - audit->first_ns : 0);
}

static void add_lost(cJSON *root, const struct report *report)
{
	cJSON *lost = json_object(root, "lost");

	json_number(lost, "events", report->info.events_dropped);
	json_number(lost, "processes", report->info.processes_dropped);
	json_number(lost, "udp_peers", report->info.peers_dropped);
	json_number(lost, "damaged", report->info.damaged);
	json_number(lost, "closes", report->audit->life.closes_missed);
	json_number(lost, "descriptors", report->audit->life.names_dropped);
}

static void add_not_seen(cJSON *root, const struct report *report)
{
	cJSON *list = json_array(root, "not_seen");

	for (size_t i = 0; i < report->unseen_count; i++) {
		const struct unseen *unseen = &report->unseen[i];
		cJSON *item = cJSON_CreateObject();

		json_push(list, item);
		json_string(item, "program", unseen->program);
		json_number(item, "processes", unseen->count);
		json_number(item, "pid", unseen->pid);
		json_bool(item, "partial", unseen->is_partial);
		json_string(item, "what", unseen->what);
		json_string(item, "why", unseen->why);
	}
}

static void add_totals(cJSON *root, const struct report *report)
{
	const struct audit *audit = report->audit;
	cJSON *totals = json_object(root, "totals");

	json_number(totals, "processes", audit->processes);
	json_number(totals, "running", audit->running);
	json_number(totals, "tcp_sockets", audit->sockets_tcp);
	json_number(totals, "udp_sockets", audit->sockets_udp);
	json_number(totals, "unix_sockets", audit->sockets_unix);
	json_number(totals, "other_sockets", audit->sockets_other);
	json_number(totals, "open_peak", audit->life.open.peak);
	json_number(totals, "made", report->made);
	json_number(totals, "failed", report->failed);
	json_number(totals, "accepted", report->accepted);
}

static void add_findings(cJSON *root, const struct report *report)
{
	cJSON *list = json_array(root, "findings");

	for (size_t i = 0; i < report->findings.count; i++) {
		const struct finding *finding = &report->findings.list[i];
		cJSON *item = cJSON_CreateObject();

		json_push(list, item);
		json_string(item, "id", finding->kind->id);
		json_string(item, "severity", findings_severity(finding->kind->severity));
		json_string(item, "title", finding->kind->title);
		json_string(item, "subject", finding->subject);
		json_string(item, "evidence", finding->evidence);
		json_string(item, "advice", finding->kind->advice);
	}
}

static void add_asked(cJSON *item, const struct move *move)
{
	cJSON *list = json_array(item, "asked");

	for (unsigned i = 0; move && i < move->askeds; i++)
		json_push(list, json_string_of(word_endpoint(&move->asked[i])));
}

static void add_listener(cJSON *list, const struct report *report, const struct listener *row)
{
	cJSON *item = cJSON_CreateObject();

	json_push(list, item);
	json_string(item, "proto", word_proto(&row->key.place));
	add_address(item, "address", &row->key.place);
	json_bool(item, "ephemeral", row->any_port);
	json_string(item, "program", row->key.program->name);
	json_known(item, "pid", pid_of(report, row->slot));
	if (row->backlog < 0)
		json_add(item, "backlog", cJSON_CreateNull());
	else
		json_number(item, "backlog", (uint64_t)row->backlog);
	json_number(item, "sockets", row->opened);
	json_number(item, "accepted", row->accepted);
	json_number(item, "peak", row->connected.peak);
	json_number(item, "peers", row->peers);
	json_bool(item, "reuseaddr", !row->no_reuse);
	report_json_errors(item, "failed", &row->failed);
	add_asked(item, report_asked_there(report, row));
}

static void add_headroom(cJSON *item, const struct report *report, const struct destination *row)
{
	uint64_t capacity = report_capacity(report, row), used = row->connected.peak;
	double left = used < capacity ? 100.0 * (double)(capacity - used) / (double)capacity : 0;

	json_known(item, "capacity", capacity);
	json_add(item, "headroom_percent",
	         capacity ? cJSON_CreateNumber(left) : cJSON_CreateNull());
}

static void add_locals(cJSON *item, const struct destination *row)
{
	cJSON *list = json_array(item, "local_addresses");

	for (unsigned i = 0; i < row->locals; i++) {
		char printed[ADDR_TEXT_MAX];

		addr_print(printed, &row->local[i]);
		json_push(list, json_string_of(printed));
	}
}

static void add_names(cJSON *item, const struct report *report, const struct destination *row)
{
	const struct resolved *resolved = ledger_resolved(&report->audit->ledger, &row->place);
	cJSON *names = json_array(item, "names"), *programs = json_array(item, "programs");

	for (unsigned i = 0; resolved && i < resolved->names; i++)
		json_push(names, json_string_of(resolved->name[i]));
	for (unsigned i = 0; i < row->programs.count; i++)
		json_push(programs, json_string_of(row->programs.list[i]->name));
}

static void add_destination(cJSON *list, const struct report *report, const struct destination *row)
{
	cJSON *item = cJSON_CreateObject();
	bool is_reused = row->reuse_ns != UINT64_MAX;

	json_push(list, item);
	json_string(item, "proto", word_proto(&row->place));
	add_address(item, "address", &row->place);
	add_names(item, report, row);
	json_number(item, "made", row->made);
	json_number(item, "pending", row->pending);
	report_json_errors(item, "failed", &row->failed);
	json_number(item, "peak", row->connected.peak);
	json_number(item, "local_ports", row->ports);
	add_locals(item, row);
	if (is_reused)
		json_number(item, "reused_after_ns", row->reuse_ns);
	else
		json_add(item, "reused_after_ns", cJSON_CreateNull());
	json_number(item, "bound_first", row->bound_first);
	json_number(item, "closed_first", row->closed_first);
	json_number(item, "closed_by_peer_first", row->closed_second);
	json_number(item, "closed_unknown", row->closed_unknown);
	add_headroom(item, report, row);
	report_json_shortage(report, item, "short", &row->shortage);
	add_asked(item, report_asked_of(report, row));
}

static void add_ephemeral(cJSON *root, const struct report *report)
{
	const struct audit *audit = report->audit;
	cJSON *ephemeral = json_object(root, "ephemeral"), *tightest;

	json_known(ephemeral, "low", audit->port_low);
	json_known(ephemeral, "high", audit->port_high);
	json_number(ephemeral, "ports", audit_port_count(audit));
	json_number(ephemeral, "tcp_peak", audit->tcp.ephemeral.peak);
	json_number(ephemeral, "udp_peak", audit->udp.ephemeral.peak);
	if (!report->tightest) {
		json_add(ephemeral, "tightest", cJSON_CreateNull());
		return;
	}
	tightest = json_object(ephemeral, "tightest");
	add_address(tightest, "address", &report->tightest->place);
	add_locals(tightest, report->tightest);
	json_number(tightest, "peak", report->tightest->connected.peak);
	add_headroom(tightest, report, report->tightest);
}

static void add_leak(cJSON *list, const struct report *report, const struct leak *row)
{
	struct place place = {.family = row->key.family, .proto = row->key.proto};
	cJSON *item = cJSON_CreateObject();

	json_push(list, item);
	json_string(item, "program", row->key.program->name);
	json_known(item, "pid", pid_of(report, row->slot));
	json_number(item, "fd", (uint64_t)row->fd);
	json_number(item, "count", row->count);
	json_string(item, "use", report_use((enum use)row->key.use));
	json_bool(item, "at_exit", row->key.ended);
	json_string(item, "proto", word_proto(&place));
	json_number(item, "oldest_ns", row->age_ns);
	json_add(item, "local",
	         row->has_local ? json_string_of(word_endpoint(&row->local)) : cJSON_CreateNull());
	json_add(item, "remote",
	         row->has_remote ? json_string_of(word_endpoint(&row->remote))
	                         : cJSON_CreateNull());
}

static void add_program(cJSON *list, const struct program *row)
{
	cJSON *item = cJSON_CreateObject();

	json_push(list, item);
	json_string(item, "name", row->name);
	json_number(item, "processes", row->processes);
	json_number(item, "running", row->running);
	json_number(item, "sockets", row->sockets);
	json_known(item, "fd_peak", row->fd_peak);
	json_known(item, "fd_limit", row->fd_limit);
	json_number(item, "fd_failures", row->no_fd);
}

static void add_process(cJSON *list, const struct process *process)
{
	static const char *const origins[] = {"root", "fork", "exec", "spawn"};
	static const char *const states[] = {"free", "live", "exec", "replaced", "ended"};
	const struct reader_process *info = &process->info;
	bool has_status = info->state == PROCESS_ENDED && info->status >= 0;
	cJSON *item = cJSON_CreateObject();

	json_push(list, item);
	json_number(item, "pid", info->pid);
	json_number(item, "ppid", info->ppid);
	json_number(item, "uid", info->uid);
	json_string(item, "program", info->program);
	json_string(item, "name", info->name);
	json_string(item, "origin", origins[info->origin]);
	json_string(item, "state", states[info->state]);
	json_bool(item, "running", process->is_running);
	json_add(item, "status",
	         has_status ? cJSON_CreateNumber(info->status) : cJSON_CreateNull());
	json_string(item, "coverage", name_coverage(info->coverage));
	json_time(item, "started", info->start_ns);
	json_time(item, "ended", info->end_ns);
	json_number(item, "sockets", process->sockets);
	json_known(item, "fd_peak", info->fd_peak);
	json_known(item, "fd_limit", info->fd_limit);
}

static void add_unresolved(cJSON *root, const struct report *report)
{
	const struct unresolved *row = report->audit->ledger.unresolved;
	cJSON *list = json_array(root, "unresolved");

	for (; row; row = row->hh.next) {
		const char *error = name_eai(row->result);
		cJSON *item = cJSON_CreateObject();

		json_push(list, item);
		json_string(item, "name", row->name);
		json_string(item, "error", error ? error : "?");
		json_number(item, "count", row->count);
	}
}

static void add_rows(cJSON *root, const struct report *report)
{
	cJSON *list = json_array(root, "listeners");

	for (size_t i = 0; i < report->listener_count; i++)
		add_listener(list, report, report->listeners[i]);
	list = json_array(root, "destinations");
	for (size_t i = 0; i < report->destination_count; i++)
		add_destination(list, report, report->destinations[i]);
	add_ephemeral(root, report);
	add_unresolved(root, report);
	report_json_errors(root, "bind_failed", &report->audit->bind_failed);
	report_json_shortage(report, root, "bind_short", &report->audit->bind_short);
	list = json_array(root, "never_closed");
	for (size_t i = 0; i < report->leak_count; i++)
		add_leak(list, report, report->leaks[i]);
	list = json_array(root, "programs");
	for (size_t i = 0; i < report->program_count; i++)
		add_program(list, report->programs[i]);
	list = json_array(root, "processes");
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
	json_number(root, "format", 1);
	add_session(root, report);
	add_lost(root, report);
	add_not_seen(root, report);
	add_totals(root, report);
	add_findings(root, report);
	add_rows(root, report);
	report_json_rules(report, root);
	report_json_recovery(report, root);
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text)
		memory_gone();
	is_written = fputs(text, out) >= 0 && fputc('\n', out) != EOF;
	cJSON_free(text);
	return is_written;
}
