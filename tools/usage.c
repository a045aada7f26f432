/* SPDX-License-Identifier: MIT */
/* usage.c - see usage.h. */
#include "tools/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/coverage.h"

enum { DEEDS_COMPARED = 256 }; /* on one port */

/* ---- from events to deeds ---- */

/* Bad calls, which name no socket or no address. */
static bool is_nothing(int error)
{
	return error == EBADF || error == ENOTSOCK || error == EFAULT;
}

/* connect() that asks how an earlier one is doing. */
static bool is_question(const struct event *event)
{
	return event->kind == OP_CONNECT && (event->error == EALREADY || event->error == EISCONN);
}

/* A wait that came to nothing. */
static bool is_vain(const struct event *event)
{
	return event->kind == OP_ACCEPT && event->error && event->verdict != VERDICT_DENIED;
}

/* What is sent and received on a connection is in the record only because a rule had a part
 * in it; and a call that a rule told to come again comes again. */
static bool is_of_rules(const struct event *event)
{
	bool is_packet = event->kind == OP_SEND || event->kind == OP_RECV;
	bool is_stream = event->proto == PROTO_TCP || event->proto == PROTO_STREAM;

	if (event->verdict == VERDICT_DELAYED && event->error == EAGAIN)
		return true;
	return is_packet && is_stream &&
	       (event->verdict == VERDICT_FAILED || event->verdict == VERDICT_LIMITED ||
	        event->verdict == VERDICT_DELAYED);
}

/* A connect that does not wait has not failed. */
static bool is_under_way(const struct event *event)
{
	return event->error == EINPROGRESS || event->error == EINTR;
}

static void enter_port(struct usage *usage, struct deed *deed)
{
	const struct place *place = &deed->key.place;
	const struct deed **first = place->proto == PROTO_TCP ? usage->tcp : usage->udp;

	if (place->family == FAMILY_UNIX ||
	    (deed->key.call != OP_BIND && deed->key.call != OP_LISTEN))
		return;
	first += place->end.port;
	deed->next_on_port = *first;
	*first = deed;
}

static struct deed *deed_at(struct usage *usage, const struct deed *like)
{
	struct deed *deed;

	HASH_FIND(hh, usage->deeds, &like->key, sizeof(like->key), deed);
	if (!deed) {
		deed = memory_new(sizeof(*deed));
		memcpy(&deed->key, &like->key, sizeof(deed->key));
		HASH_ADD(hh, usage->deeds, key, sizeof(deed->key), deed);
		enter_port(usage, deed);
	}
	return deed;
}

static void count(struct usage *usage, struct deed *deed, const struct event *event)
{
	if (event->verdict == VERDICT_DENIED) {
		deed->denied++;
		usage->denied++;
		return;
	}
	if (deed->count + deed->pending == 0)
		deed->first_ns = event->time_ns;
	if (event->kind == OP_CONNECT && is_under_way(event))
		deed->pending++;
	else
		deed->count++;
	if (event->error && !is_under_way(event))
		errors_add(&deed->failed, event->error);
}

/* A connect that does not wait is told twice if its end is known: once for both. */
static void settle(struct usage *usage)
{
	for (struct deed *deed = usage->deeds; deed; deed = deed->hh.next)
		if (deed->pending > deed->count)
			deed->count = deed->pending;
}

/* The end that a call names, as it was asked for; NULL: none. */
static const struct endpoint *named_end(const struct event *event, struct endpoint *end)
{
	bool is_local = event->kind == OP_BIND || event->kind == OP_LISTEN;

	if (!(is_local ? event->has_local : event->has_remote))
		return NULL;
	*end = event->has_asked ? event->asked : is_local ? event->local : event->remote;
	if (event->kind == OP_ACCEPT)
		end->port = 0;
	return end;
}

/* Did bind ask for port 0, so that the local one of the event was chosen for it? */
static bool asked_for_any(const struct event *event)
{
	return event->kind == OP_BIND && event->arg == 1;
}

/* A BIND or LISTEN on the port of a place; call OP_NONE: either; ip NULL: any. */
static const struct deed *find_local(const struct usage *usage, enum op_kind call,
                                     const struct place *place, const struct ip *ip)
{
	bool is_tcp = place->proto == PROTO_TCP;
	const struct deed *deed = (is_tcp ? usage->tcp : usage->udp)[place->end.port];

	for (unsigned i = 0; deed && i < DEEDS_COMPARED; i++, deed = deed->next_on_port) {
		const struct ip *own = &deed->key.place.end.ip;

		if ((call == OP_NONE || deed->key.call == call) &&
		    (!ip || addr_is_any(own) || addr_equal(own, ip)))
			return deed;
	}
	return NULL;
}

static void add_deed(struct usage *usage, enum op_kind call, const struct event *event,
                     const struct endpoint *named, const char *path)
{
	struct deed like, *deed;

	memset(&like, 0, sizeof(like));
	like.key.call = call;
	like.key.program = ledger_program(&usage->ledger, event->program ? event->program : "?");
	like.key.place = ledger_place(event->family, event->proto, named, path, event->text_len);
	like.key.is_asked = asked_for_any(event);
	deed = deed_at(usage, &like);
	if (event->has_asked) {
		deed->is_moved = true;
		deed->real = event->kind == OP_BIND ? event->local : event->remote;
	}
	count(usage, deed, event);
}

/* Where connections come in, a socket listens; perhaps it came so into the session. */
static void add_listener(struct usage *usage, const struct event *event)
{
	struct place place = ledger_place(event->family, event->proto, &event->local, NULL, 0);

	if (!find_local(usage, OP_LISTEN, &place, &event->local.ip))
		add_deed(usage, OP_LISTEN, event, &event->local, NULL);
}

static void on_use(struct usage *usage, const struct event *event)
{
	struct endpoint end;
	const struct endpoint *named = named_end(event, &end);
	bool is_unix = event->family == FAMILY_UNIX;
	const char *path = is_unix ? event->text : NULL;

	if (!is_unix && event->proto != PROTO_TCP && event->proto != PROTO_UDP)
		usage->has_other = true;
	if (is_nothing(event->error) || is_question(event) || is_vain(event) ||
	    is_of_rules(event) || (!named && !is_unix))
		return;
	if (is_unix && !path && event->kind != OP_BIND)
		return;
	add_deed(usage, event->kind, event, named, path);
	if (event->kind == OP_ACCEPT && event->has_local && !event->error && !is_unix)
		add_listener(usage, event);
}

static void on_event(struct usage *usage, const struct event *event)
{
	struct ip ip;

	switch (event->kind) {
	case OP_BIND:
	case OP_LISTEN:
	case OP_CONNECT:
	case OP_ACCEPT:
	case OP_SEND:
	case OP_RECV:
		on_use(usage, event);
		break;
	case OP_SOCKET:
	case OP_SOCKETPAIR:
	case OP_ADOPT:
		usage->families |= 1u << event->family;
		break;
	case OP_RESOLVE:
		usage->has_lookups |=
		        event->text_len && !addr_parse(&ip, event->text, event->text_len);
		if (!event_failed(event) && event->has_remote && event->text_len)
			ledger_resolve(&usage->ledger, &event->remote.ip, event->text,
			               event->text_len);
		break;
	case OP_SHUTDOWN:
	case OP_CLOSE:
	case OP_DUP:
	case OP_PASS:
	case OP_START:
	case OP_FORK:
	case OP_EXEC:
	case OP_EXIT:
	case OP_BLIND:
	case OP_LIMIT:
	case OP_SITE:
	case OP_NONE:
	case OP_KINDS:
		break;
	}
}

/* ---- processes ---- */

static void add_user(struct usage *usage, uint32_t uid)
{
	uint32_t at = 0;

	while (at < usage->users && usage->user[at] < uid)
		at++;
	if (at < usage->users && usage->user[at] == uid)
		return;
	if (usage->users == USAGE_USERS) {
		usage->more_users = true;
		return;
	}
	memmove(usage->user + at + 1, usage->user + at,
	        (usage->users - at) * sizeof(usage->user[0]));
	usage->user[at] = uid;
	usage->users++;
}

static void look_at_processes(struct usage *usage, struct reader *reader)
{
	struct unseen unseen[COVERAGE_MAX];
	struct reader_process process;

	for (uint32_t slot = 1; slot <= reader_process_count(reader); slot++) {
		if (!reader_process(reader, slot, &process))
			continue;
		usage->processes++;
		add_user(usage, process.uid);
		usage->unseen += coverage_of(&process, false, unseen) > 0;
	}
}

struct usage *usage_of(struct reader *reader)
{
	struct usage *usage = memory_new(sizeof(*usage));
	struct event event;

	while (reader_next(reader, &event))
		on_event(usage, &event);
	settle(usage);
	look_at_processes(usage, reader);
	reader_info(reader, &usage->info);
	return usage;
}

void usage_free(struct usage *usage)
{
	struct deed *deed, *next;

	HASH_ITER (hh, usage->deeds, deed, next) {
		HASH_DEL(usage->deeds, deed);
		free(deed);
	}
	ledger_free(&usage->ledger);
	free(usage);
}

/* ---- questions ---- */

int place_compare(const struct place *one, const struct place *other)
{
	int order = (one->family == FAMILY_UNIX) - (other->family == FAMILY_UNIX);

	if (!order)
		order = one->proto - other->proto;
	if (!order)
		order = memcmp(&one->end.ip, &other->end.ip, sizeof(one->end.ip));
	if (!order)
		order = one->end.port - other->end.port;
	return order ? order : strcmp(one->path, other->path);
}

static int compare(const void *a, const void *b)
{
	const struct deed *one = *(const struct deed *const *)a;
	const struct deed *other = *(const struct deed *const *)b;
	int order = (int)one->key.call - (int)other->key.call;

	if (!order)
		order = place_compare(&one->key.place, &other->key.place);
	if (!order)
		order = strcmp(one->key.program->name, other->key.program->name);
	if (!order)
		order = one->key.place.family - other->key.place.family;
	return order ? order : one->key.is_asked - other->key.is_asked;
}

static int compare_by_program(const void *a, const void *b)
{
	const struct deed *one = *(const struct deed *const *)a;
	const struct deed *other = *(const struct deed *const *)b;
	int order = strcmp(one->key.program->name, other->key.program->name);

	return order ? order : compare(a, b);
}

const struct deed **usage_list(const struct usage *usage, bool by_program, bool with_denied,
                               size_t *count)
{
	const struct deed **list = memory_new((HASH_COUNT(usage->deeds) + 1) * sizeof(*list));
	const struct deed *deed;

	*count = 0;
	for (deed = usage->deeds; deed; deed = deed->hh.next)
		if (deed->count || (with_denied && deed->denied))
			list[(*count)++] = deed;
	qsort(list, *count, sizeof(*list), by_program ? compare_by_program : compare);
	return list;
}

static bool is_ephemeral(const struct usage *usage, uint16_t port)
{
	return usage->info.port_low <= port && port <= usage->info.port_high && port;
}

bool usage_is_chosen(const struct usage *usage, const struct deed *deed)
{
	const struct place *place = &deed->key.place;
	const struct deed *bind = NULL;

	if (place->family == FAMILY_UNIX)
		return false;
	if (deed->key.call == OP_LISTEN)
		bind = find_local(usage, OP_BIND, place, &place->end.ip);
	if (bind)
		deed = bind;
	if (deed->key.call == OP_LISTEN)
		return is_ephemeral(usage, place->end.port);
	return deed->key.is_asked || deed->key.place.end.port == 0;
}

bool usage_is_bound(const struct usage *usage, const struct deed *listen)
{
	return find_local(usage, OP_BIND, &listen->key.place, NULL) != NULL;
}

bool usage_has_listener(const struct usage *usage, const struct deed *bind)
{
	return find_local(usage, OP_LISTEN, &bind->key.place, NULL) != NULL;
}

bool usage_is_loose(const struct usage *usage, const struct deed *deed)
{
	const struct place *place = &deed->key.place;
	const struct deed *here;

	if (place->family == FAMILY_UNIX || !is_ephemeral(usage, place->end.port))
		return false;
	if (deed->key.call == OP_RECV)
		return true;
	here = find_local(usage, OP_NONE, place, &place->end.ip);
	return here && usage_is_chosen(usage, here);
}

void errors_merge(struct errors *to, const struct errors *from)
{
	for (unsigned i = 0; i < from->kinds; i++) {
		uint64_t more = from->kind[i].count - 1;
		unsigned k = 0;

		errors_add(to, from->kind[i].error);
		while (k < to->kinds && to->kind[k].error != from->kind[i].error)
			k++;
		*(k < to->kinds ? &to->kind[k].count : &to->other) += more;
		to->total += more;
	}
	to->other += from->other;
	to->total += from->other;
}
