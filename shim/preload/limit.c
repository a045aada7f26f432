/* SPDX-License-Identifier: MIT */
/* limit.c - see limit.h. The counts and what is never too low about them: core/limits.h. */
#include "preload/limit.h"

#include <fcntl.h>

#include "core/limits.h"
#include "preload/count.h"
#include "preload/waiting.h"
#include "sys/clock.h"
#include "sys/raw.h"

/* ---- which rules ---- */

/* Numbers of rules, 0: none. Of connections, where to look. */
struct limits {
	uint16_t sockets, tree, first, last;
};

_Static_assert(sizeof(struct limits) == sizeof(uint64_t), "limits change in one step");

static _Atomic(struct limits) limits;
static _Atomic uint32_t while_least; /* of all rules with `while`: the smallest number */

static void find_connections(const struct rules *rules, struct limits *found)
{
	for (uint32_t i = 0; i < rules->count && rules->limits & 1 << LIMIT_CONNECTIONS; i++) {
		const struct rule *rule = &rules->rule[i];

		if (rule->action != ACTION_LIMIT || rule->limit != LIMIT_CONNECTIONS)
			continue;
		found->last = (uint16_t)(i + 1);
		if (!found->first)
			found->first = found->last;
	}
}

static struct limits find_limits(const struct rules *rules)
{
	const char *name = process.engine.name, *program = process.engine.program;
	struct limits found = {0, 0, 0, 0};

	if (!rules)
		return found;
	found.sockets = (uint16_t)limits_rule(rules, LIMIT_SOCKETS, name, program);
	found.tree = (uint16_t)limits_tree_rule(rules, name, program);
	find_connections(rules, &found);
	return found;
}

static uint32_t find_least(const struct rules *rules)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; rules && rules->flags & RULE_WHILE && i < rules->count; i++)
		if (rules->rule[i].flags & RULE_WHILE && rules->rule[i].amount < least)
			least = rules->rule[i].amount;
	return least;
}

/* A rule of the set that is in force; another thread may just be changing it. */
static struct rule *limit_of(struct rules *rules, uint32_t number, enum limit_kind kind)
{
	struct rule *rule = number && number <= rules->count ? &rules->rule[number - 1] : NULL;

	return rule && rule->action == ACTION_LIMIT && rule->limit == kind ? rule : NULL;
}

/* ---- what is counted ---- */

static struct flight own_flight; /* where there is no place in the session */
static socket_count own_tree;    /* where there is no session */

static struct flight *flight_of_process(void)
{
	struct session_process *entry = process_entry();

	return entry ? &entry->flight : &own_flight;
}

void limit_entered(void)
{
	struct sockets *sockets = &process.engine.sockets;

	sockets->flight = flight_of_process();
	sockets->tree = process.engine.session ? &process.engine.session->sockets_open : &own_tree;
	atomic_store(&sockets->flight->making, 0);
	atomic_store(&sockets->flight->closing, 0);
	atomic_store(&sockets->flight->forked, 0);
}

/* In a forked child: its counts are its own, and what its parent waited for is none of its. */
static void enter_forked(void)
{
	limit_entered();
	waiting_entered();
}

/* A fork that we did not stand around: the parent does not know that its sockets have another
 * descriptor. What it closes before it is told is counted as if it were ours alone. */
void limit_forked(bool is_announced)
{
	struct sockets *sockets = &process.engine.sockets;
	struct flight *parents = sockets->flight;

	if (!atomic_load(&sockets->counted))
		return; /* and touches no page that the parent has, too */
	enter_forked();
	if (is_announced)
		return;
	atomic_store(&parents->forked, 1);
	sockets_share(sockets);
	count_change(sockets->tree, (int)count_open(atomic_load(&sockets->own)));
}

void limit_prepare(const struct rules *rules, bool is_new)
{
	struct sockets *sockets = &process.engine.sockets;
	struct limits found = find_limits(rules);
	uint32_t counted = found.sockets ? COUNT_OWN : 0;

	if (rules && rules->flags & (RULE_TREE | RULE_WHILE))
		counted |= COUNT_OWN | COUNT_TREE; /* a fork asks for the own one */
	if (counted && sockets->flight && sockets->flight != flight_of_process())
		enter_forked();
	else if (!sockets->flight)
		limit_entered();
	atomic_store(&limits, found);
	atomic_store(&while_least, find_least(rules));
	atomic_store(&sockets->counted, counted);
	if (!is_new)
		return;
	if (counted)
		sockets_share(sockets); /* who has them is not known */
	count_doubt(&sockets->own);
	if (sockets->tree)
		count_doubt(sockets->tree);
}

/* ---- sockets ---- */

static bool refuse(struct call *call, struct rules *rules, struct rule *rule, int error)
{
	call->verdict.kind = VERDICT_LIMITED;
	call->verdict.error = error;
	call->verdict.rule = (uint16_t)(rule - rules->rule + 1);
	atomic_fetch_add_explicit(&rule->matched, 1, memory_order_relaxed);
	return false;
}

static bool count_anew(const socket_count *count, uint32_t *open)
{
	uint32_t flight;

	waiting_sweep();
	return count == &process.engine.sockets.own ? count_own_sockets(open)
	                                            : count_tree_sockets(open, &flight);
}

/* Take n places. At the limit, or before the first, it is counted how many are taken; what
 * others do meanwhile makes that void, and it is done again. */
static bool take(socket_count *count, uint32_t n, uint32_t limit, uint64_t *was)
{
	enum { TRIES = 16 };
	bool can_count = true;

	for (int i = 0; i < TRIES; i++) {
		uint64_t before = atomic_load(count);
		uint32_t open;

		if ((count_is_known(before) || !can_count) && count_take(count, n, limit, was))
			return true;
		if (!can_count)
			return false;
		can_count = count_anew(count, &open);
		if (can_count && count_is_known(before) && open >= count_open(before))
			return false; /* so many there are */
		if (can_count)
			count_settle(count, before, open);
	}
	return false;
}

/* The same where no rule sets a limit, but one wants to know how many there are. */
static bool take_by(const struct rule *rule, socket_count *count, uint32_t n, uint64_t *was)
{
	if (rule)
		return take(count, n, rule->amount, was);
	*was = atomic_load(count);
	count_change(count, (int)n);
	return true;
}

/* n sockets are to be made, and have their places. Who counts anew between the two steps may
 * have missed them. */
static void hold(struct call *call, uint32_t n, uint64_t own_was, uint64_t tree_was)
{
	struct sockets *sockets = &process.engine.sockets;
	uint32_t counted = atomic_load(&sockets->counted);

	atomic_fetch_add(&sockets->flight->making, n);
	call->verdict.held = (uint16_t)n;
	call->waiting = 0;
	if (call->op.kind == OP_ACCEPT)
		waiting_begin(call);
	if (counted & COUNT_OWN && count_was_settled(&sockets->own, own_was))
		count_change(&sockets->own, (int)n);
	if (counted & COUNT_TREE && count_was_settled(sockets->tree, tree_was))
		count_change(sockets->tree, (int)n);
}

static bool sockets_may_go(struct call *call, struct rules *rules, uint32_t n)
{
	struct sockets *sockets = &process.engine.sockets;
	struct limits now = atomic_load_explicit(&limits, memory_order_relaxed);
	struct rule *own = limit_of(rules, now.sockets, LIMIT_SOCKETS);
	struct rule *tree = limit_of(rules, now.tree, LIMIT_SOCKETS);
	uint32_t counted = atomic_load_explicit(&sockets->counted, memory_order_relaxed);
	uint64_t own_was = 0, tree_was = 0;

	if (!own && !tree)
		return true;
	if (counted & COUNT_OWN && !take_by(own, &sockets->own, n, &own_was))
		return refuse(call, rules, own, own->error);
	if (counted & COUNT_TREE && !take_by(tree, sockets->tree, n, &tree_was)) {
		if (counted & COUNT_OWN && !count_was_settled(&sockets->own, own_was))
			count_change(&sockets->own, -(int)n);
		return refuse(call, rules, tree, tree->error);
	}
	hold(call, n, own_was, tree_was);
	return true;
}

/* ---- how many there are, for `while` ---- */

/* Counting takes at most a small part of the time. Between two counts, what was open and is
 * not by an end that we do not see still counts. */
uint32_t limit_open_sockets(void)
{
	enum { PART = 64 };
	static _Atomic uint64_t next;
	static _Atomic uint32_t under_way; /* of those that were counted last: not open yet */
	socket_count *count = process.engine.sockets.tree;
	uint64_t before = count ? atomic_load(count) : 0, start;
	uint32_t open, flight;

	if (!count)
		return 0;
	if (count_is_known(before) && count_open(before) < atomic_load(&while_least))
		return count_open(before);
	start = clock_ticks();
	if ((!count_is_known(before) || start >= atomic_load(&next)) &&
	    count_tree_sockets(&open, &flight)) {
		count_settle(count, before, open);
		atomic_store(&under_way, flight);
		atomic_store(&next, clock_ticks() + PART * (clock_ticks() - start));
		return open - flight;
	}
	open = count_open(before);
	flight = atomic_load(&under_way);
	return open > flight ? open - flight : 0;
}

/* ---- connections ---- */

/* How many there are at most, and how often that was counted anew, so that a place is given
 * back only where it was taken; 0: never yet. */
enum { PLACES_BITS = 24, PLACES_MASK = (1 << PLACES_BITS) - 1 };

static uint32_t places_anew(const struct rules *rules, uint32_t before, uint32_t open)
{
	uint32_t age = before ? (before >> PLACES_BITS) + 1 : rules->number;

	age &= UINT8_MAX;
	return (age ? age : 1) << PLACES_BITS | (open < PLACES_MASK ? open : PLACES_MASK);
}

static bool take_place(struct rules *rules, struct rule *rule, enum op_kind kind, uint32_t *taken)
{
	enum { TRIES = 16 };
	_Atomic uint32_t *places = &rule->open[kind == OP_ACCEPT];
	bool can_count = true;

	for (int i = 0; i < TRIES; i++) {
		uint32_t before = atomic_load(places), open;

		if ((before || !can_count) && (before & PLACES_MASK) < rule->amount &&
		    (before & PLACES_MASK) < PLACES_MASK) {
			*taken = before + 1;
			if (atomic_compare_exchange_strong(places, &before, before + 1))
				return true;
			continue;
		}
		if (!can_count)
			return false;
		can_count = count_connections(rules, rule, kind, &open);
		if (can_count && before && open >= (before & PLACES_MASK))
			return false;
		if (can_count)
			atomic_compare_exchange_strong(places, &before,
			                               places_anew(rules, before, open));
	}
	return false;
}

/* Where the connection goes: the end by which `to` knows it. */
static bool has_end(const struct call *call, enum op_kind kind, struct endpoint *end)
{
	enum family family = sock_family(&call->sock);

	if (sock_proto(&call->sock) != PROTO_TCP ||
	    (family != FAMILY_INET && family != FAMILY_INET6))
		return false;
	if (kind == OP_ACCEPT)
		*end = (struct endpoint){call->sock.local, call->sock.local_port};
	else
		*end = call->verdict.kind == VERDICT_MOVED ? call->verdict.to : call->op.asked;
	return kind == OP_ACCEPT ? sock_bits(&call->sock) & SOCKET_LOCAL : call->op.has_asked;
}

/* Once sandboxed, nobody could say which connections have ended: then there is no limit. */
static bool connections_may_go(struct call *call, struct rules *rules, enum op_kind kind)
{
	struct limits now = atomic_load_explicit(&limits, memory_order_relaxed);
	struct rule_query query = {.call = kind, .proto = RULE_TCP, .has_remote = true};
	uint32_t taken;

	if (!now.first || process.is_sandboxed || !has_end(call, kind, &query.remote))
		return true;
	query.name = process.engine.name;
	query.program = process.engine.program;
	for (uint32_t i = now.first; i <= now.last; i++) {
		struct rule *rule = limit_of(rules, i, LIMIT_CONNECTIONS);

		if (!rule || rule_mismatch(rules, rule, &query) != MISMATCH_NONE)
			continue;
		if (!take_place(rules, rule, kind, &taken)) {
			waiting_end(call);
			limits_give_back(&process.engine, kind, call);
			return refuse(call, rules, rule,
			              kind == OP_ACCEPT && !(rule->flags & RULE_ERROR)
			                      ? EMFILE
			                      : rule->error);
		}
		call->verdict.place = (uint16_t)i;
		call->verdict.age = (uint16_t)(taken >> PLACES_BITS);
	}
	return true;
}

/* ---- backlog ---- */

/* As the kernel caps it by net.core.somaxconn: what is negative is a lot. */
static void cap_backlog(struct call *call, struct rules *rules)
{
	uint32_t number =
	        limits_rule(rules, LIMIT_BACKLOG, process.engine.name, process.engine.program);
	struct rule *rule = limit_of(rules, number, LIMIT_BACKLOG);

	if (!rule || (uint32_t)call->op.arg <= rule->amount)
		return;
	call->op.arg = rule->amount < INT32_MAX ? (int)rule->amount : INT32_MAX;
	atomic_fetch_add_explicit(&rule->matched, 1, memory_order_relaxed);
	if (call->verdict.kind != VERDICT_PASSED)
		return;
	call->verdict.kind = VERDICT_LIMITED;
	call->verdict.rule = (uint16_t)number;
}

/* ---- all ---- */

bool limit_may_go(struct call *call, enum op_kind kind)
{
	struct rules *rules = atomic_load_explicit(&process.engine.rules, memory_order_acquire);

	if (!rules || !(rules->limit_calls & RULE_CALL(kind == OP_SOCKETPAIR ? OP_SOCKET : kind)))
		return true;
	if (kind == OP_SOCKET || kind == OP_SOCKETPAIR)
		return sockets_may_go(call, rules, kind == OP_SOCKET ? 1 : 2);
	if (kind == OP_ACCEPT)
		return sockets_may_go(call, rules, 1) && connections_may_go(call, rules, kind);
	if (kind == OP_CONNECT)
		return connections_may_go(call, rules, kind);
	if (kind == OP_LISTEN)
		cap_backlog(call, rules);
	return true;
}

bool limit_accept_stray(struct call *call)
{
	if (!process.is_sandboxed && raw2(SYS_fcntl, call->op.fd, F_GETFD) < 0)
		return true;
	return limit_may_go(call, OP_ACCEPT);
}
