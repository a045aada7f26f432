/* SPDX-License-Identifier: MIT */
/* grant.c - see grant.h. */
#include "tools/grant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is folded together: the deeds of one call and protocol, perhaps of one program. */
struct batch {
	const struct usage *usage;
	struct grants *grants;
	bool per_program, is_real;
	enum op_kind call;
	enum proto proto;
	const struct program *program;
	const struct deed **deeds; /* of the session, or of the program; in order */
	size_t deed_count;
	struct fold_item *items; /* tag: index of deed */
	size_t count, room;
};

/* ---- evidence ---- */

static void add_evidence(struct grant *grant, const struct deed *deed)
{
	programs_add(&grant->programs, deed->key.program);
	if (grant->count == 0 || deed->first_ns < grant->first_ns)
		grant->first_ns = deed->first_ns;
	grant->is_answer = deed->key.call == OP_RECV && (grant->count == 0 || grant->is_answer);
	grant->count += deed->count;
	errors_merge(&grant->failed, &deed->failed);
	if (deed->is_moved)
		grant->moved = &deed->real;
}

void grant_merge(struct grant *grant, const struct grant *other)
{
	for (unsigned i = 0; i < other->programs.count; i++)
		programs_add(&grant->programs, other->programs.list[i]);
	grant->programs.more |= other->programs.more;
	if (grant->count == 0 || other->first_ns < grant->first_ns)
		grant->first_ns = other->first_ns;
	grant->count += other->count;
	errors_merge(&grant->failed, &other->failed);
}

static struct grant *add_grant(struct batch *batch)
{
	struct grants *grants = batch->grants;
	struct grant *grant;

	if (grants->count == grants->room) {
		grants->room = 2 * grants->room + 64;
		grants->list = realloc(grants->list, grants->room * sizeof(*grants->list));
		if (!grants->list)
			memory_gone();
	}
	grant = &grants->list[grants->count++];
	memset(grant, 0, sizeof(*grant));
	grant->call = batch->call;
	grant->program = batch->program;
	return grant;
}

/* ---- endpoints ---- */

static void add_item(struct batch *batch, const struct endpoint *end, size_t tag, bool is_loose)
{
	if (batch->count == batch->room) {
		batch->room = 2 * batch->room + 64;
		batch->items = realloc(batch->items, batch->room * sizeof(*batch->items));
		if (!batch->items)
			memory_gone();
	}
	batch->items[batch->count++] =
	        (struct fold_item){.end = *end, .tag = tag, .is_loose = is_loose};
}

static void add_local(struct batch *batch, const struct deed *deed, size_t tag)
{
	struct endpoint end = deed->key.place.end;

	if (deed->key.call == OP_LISTEN &&
	    (usage_is_bound(batch->usage, deed) || !usage_is_chosen(batch->usage, deed)))
		return; /* bound by a call of its own, or by another program before */
	if (usage_is_chosen(batch->usage, deed))
		end.port = 0;
	add_item(batch, &end, tag, false);
}

/* Does a deed of this call count for what the batch grants? */
static bool is_of_call(const struct batch *batch, enum op_kind call)
{
	return call == batch->call || (batch->call == OP_BIND && call == OP_LISTEN) ||
	       (batch->call == OP_SEND && call == OP_RECV);
}

/* ... and is there anything to grant? */
static bool is_wanted(const struct batch *batch, const struct deed *deed)
{
	if (batch->call == OP_LISTEN &&
	    (usage_is_bound(batch->usage, deed) || usage_is_chosen(batch->usage, deed)))
		return false;
	return is_of_call(batch, deed->key.call);
}

static void collect(struct batch *batch)
{
	batch->count = 0;
	for (size_t i = 0; i < batch->deed_count; i++) {
		const struct deed *deed = batch->deeds[i];
		struct endpoint end =
		        batch->is_real && deed->is_moved ? deed->real : deed->key.place.end;

		if (!is_wanted(batch, deed) || deed->key.place.proto != batch->proto ||
		    deed->key.place.family == FAMILY_UNIX)
			continue;
		if (batch->call == OP_ACCEPT || batch->call == OP_RECV)
			end.port = 0;
		if (batch->call == OP_BIND && !(batch->is_real && deed->is_moved))
			add_local(batch, deed, i);
		else
			add_item(batch, &end, i,
			         batch->call != OP_LISTEN && usage_is_loose(batch->usage, deed));
	}
}

/* What only grants of a local endpoint and of one remote address have. */
static void add_details(struct batch *batch, struct grant *grant, const struct deed *deed)
{
	uint16_t port = deed->key.place.end.port;
	struct place place = {.family = FAMILY_INET, .end.ip = grant->span.ip};

	if (batch->call != OP_BIND) {
		if (grant->span.bits == 128 && batch->call != OP_LISTEN)
			grant->names = ledger_resolved(&batch->usage->ledger, &place);
		return;
	}
	if (grant->span.low || !port)
		return;
	if (!grant->chosen_low || port < grant->chosen_low)
		grant->chosen_low = port;
	if (port > grant->chosen_high)
		grant->chosen_high = port;
}

static void grant_batch(struct batch *batch)
{
	struct fold_range own = {batch->usage->info.port_low, batch->usage->info.port_high};
	struct span *spans;
	size_t count, first = batch->grants->count;
	bool is_remote = batch->call != OP_BIND && batch->call != OP_LISTEN;

	collect(batch);
	if (batch->count == 0)
		return;
	spans = memory_new(batch->count * sizeof(*spans));
	count = fold(batch->items, batch->count, own, is_remote, spans);
	for (size_t i = 0; i < count; i++) {
		struct grant *grant = add_grant(batch);

		grant->proto = batch->proto == PROTO_TCP ? GRANT_TCP : GRANT_UDP;
		grant->span = spans[i];
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct grant *grant = &batch->grants->list[first + batch->items[i].span];
		const struct deed *deed = batch->deeds[batch->items[i].tag];

		add_evidence(grant, deed);
		add_details(batch, grant, deed);
	}
	free(spans);
}

/* ---- unix paths: one grant a deed, those that are alike are merged later ---- */

static void grant_paths(struct batch *batch)
{
	char path[UNIX_PATH_MAX + 1];

	for (size_t i = 0; i < batch->deed_count; i++) {
		const struct deed *deed = batch->deeds[i];
		struct grant *grant;

		if (deed->key.place.family != FAMILY_UNIX ||
		    (deed->key.call != OP_BIND && deed->key.call != OP_CONNECT))
			continue;
		batch->call = deed->key.call;
		batch->program = batch->per_program ? deed->key.program : NULL;
		grant = add_grant(batch);
		grant->proto = GRANT_UNIX;
		grant_path(path, deed->key.place.path);
		grant->path = memory_copy(path, strlen(path));
		add_evidence(grant, deed);
	}
}

/* ---- all of them ---- */

static int compare(const void *a, const void *b)
{
	const struct grant *one = a, *other = b;
	int order = (int)one->call - (int)other->call;

	if (!order)
		order = (int)one->proto - (int)other->proto;
	if (!order)
		order = memcmp(&one->span.ip, &other->span.ip, sizeof(one->span.ip));
	if (!order)
		order = one->span.low - other->span.low;
	if (!order)
		order = one->span.high - other->span.high;
	if (!order && one->path && other->path)
		order = strcmp(one->path, other->path);
	return order;
}

/* Those that are alike stand in the order of their first program. */
static int compare_evidence(const void *a, const void *b)
{
	const struct grant *one = a, *other = b;
	int order = compare(a, b);

	return order ? order : strcmp(one->programs.list[0]->name, other->programs.list[0]->name);
}

static void merge_alike(struct grants *grants)
{
	size_t used = 0;

	for (size_t i = 0; i < grants->count; i++) {
		struct grant *grant = &grants->list[i];

		if (used > 0 && grant->path && grants->list[used - 1].program == grant->program &&
		    compare(&grants->list[used - 1], grant) == 0) {
			grant_merge(&grants->list[used - 1], grant);
			free(grant->path);
			continue;
		}
		grants->list[used++] = *grant;
	}
	grants->count = used;
}

static void grant_calls(struct batch *batch)
{
	static const enum op_kind calls[] = {OP_BIND,   OP_LISTEN, OP_CONNECT,
	                                     OP_ACCEPT, OP_SEND,   OP_RECV};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		batch->call = calls[i];
		batch->proto = PROTO_TCP;
		grant_batch(batch);
		batch->proto = PROTO_UDP;
		grant_batch(batch);
	}
}

/* The same for the deeds of each program, which stand together. */
static void grant_programs(struct batch *batch)
{
	const struct deed **at = batch->deeds, **end = at + batch->deed_count;

	for (; at < end; at += batch->deed_count) {
		batch->program = at[0]->key.program;
		batch->deeds = at;
		batch->deed_count = 1;
		while (at + batch->deed_count < end &&
		       at[batch->deed_count]->key.program == batch->program)
			batch->deed_count++;
		grant_calls(batch);
	}
}

struct grants grants_of(const struct usage *usage, bool per_program, bool is_real)
{
	struct grants grants = {NULL, 0, 0};
	struct batch batch = {
	        .usage = usage, .grants = &grants, .per_program = per_program, .is_real = is_real};
	const struct deed **deeds;
	size_t count;

	deeds = usage_list(usage, per_program, false, &count);
	batch.deeds = deeds;
	batch.deed_count = count;
	if (per_program)
		grant_programs(&batch);
	else
		grant_calls(&batch);
	batch.deeds = deeds;
	batch.deed_count = count;
	grant_paths(&batch);
	if (grants.count)
		qsort(grants.list, grants.count, sizeof(*grants.list), compare_evidence);
	merge_alike(&grants);
	free(batch.items);
	free(deeds);
	return grants;
}

void grants_free(struct grants *grants)
{
	for (size_t i = 0; i < grants->count; i++)
		free(grants->list[i].path);
	free(grants->list);
}

void grant_address(char *text, const struct span *span)
{
	bool is_v4 = addr_is_v4(&span->ip);
	size_t len = addr_print(text, &span->ip);

	if (span->bits < 128)
		snprintf(text + len, ADDR_TEXT_MAX - len, "/%d", span->bits - (is_v4 ? 96 : 0));
}
