/* SPDX-License-Identifier: MIT */
/* audit.c - see audit.h. Knows which socket and which process an event is about. */
#include "tools/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/find.h"
#include "tools/inherit.h"
#include "tools/traffic.h"

bool audit_is_ephemeral(const struct audit *audit, uint16_t port)
{
	return port && audit->port_low <= port && port <= audit->port_high;
}

unsigned audit_port_count(const struct audit *audit)
{
	return audit->port_low && audit->port_low <= audit->port_high
	               ? audit->port_high - audit->port_low + 1u
	               : 0;
}

struct process *audit_at(struct audit *audit, uint32_t slot)
{
	if (!audit->process[slot]) {
		audit->process[slot] = memory_new(sizeof(struct process));
		audit->process[slot]->program = ledger_program(&audit->ledger, "?");
		if (slot >= audit->slots)
			audit->slots = slot + 1;
	}
	return audit->process[slot];
}

void audit_process(struct audit *audit, const struct reader_process *info, bool is_running)
{
	struct process *process;

	if (info->slot == 0 || info->slot >= SESSION_PROCESSES)
		return;
	process = audit_at(audit, info->slot);
	process->info = *info;
	process->is_running = is_running;
	process->program = ledger_program(&audit->ledger, info->name[0] ? info->name : "?");
}

/* Nobody closed this socket: it ended with its process, or it is still open. */
static void note_leak(struct audit *audit, const struct socket *socket, enum end end)
{
	struct leak like, *leak;
	uint64_t age_ns = audit->now_ns > socket->born_ns ? audit->now_ns - socket->born_ns : 0;

	memset(&like, 0, sizeof(like));
	like.key.program = audit_at(audit, socket->slot)->program;
	like.key.row = socket->flows ? (const void *)socket->flows->destination : socket->listener;
	like.key.use = socket->use;
	like.key.ended = end == END_EXITED || !audit_at(audit, socket->slot)->is_running;
	like.key.family = socket->family;
	like.key.proto = socket->proto;
	leak = ledger_leak(&audit->ledger, &like);
	if (leak->count++ > 0 && leak->age_ns >= age_ns)
		return;
	leak->age_ns = age_ns;
	leak->slot = socket->slot;
	leak->fd = socket->fd;
	leak->has_local = socket->has_local;
	leak->has_remote = socket->has_remote;
	leak->local = socket->tuple.local;
	leak->remote = socket->tuple.remote;
}

/* A listener lives as long as its program; a socketpair's use is not recorded. */
static bool is_worth_closing(const struct socket *socket)
{
	if (socket->use == USE_LISTENING)
		return false;
	return socket->proto == PROTO_TCP || socket->proto == PROTO_UDP ||
	       socket->use == USE_CLIENT || socket->use == USE_SERVER;
}

static void on_ended(void *owner, struct socket *socket, enum end end)
{
	struct audit *audit = owner;

	if (end != END_LEFT)
		traffic_closing(audit, socket);
	if ((end == END_EXITED || end == END_LEFT) && is_worth_closing(socket))
		note_leak(audit, socket, end);
	traffic_ended(audit, socket);
}

struct audit *audit_new(uint16_t port_low, uint16_t port_high)
{
	struct audit *audit = memory_new(sizeof(*audit));

	audit->port_low = port_low;
	audit->port_high = port_high;
	audit->life.owner = audit;
	audit->life.ended = on_ended;
	audit->life.unnamed = inherit_unnamed;
	audit_at(audit, 0);
	return audit;
}

void audit_free(struct audit *audit)
{
	lifetime_finish(&audit->life);
	for (uint32_t slot = 0; slot < audit->slots; slot++)
		free(audit->process[slot]);
	ledger_free(&audit->ledger);
	verdicts_free(&audit->verdicts);
	recovery_free(&audit->recovery);
	free(audit);
}

static void count_socket(struct audit *audit, const struct event *event)
{
	audit_at(audit, event->process)->sockets++;
	if (event->family == FAMILY_UNIX)
		audit->sockets_unix++;
	else if (event->proto == PROTO_TCP)
		audit->sockets_tcp++;
	else if (event->proto == PROTO_UDP)
		audit->sockets_udp++;
	else
		audit->sockets_other++;
}

/* The socket that an event is about; one whose birth is missing from the record
 * is born now. */
static struct socket *socket_of(struct audit *audit, const struct event *event)
{
	struct socket *socket = lifetime_find(&audit->life, event->process, event->fd, event->sock);
	struct fd_name *name;

	if (event->fd < 0)
		return socket;
	audit_at(audit, event->process)->busy = true;
	if (!socket)
		socket = traffic_born(audit, event, event->fd);
	name = lifetime_name(&audit->life, event->process, event->fd, socket);
	name->used = true;
	return socket;
}

static void on_birth(struct audit *audit, const struct event *event)
{
	if (event->error || event->result < 0)
		return;
	count_socket(audit, event);
	audit_at(audit, event->process)->busy = true;
	traffic_born(audit, event, event->result);
}

static void on_accept(struct audit *audit, const struct event *event)
{
	struct fd_name *name = lifetime_fd(&audit->life, event->process, event->fd);
	struct socket *listener = name ? name->socket : NULL;

	if (name)
		name->used = true;
	if (event->error) {
		traffic_accept_failed(audit, listener, event);
	} else if (event->result >= 0 && event->result != event->fd) {
		count_socket(audit, event);
		traffic_accepted(audit, traffic_born(audit, event, event->result), listener, event);
	}
}

static void on_dup(struct audit *audit, const struct event *event)
{
	struct socket *socket = event->error || event->result < 0 ? NULL : socket_of(audit, event);

	if (socket)
		lifetime_name(&audit->life, event->process, event->result, socket);
}

static void on_shutdown(struct audit *audit, const struct event *event)
{
	struct socket *socket = socket_of(audit, event);
	bool stops_writing = event->arg == 1 || event->arg == 2; /* SHUT_WR, SHUT_RDWR */

	if (socket && !event->error && stops_writing)
		traffic_closing(audit, socket);
}

static void on_close(struct audit *audit, const struct event *event)
{
	/* Linux closes whatever it says; only a bad descriptor was none */
	if (event->error != EBADF || event->verdict == VERDICT_FAILED)
		lifetime_close(&audit->life, event->process, event->fd, event->sock);
}

static void on_socket_call(struct audit *audit, const struct event *event)
{
	struct socket *socket = socket_of(audit, event);

	if (!socket)
		return;
	if (event->kind == OP_BIND)
		traffic_bind(audit, socket, event);
	else if (event->kind == OP_LISTEN)
		traffic_listen(audit, socket, event);
	else if (event->kind == OP_CONNECT)
		traffic_connect(audit, socket, event);
	else if (event->kind == OP_SEND)
		traffic_send(audit, socket, event);
	else
		traffic_recv(audit, socket, event);
}

static bool can_be_denied(enum op_kind kind)
{
	return kind == OP_SOCKET || kind == OP_SOCKETPAIR || kind == OP_BIND || kind == OP_LISTEN ||
	       kind == OP_CONNECT || kind == OP_ACCEPT || kind == OP_SEND;
}

/* A rule denied it: the socket was in use, but nothing has come of it. */
static void on_denied(struct audit *audit, const struct event *event)
{
	struct fd_name *name = lifetime_fd(&audit->life, event->process, event->fd);

	audit_at(audit, event->process)->busy = true;
	if (event->kind != OP_ACCEPT)
		socket_of(audit, event);
	else if (name)
		name->used = true;
}

static void on_resolve(struct audit *audit, const struct event *event)
{
	struct ledger *ledger = &audit->ledger;

	if (event->text_len == 0)
		return;
	if (event_failed(event))
		ledger_fail_to_resolve(ledger, event->result, event->text, event->text_len);
	else if (event->has_remote)
		ledger_resolve(ledger, &event->remote.ip, event->text, event->text_len);
}

static void dispatch(struct audit *audit, const struct event *event)
{
	switch (event->kind) {
	case OP_SOCKET:
	case OP_SOCKETPAIR:
		on_birth(audit, event);
		break;
	case OP_BIND:
	case OP_LISTEN:
	case OP_CONNECT:
	case OP_SEND:
	case OP_RECV:
		on_socket_call(audit, event);
		break;
	case OP_ACCEPT:
		audit_at(audit, event->process)->busy = true;
		on_accept(audit, event);
		break;
	case OP_SHUTDOWN:
		on_shutdown(audit, event);
		break;
	case OP_CLOSE:
		on_close(audit, event);
		break;
	case OP_DUP:
		on_dup(audit, event);
		break;
	case OP_ADOPT:
		inherit_adopt(audit, event);
		break;
	case OP_PASS:
		inherit_pass(audit, event);
		break;
	case OP_RESOLVE:
		on_resolve(audit, event);
		break;
	case OP_START:
	case OP_FORK:
	case OP_EXEC:
		inherit_start(audit, event);
		break;
	case OP_EXIT:
		lifetime_exit(&audit->life, event->process, END_EXITED);
		break;
	case OP_BLIND:
	case OP_LIMIT:
	case OP_SITE:
	case OP_NONE:
	case OP_KINDS:
		break;
	}
}

static void count_no_fd(struct audit *audit, const struct event *event)
{
	struct process *process = audit_at(audit, event->process);

	if (event->error != EMFILE && event->error != ENFILE)
		return;
	process->no_fd++;
	process->no_fd_by_rule += event->verdict != VERDICT_PASSED;
}

void audit_event(struct audit *audit, const struct event *event)
{
	struct event checked = *event;

	if (checked.process >= SESSION_PROCESSES)
		checked.process = 0;
	if (audit->events++ == 0)
		audit->first_ns = event->time_ns;
	audit->start_ns = event->time_ns;
	audit->now_ns = audit->life.now_ns = event->time_ns + event->took_ns;
	lifetime_expire(&audit->life);
	audit_at(audit, checked.process)->seen_ns = audit->now_ns;
	verdicts_add(&audit->verdicts, audit_at(audit, checked.process)->program, event);
	recovery_event(audit, &checked);
	if (event->verdict == VERDICT_DENIED && can_be_denied(event->kind)) {
		on_denied(audit, &checked);
		return;
	}
	count_no_fd(audit, &checked);
	dispatch(audit, &checked);
}

/* Has this program taken over from another in the same process? */
static bool is_successor(const struct audit *audit, const struct reader_process *info)
{
	const struct process *before = audit->process[info->parent];

	return info->origin == ORIGIN_EXEC && before && before->info.pid == info->pid;
}

static void sum_up(struct audit *audit, const struct process *process)
{
	const struct reader_process *info = &process->info;
	struct program *program = process->program;

	if (program->processes++ == 0) {
		program->slot = info->slot;
		program->pid = info->pid;
	}
	program->running += process->is_running;
	program->sockets += process->sockets;
	program->no_fd += process->no_fd;
	program->no_fd_by_rule += process->no_fd_by_rule;
	if ((uint64_t)info->fd_peak * program->fd_limit >=
	    (uint64_t)program->fd_peak * info->fd_limit) {
		program->fd_peak = info->fd_peak;
		program->fd_limit = info->fd_limit;
	}
	if (is_successor(audit, info))
		return;
	audit->processes++;
	audit->running += process->is_running;
}

void audit_finish(struct audit *audit)
{
	recovery_finish(audit);
	lifetime_finish(&audit->life);
	for (uint32_t slot = 1; slot < audit->slots; slot++)
		if (audit->process[slot] && audit->process[slot]->info.slot)
			sum_up(audit, audit->process[slot]);
}

static bool is_running(const struct reader_process *info)
{
	return (info->state == PROCESS_LIVE || info->state == PROCESS_EXECING) &&
	       find_is_running(info->pid, info->start_ns);
}

struct audit *audit_session(struct reader *reader)
{
	struct reader_process process;
	struct reader_info info;
	struct event event;
	struct audit *audit;

	reader_info(reader, &info);
	audit = audit_new(info.port_low, info.port_high);
	for (uint32_t slot = 1; slot <= reader_process_count(reader); slot++)
		if (reader_process(reader, slot, &process))
			audit_process(audit, &process, is_running(&process));
	while (reader_next(reader, &event))
		audit_event(audit, &event);
	audit->rules = reader_rules(reader);
	audit_finish(audit);
	return audit;
}
