/* SPDX-License-Identifier: MIT */
/* recovery.c - see recovery.h. */
#include "tools/recovery.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/audit.h"

enum {
	WATCH_ROWS = 4,
	RECONNECT = OP_KINDS, /* no call: a new connection in place of one that failed */
};

/* What a process has not got over yet. */
struct watch {
	struct {
		uint64_t subject; /* an fd, or a hash of the place */
		uint64_t call;    /* enum op_kind, or RECONNECT */
	} key;
	struct trouble *row[WATCH_ROWS]; /* one after another; the last one goes on */
	unsigned rows;
	bool is_pending; /* a connect is under way again, */
	int fd;          /* on this descriptor */
	uint64_t first_ns, failed_ns;
	struct streak streak;
	UT_hash_handle hh;
};

static bool is_by_rule(const struct event *event)
{
	return event->verdict == VERDICT_FAILED || event->verdict == VERDICT_LIMITED;
}

/* A pair of sockets is two. */
static enum op_kind call_of(enum op_kind kind)
{
	return kind == OP_SOCKETPAIR ? OP_SOCKET : kind;
}

static uint64_t hash_of(const struct place *place)
{
	const unsigned char *at = (const unsigned char *)place;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(*place); i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* ---- rows ---- */

static struct trouble *find_row(struct recovery *recovery, const struct trouble *like)
{
	struct trouble *row;

	HASH_FIND(hh, recovery->rows, &like->key, sizeof(like->key), row);
	return row;
}

static struct trouble *row_of(struct audit *audit, const struct event *event,
                              const struct place *place)
{
	struct trouble *like = memory_new(sizeof(*like)), *row;

	like->key.program = audit_at(audit, event->process)->program;
	if (recovery_has_place(event->kind))
		like->key.place = *place;
	like->key.set = is_by_rule(event) ? event->set : 0;
	like->key.rule = is_by_rule(event) ? event->rule : 0;
	like->key.error = event->kind == OP_RESOLVE && !event->error ? event->result : event->error;
	if (event->kind == OP_CONNECT && event->error == EINPROGRESS)
		like->key.error = 0;
	like->key.call = (uint8_t)call_of(event->kind);
	like->key.verdict = is_by_rule(event) ? (uint8_t)event->verdict : VERDICT_PASSED;
	row = find_row(&audit->recovery, like);
	if (!row && HASH_COUNT(audit->recovery.rows) >= RECOVERY_ROWS_MAX) {
		memset(&like->key.place, 0, sizeof(like->key.place));
		like->key.is_elsewhere = true;
		row = find_row(&audit->recovery, like);
	}
	if (row) {
		free(like);
		return row;
	}
	like->status = -1;
	like->slot = event->process;
	HASH_ADD(hh, audit->recovery.rows, key, sizeof(like->key), like);
	return like;
}

/* ---- watches ---- */

static struct watch *find_watch(struct recovery *recovery, uint32_t slot, uint64_t call,
                                uint64_t subject)
{
	struct watch *watch, like;

	if (!recovery->of[slot])
		return NULL;
	like.key.subject = subject;
	like.key.call = call;
	HASH_FIND(hh, recovery->of[slot], &like.key, sizeof(like.key), watch);
	return watch;
}

static struct watch *begin_watch(struct recovery *recovery, uint32_t slot, uint64_t call,
                                 uint64_t subject)
{
	struct watch *watch;

	if (recovery->watches >= RECOVERY_WATCHES_MAX) {
		recovery->dropped++;
		return NULL;
	}
	watch = memory_new(sizeof(*watch));
	watch->key.subject = subject;
	watch->key.call = call;
	HASH_ADD(hh, recovery->of[slot], key, sizeof(watch->key), watch);
	recovery->watches++;
	if (slot >= recovery->slots)
		recovery->slots = slot + 1;
	return watch;
}

static void end_watch(struct recovery *recovery, uint32_t slot, struct watch *watch)
{
	HASH_DEL(recovery->of[slot], watch);
	free(watch);
	recovery->watches--;
}

/* The failure is one of this row: the episode is its too. */
static void enter_row(struct watch *watch, struct trouble *row)
{
	for (unsigned i = 0; i < watch->rows; i++) {
		if (watch->row[i] != row)
			continue;
		watch->row[i] = watch->row[watch->rows - 1];
		watch->row[watch->rows - 1] = row;
		return;
	}
	row->episodes++;
	if (watch->rows < WATCH_ROWS)
		watch->rows++;
	watch->row[watch->rows - 1] = row;
	watch->streak = (struct streak){.count = 0};
}

static void note_streak(struct watch *watch, struct trouble *row, const struct event *event,
                        uint64_t end_ns)
{
	streak_add(&watch->streak, event->time_ns, end_ns, AUDIT_PAUSE_NS);
	if (watch->streak.best > row->spin) {
		row->spin = watch->streak.best;
		row->spin_ns = watch->streak.best_ns;
	}
}

/* ---- events ---- */

/* A call that is watched, whatever comes of it. */
static void note_try(struct watch *watch, const struct event *event)
{
	struct trouble *row = watch->row[watch->rows - 1];

	if (watch->is_pending && watch->fd == event->fd)
		return; /* it asks how that is going */
	row->tries++;
	pauses_add(&row->pauses,
	           event->time_ns > watch->failed_ns ? event->time_ns - watch->failed_ns : 0);
	watch->is_pending = false;
}

/* Can the row of the last failure be that of this one, too? The place is the same. */
static bool is_same_row(const struct trouble *row, const struct event *event)
{
	return row->key.error == event->error && row->key.error &&
	       row->key.rule == (is_by_rule(event) ? event->rule : 0) &&
	       row->key.verdict == (is_by_rule(event) ? event->verdict : VERDICT_PASSED) &&
	       (!row->key.rule || row->key.set == event->set);
}

static void watch_reconnect(struct audit *audit, const struct event *event,
                            const struct place *place, struct trouble *row)
{
	uint64_t subject = hash_of(place);
	struct watch *watch = find_watch(&audit->recovery, event->process, RECONNECT, subject);

	if (watch)
		return;
	watch = begin_watch(&audit->recovery, event->process, RECONNECT, subject);
	if (!watch)
		return;
	watch->row[0] = row;
	watch->rows = 1;
}

static bool is_of_client(struct audit *audit, const struct event *event)
{
	struct socket *socket = lifetime_find(&audit->life, event->process, event->fd, event->sock);

	return socket && socket->use == USE_CLIENT && socket->proto != PROTO_UDP;
}

static void on_failure(struct audit *audit, const struct event *event, struct watch *watch,
                       uint64_t subject, const struct place *place)
{
	struct trouble *row = watch ? watch->row[watch->rows - 1] : NULL;

	if (!row || !is_same_row(row, event))
		row = row_of(audit, event, place);
	row->failures++;
	if (!watch)
		watch = begin_watch(&audit->recovery, event->process, call_of(event->kind),
		                    subject);
	if (!watch)
		return;
	if (watch->rows == 0)
		watch->first_ns = event->time_ns;
	enter_row(watch, row);
	note_streak(watch, row, event, audit->now_ns);
	watch->failed_ns = audit->now_ns;
	watch->is_pending = false;
	if ((event->kind == OP_SEND || event->kind == OP_RECV) && is_of_client(audit, event))
		watch_reconnect(audit, event, place, row);
}

static void recover(struct audit *audit, uint32_t slot, struct watch *watch)
{
	uint64_t took = audit->now_ns > watch->first_ns ? audit->now_ns - watch->first_ns : 0;

	for (unsigned i = 0; i < watch->rows; i++) {
		watch->row[i]->recovered++;
		if (took > watch->row[i]->recovery_ns)
			watch->row[i]->recovery_ns = took;
	}
	end_watch(&audit->recovery, slot, watch);
}

static void end_each(struct audit *audit, uint32_t slot, struct watch *watch, size_t counter)
{
	for (unsigned i = 0; i < watch->rows; i++)
		(*(uint64_t *)((char *)watch->row[i] + counter))++;
	end_watch(&audit->recovery, slot, watch);
}

/* End the watch, and count in each of its rows. */
#define END_AS(audit, slot, watch, counter)                                                        \
	end_each(audit, slot, watch, offsetof(struct trouble, counter))

static void reconnected(struct audit *audit, uint32_t slot, uint64_t subject)
{
	struct watch *watch = find_watch(&audit->recovery, slot, RECONNECT, subject);

	if (watch)
		END_AS(audit, slot, watch, reconnected);
}

/* By a failure that is not watched for. */
static void go_on(struct watch *watch, uint64_t now_ns)
{
	watch->failed_ns = now_ns;
	watch->is_pending = false;
}

/* A call that succeeded, or that did not fail in a way that is watched. */
static void on_other(struct audit *audit, const struct event *event, struct watch *watch)
{
	bool is_nobody = event->kind == OP_ACCEPT && event->error == EAGAIN &&
	                 event->verdict != VERDICT_DELAYED;

	if (event->kind == OP_CONNECT &&
	    (event->error == EINPROGRESS || event->error == EALREADY || event->error == EINTR)) {
		watch->is_pending = true;
		watch->fd = event->fd;
	} else if (!event_failed(event) || (event->kind == OP_CONNECT && event->error == EISCONN)) {
		recover(audit, event->process, watch);
	} else if (is_nobody) {
		END_AS(audit, event->process, watch, idle);
	} else {
		go_on(watch, audit->now_ns);
	}
}

/* The end of a socket ends what it was about. */
static void on_close(struct audit *audit, const struct event *event)
{
	static const enum op_kind calls[] = {OP_ACCEPT, OP_SEND, OP_RECV, OP_LISTEN};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct watch *watch =
		        find_watch(&audit->recovery, event->process, calls[i], (uint64_t)event->fd);

		if (watch)
			END_AS(audit, event->process, watch, closed);
	}
}

static uint64_t since(const struct audit *audit, const struct watch *watch)
{
	return audit->now_ns > watch->failed_ns ? audit->now_ns - watch->failed_ns : 0;
}

static void note_idle(const struct watch *watch, uint64_t ns)
{
	struct trouble *row = watch->row[watch->rows - 1];

	if (ns > row->idle_ns)
		row->idle_ns = ns;
}

static void on_process_end(struct audit *audit, const struct event *event)
{
	struct recovery *recovery = &audit->recovery;
	struct watch *watch, *next;

	HASH_ITER (hh, recovery->of[event->process], watch, next) {
		uint64_t after_ns = since(audit, watch);

		if (watch->key.call == RECONNECT) {
			end_watch(recovery, event->process, watch);
			continue;
		}
		if (watch->is_pending) {
			END_AS(audit, event->process, watch, pending);
			continue;
		}
		for (unsigned i = 0; i < watch->rows; i++) {
			struct trouble *row = watch->row[i];

			if (row->exited == 0 || after_ns < row->exit_ns)
				row->exit_ns = after_ns;
			row->status = event->result;
		}
		note_idle(watch, after_ns);
		END_AS(audit, event->process, watch, exited);
	}
}

/* The kernel's answer to a connect that a rule has failed. */
static bool is_answer(struct audit *audit, const struct event *event)
{
	struct socket *socket;

	if (event->kind != OP_CONNECT || !event->error || event->error == EINPROGRESS)
		return false;
	socket = lifetime_find(&audit->life, event->process, event->fd, event->sock);
	return socket && socket->is_failing;
}

void recovery_event(struct audit *audit, const struct event *event)
{
	struct recovery *recovery = &audit->recovery;
	bool has_failed = recovery_is_trouble(event);
	enum op_kind call = call_of(event->kind);
	struct place place;
	struct watch *watch;
	uint64_t subject = 0;

	if (!has_failed && !recovery->of[event->process])
		return;
	if (event->kind == OP_EXIT) {
		on_process_end(audit, event);
		return;
	}
	if (is_answer(audit, event))
		return;
	place = recovery_place(audit, event);
	if (recovery_is_at_fd(call))
		subject = (uint64_t)(int64_t)event->fd;
	else if (recovery_has_place(call))
		subject = hash_of(&place);
	watch = find_watch(recovery, event->process, call, subject);
	if (watch)
		note_try(watch, event);
	if (has_failed)
		on_failure(audit, event, watch, subject, &place);
	else if (watch)
		on_other(audit, event, watch);
	if (event->kind == OP_CLOSE)
		on_close(audit, event);
	else if (event->kind == OP_CONNECT && !event->error)
		reconnected(audit, event->process, subject);
}

void recovery_connected(struct audit *audit, uint32_t slot, const struct place *place)
{
	uint64_t subject = hash_of(place);
	struct watch *watch = find_watch(&audit->recovery, slot, OP_CONNECT, subject);

	if (watch && watch->is_pending)
		recover(audit, slot, watch);
	reconnected(audit, slot, subject);
}

/* ---- the end ---- */

static void finish_watch(struct audit *audit, uint32_t slot, struct watch *watch)
{
	const struct process *process = audit_at(audit, slot);
	bool was_replaced =
	        process->info.state == PROCESS_EXECING || process->info.state == PROCESS_EXECED;

	if (watch->key.call == RECONNECT || was_replaced) {
		end_watch(&audit->recovery, slot, watch);
	} else if (watch->is_pending) {
		END_AS(audit, slot, watch, pending);
	} else if (process->is_running || process->info.state == PROCESS_ENDED) {
		note_idle(watch, since(audit, watch));
		END_AS(audit, slot, watch, open);
	} else {
		watch->row[watch->rows - 1]->last_words += process->seen_ns <= watch->failed_ns;
		END_AS(audit, slot, watch, died);
	}
}

void recovery_finish(struct audit *audit)
{
	struct recovery *recovery = &audit->recovery;
	struct watch *watch, *next;

	for (uint32_t slot = 0; slot < recovery->slots; slot++)
		HASH_ITER (hh, recovery->of[slot], watch, next)
			finish_watch(audit, slot, watch);
}

void recovery_free(struct recovery *recovery)
{
	struct trouble *row, *next_row;
	struct watch *watch, *next;

	for (uint32_t slot = 0; slot < recovery->slots; slot++)
		HASH_ITER (hh, recovery->of[slot], watch, next)
			end_watch(recovery, slot, watch);
	HASH_ITER (hh, recovery->rows, row, next_row) {
		HASH_DEL(recovery->rows, row);
		free(row);
	}
}
