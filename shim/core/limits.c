/* SPDX-License-Identifier: MIT */
/* limits.c - see limits.h. */
#include "core/limits.h"

#include <errno.h>
#include <string.h>

/* ---- which rule ---- */

bool limits_concern(const struct rules *rules, const struct rule *rule, const char *name,
                    const char *program)
{
	size_t len;
	const char *pattern = rules_text(rules, rule->program, &len);
	const char *whose = memchr(pattern, '/', len) ? program : name;

	if (!(rule->flags & RULE_PROGRAM))
		return true;
	return whose && rule_glob(pattern, len, whose, strlen(whose));
}

static bool is_limit(const struct rule *rule, enum limit_kind kind)
{
	return rule->action == ACTION_LIMIT && rule->limit == kind;
}

uint32_t limits_rule(const struct rules *rules, enum limit_kind kind, const char *name,
                     const char *program)
{
	uint32_t number = 0;

	if (!(rules->limits & UINT32_C(1) << kind))
		return 0;
	for (uint32_t i = 0; i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (!is_limit(rule, kind) || rule->flags & RULE_TREE ||
		    !limits_concern(rules, rule, name, program))
			continue;
		if (rule->flags & RULE_PROGRAM)
			return i + 1;
		number = number ? number : i + 1;
	}
	return number;
}

uint32_t limits_tree_rule(const struct rules *rules, const char *name, const char *program)
{
	uint32_t number = 0;

	for (uint32_t i = 0; rules->flags & RULE_TREE && i < rules->count; i++) {
		const struct rule *rule = &rules->rule[i];

		if (is_limit(rule, LIMIT_SOCKETS) && rule->flags & RULE_TREE &&
		    limits_concern(rules, rule, name, program) &&
		    (!number || rule->amount < rules->rule[number - 1].amount))
			number = i + 1;
	}
	return number;
}

/* ---- a count ----
 * In one word: whether it is known, how often it was settled, how often it has changed
 * (both small numbers that come round), and how many there are. */

enum { CHANGES_SHIFT = 32, SETTLED_SHIFT = 48 };
#define KNOWN        (UINT64_C(1) << 63)
#define SETTLED_MASK (UINT64_C(0x7fff) << SETTLED_SHIFT)
#define CHANGES_MASK (UINT64_C(0xffff) << CHANGES_SHIFT)

uint32_t count_open(uint64_t count)
{
	return (uint32_t)count;
}

bool count_is_known(uint64_t count)
{
	return count & KNOWN;
}

/* The count, changed once more, with this many. */
static uint64_t changed(uint64_t count, uint64_t open)
{
	return (count & (KNOWN | SETTLED_MASK)) |
	       ((count + (UINT64_C(1) << CHANGES_SHIFT)) & CHANGES_MASK) | (open & UINT32_MAX);
}

static bool exchange(socket_count *count, uint64_t *was, uint64_t now)
{
	return atomic_compare_exchange_strong_explicit(count, was, now, memory_order_acq_rel,
	                                               memory_order_acquire);
}

bool count_take(socket_count *count, uint32_t n, uint32_t limit, uint64_t *was)
{
	*was = atomic_load(count);
	do
		if (n > limit || count_open(*was) > limit - n)
			return false;
	while (!exchange(count, was, changed(*was, (uint64_t)count_open(*was) + n)));
	return true;
}

bool count_was_settled(const socket_count *count, uint64_t was)
{
	return (atomic_load(count) ^ was) & (KNOWN | SETTLED_MASK);
}

void count_change(socket_count *count, int n)
{
	uint64_t was = atomic_load(count);
	int64_t open;

	do
		open = (int64_t)count_open(was) + n;
	while (!exchange(count, &was, changed(was, open > 0 ? (uint64_t)open : 0)));
}

bool count_settle(socket_count *count, uint64_t was, uint32_t open)
{
	uint64_t now = changed(was, open) & ~SETTLED_MASK;

	now |= KNOWN | ((was + (UINT64_C(1) << SETTLED_SHIFT)) & SETTLED_MASK);
	return exchange(count, &was, now);
}

void count_doubt(socket_count *count)
{
	atomic_fetch_and(count, ~KNOWN);
}

/* ---- what happens to sockets ---- */

static void change_all(struct sockets *sockets, int n)
{
	uint32_t counted = atomic_load_explicit(&sockets->counted, memory_order_relaxed);

	if (counted & COUNT_OWN)
		count_change(&sockets->own, n);
	if (counted & COUNT_TREE)
		count_change(sockets->tree, n);
}

void limits_appeared(struct sockets *sockets)
{
	change_all(sockets, 1);
}

void limits_born(struct sockets *sockets)
{
	atomic_fetch_sub(&sockets->flight->making, 1);
}

enum { AGE_SHIFT = 24, OPEN_MASK = 0xffffff };

/* The connections of the rule of which a call has a place; NULL if there is none any more. */
static _Atomic uint32_t *places_of(struct engine *engine, enum op_kind kind,
                                   const struct verdict *verdict)
{
	struct rules *rules = atomic_load(&engine->rules);

	if (!verdict->place || !rules || verdict->place > rules->count)
		return NULL;
	return &rules->rule[verdict->place - 1].open[kind == OP_ACCEPT];
}

/* Not if they were counted anew meanwhile: then it was not among them, or will not be. */
static void give_place_back(_Atomic uint32_t *places, uint32_t age)
{
	uint32_t was = atomic_load(places);

	while (was >> AGE_SHIFT == age && was & OPEN_MASK &&
	       !atomic_compare_exchange_strong(places, &was, was - 1))
		;
}

/* An accept may wait for long: who counted anew meanwhile did not find its connection. */
static void keep_place(_Atomic uint32_t *places, uint32_t age)
{
	uint32_t was = atomic_load(places);

	while (was >> AGE_SHIFT && was >> AGE_SHIFT != age && (was & OPEN_MASK) < OPEN_MASK &&
	       !atomic_compare_exchange_strong(places, &was, was + 1))
		;
}

void limits_give_back(struct engine *engine, enum op_kind kind, struct call *call)
{
	struct verdict *verdict = &call->verdict;
	_Atomic uint32_t *places = places_of(engine, kind, verdict);

	if (places)
		give_place_back(places, verdict->age);
	verdict->place = 0;
	if (!verdict->held)
		return;
	change_all(&engine->sockets, -verdict->held);
	atomic_fetch_sub(&engine->sockets.flight->making, verdict->held);
	verdict->held = 0;
}

void limits_ended(struct engine *engine, enum op_kind kind, struct call *call)
{
	_Atomic uint32_t *places = places_of(engine, kind, &call->verdict);

	if (call->outcome.result < 0 &&
	    !(kind == OP_CONNECT && call->outcome.result == -EINPROGRESS))
		limits_give_back(engine, kind, call);
	else if (places && kind == OP_ACCEPT)
		keep_place(places, call->verdict.age);
}

/* The socket is still there for who counts meanwhile. */
bool sockets_take_counted(struct sockets *sockets, int fd, struct sock *copy)
{
	struct sock *sock = &sockets->at[fd];
	struct flight *flight = sockets->flight;

	if (atomic_load_explicit(&flight->forked, memory_order_relaxed) &&
	    atomic_exchange(&flight->forked, 0))
		sockets_share(sockets);
	atomic_fetch_add(&flight->closing, 1);
	sock_copy_ends(copy, sock, sockets_word(sock));
	copy->word = __atomic_exchange_n(&sock->word, 0, __ATOMIC_ACQ_REL);
	if (copy->word && !(copy->word & SOCKET_SHARED))
		copy->word |= SOCKET_LEAVING;
	else
		atomic_fetch_sub(&sockets->flight->closing, 1);
	return copy->word != 0;
}

/* What was no descriptor any more has perhaps been missed by a count since. */
void limits_closed(struct sockets *sockets, int result)
{
	if (result != -EBADF)
		change_all(sockets, -1);
	atomic_fetch_sub(&sockets->flight->closing, 1);
}

void sockets_stay(struct sockets *sockets, struct sock *copy)
{
	if (copy->word & SOCKET_LEAVING)
		atomic_fetch_sub(&sockets->flight->closing, 1);
	copy->word &= ~(uint64_t)SOCKET_LEAVING;
}

void sockets_share(struct sockets *sockets)
{
	uint32_t top = atomic_load(&sockets->top);

	for (uint32_t fd = 0; fd < top; fd++) {
		uint64_t word = sockets_word(&sockets->at[fd]);

		if (word)
			sockets_change(sockets, (int)fd, (uint32_t)(word >> 32), SOCKET_SHARED, 0);
	}
}
