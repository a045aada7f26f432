/* SPDX-License-Identifier: MIT */
/* ledger.c - see ledger.h. */
#include "tools/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_destination(struct destination *destination)
{
	struct port_use *use, *next;

	HASH_ITER (hh, destination->uses, use, next) {
		HASH_DEL(destination->uses, use);
		free(use);
	}
	free(destination->lately);
	free(destination);
}

static void free_resolved(struct resolved *resolved)
{
	for (unsigned i = 0; i < resolved->names; i++)
		free(resolved->name[i]);
	free(resolved);
}

void ledger_free(struct ledger *ledger)
{
	struct program *program, *next_program;
	struct listener *listener, *next_listener;
	struct destination *destination, *next_destination;
	struct resolved *resolved, *next_resolved;
	struct unresolved *unresolved, *next_unresolved;
	struct leak *leak, *next_leak;
	struct heirloom *heirloom, *next_heirloom;

	HASH_ITER (hh, ledger->programs, program, next_program) {
		HASH_DEL(ledger->programs, program);
		free(program);
	}
	HASH_ITER (hh, ledger->listeners, listener, next_listener) {
		HASH_DEL(ledger->listeners, listener);
		free(listener);
	}
	HASH_ITER (hh, ledger->destinations, destination, next_destination) {
		HASH_DEL(ledger->destinations, destination);
		free_destination(destination);
	}
	HASH_ITER (hh, ledger->resolved, resolved, next_resolved) {
		HASH_DEL(ledger->resolved, resolved);
		free_resolved(resolved);
	}
	HASH_ITER (hh, ledger->unresolved, unresolved, next_unresolved) {
		HASH_DEL(ledger->unresolved, unresolved);
		free(unresolved);
	}
	HASH_ITER (hh, ledger->leaks, leak, next_leak) {
		HASH_DEL(ledger->leaks, leak);
		free(leak);
	}
	HASH_ITER (hh, ledger->heirlooms, heirloom, next_heirloom) {
		HASH_DEL(ledger->heirlooms, heirloom);
		free(heirloom);
	}
}

struct place ledger_place(enum family family, enum proto proto, const struct endpoint *end,
                          const char *path, size_t path_len)
{
	struct place place;

	memset(&place, 0, sizeof(place)); /* the padding is part of the key */
	place.family = (uint8_t)family;
	place.proto = (uint8_t)proto;
	if (end)
		place.end = *end;
	if (path_len > UNIX_PATH_MAX)
		path_len = UNIX_PATH_MAX;
	if (path)
		memcpy(place.path, path, path_len);
	return place;
}

struct program *ledger_program(struct ledger *ledger, const char *name)
{
	struct program *program;

	HASH_FIND_STR(ledger->programs, name, program);
	if (program)
		return program;
	program = memory_new(sizeof(*program));
	snprintf(program->name, sizeof(program->name), "%s", name);
	HASH_ADD_STR(ledger->programs, name, program);
	return program;
}

struct listener *ledger_listener(struct ledger *ledger, const struct place *place,
                                 const struct program *program)
{
	struct listener *listener = memory_new(sizeof(*listener)), *found;

	listener->key.program = program;
	listener->key.place = *place;
	HASH_FIND(hh, ledger->listeners, &listener->key, sizeof(listener->key), found);
	if (found) {
		free(listener);
		return found;
	}
	listener->backlog = -1;
	HASH_ADD(hh, ledger->listeners, key, sizeof(listener->key), listener);
	return listener;
}

/* Addresses are looked up by all that stands before the path, and the path. */
static unsigned place_bytes(const struct place *place)
{
	return (unsigned)(offsetof(struct place, path) + strlen(place->path));
}

struct destination *ledger_destination(struct ledger *ledger, const struct place *place)
{
	struct destination *destination;
	unsigned bytes = place_bytes(place);

	HASH_FIND(hh, ledger->destinations, place, bytes, destination);
	if (destination)
		return destination;
	destination = memory_new(sizeof(*destination));
	destination->place = *place;
	destination->reuse_ns = UINT64_MAX;
	HASH_ADD(hh, ledger->destinations, place, bytes, destination);
	return destination;
}

struct leak *ledger_leak(struct ledger *ledger, const struct leak *like)
{
	struct leak *leak;

	HASH_FIND(hh, ledger->leaks, &like->key, sizeof(like->key), leak);
	if (leak)
		return leak;
	leak = memory_new(sizeof(*leak));
	memcpy(leak, like, sizeof(*leak));
	HASH_ADD(hh, ledger->leaks, key, sizeof(leak->key), leak);
	return leak;
}

struct heirloom *ledger_heirloom(struct ledger *ledger, const struct heirloom *like)
{
	struct heirloom *heirloom;

	HASH_FIND(hh, ledger->heirlooms, &like->key, sizeof(like->key), heirloom);
	if (heirloom)
		return heirloom;
	heirloom = memory_new(sizeof(*heirloom));
	memcpy(heirloom, like, sizeof(*heirloom));
	HASH_ADD(hh, ledger->heirlooms, key, sizeof(heirloom->key), heirloom);
	return heirloom;
}

struct port_use *ledger_port_use(struct destination *destination, const struct endpoint *local)
{
	struct port_use *use;

	HASH_FIND(hh, destination->uses, local, sizeof(*local), use);
	if (use)
		return use;
	use = memory_new(sizeof(*use));
	use->local = *local;
	HASH_ADD(hh, destination->uses, local, sizeof(use->local), use);
	return use;
}

static bool has_name(const struct resolved *resolved, const char *name, size_t len)
{
	for (unsigned i = 0; i < resolved->names; i++)
		if (strncmp(resolved->name[i], name, len) == 0 && resolved->name[i][len] == '\0')
			return true;
	return false;
}

void ledger_resolve(struct ledger *ledger, const struct ip *ip, const char *name, size_t len)
{
	struct resolved *resolved;
	struct ip numeric;

	len = strnlen(name, len);
	if (addr_parse(&numeric, name, len))
		return; /* an address, not a name */
	HASH_FIND(hh, ledger->resolved, ip, sizeof(*ip), resolved);
	if (!resolved) {
		resolved = memory_new(sizeof(*resolved));
		resolved->ip = *ip;
		HASH_ADD(hh, ledger->resolved, ip, sizeof(resolved->ip), resolved);
	}
	if (resolved->names < LEDGER_NAMES && !has_name(resolved, name, len))
		resolved->name[resolved->names++] = memory_copy(name, len);
}

void ledger_fail_to_resolve(struct ledger *ledger, int result, const char *name, size_t len)
{
	struct unresolved *unresolved;

	len = strnlen(name, len);
	HASH_FIND(hh, ledger->unresolved, name, len, unresolved);
	if (!unresolved) {
		unresolved = memory_new(sizeof(*unresolved) + len + 1);
		memcpy(unresolved->name, name, len);
		HASH_ADD_KEYPTR(hh, ledger->unresolved, unresolved->name, len, unresolved);
	}
	unresolved->result = result;
	unresolved->count++;
}

const struct resolved *ledger_resolved(const struct ledger *ledger, const struct place *place)
{
	struct resolved *resolved = NULL;

	if (place->family != FAMILY_UNIX)
		HASH_FIND(hh, ledger->resolved, &place->end.ip, sizeof(struct ip), resolved);
	return resolved;
}

void programs_add(struct programs *programs, const struct program *program)
{
	for (unsigned i = 0; i < programs->count; i++)
		if (programs->list[i] == program)
			return;
	if (programs->count < LEDGER_PROGRAMS)
		programs->list[programs->count++] = program;
	else
		programs->more = true;
}

void errors_add(struct errors *errors, int error)
{
	unsigned i = 0;

	errors->total++;
	while (i < errors->kinds && errors->kind[i].error != error)
		i++;
	if (i == LEDGER_ERRORS) {
		errors->other++;
		return;
	}
	if (i == errors->kinds)
		errors->kind[errors->kinds++].error = error;
	errors->kind[i].count++;
}

uint64_t errors_count(const struct errors *errors, int error)
{
	for (unsigned i = 0; i < errors->kinds; i++)
		if (errors->kind[i].error == error)
			return errors->kind[i].count;
	return 0;
}

void level_up(struct level *level)
{
	if (++level->now > level->peak)
		level->peak = level->now;
}

void level_down(struct level *level)
{
	if (level->now > 0)
		level->now--;
}

void streak_add(struct streak *streak, uint64_t start_ns, uint64_t end_ns, uint64_t pause_ns)
{
	bool goes_on = streak->count > 0 && start_ns < streak->last_ns + pause_ns;

	if (!goes_on) {
		streak->first_ns = start_ns;
		streak->count = 0;
	}
	streak->count++;
	streak->last_ns = end_ns;
	if (streak->count > streak->best) {
		streak->best = streak->count;
		streak->best_ns = end_ns > streak->first_ns ? end_ns - streak->first_ns : 0;
	}
}

void minute_add(struct minute *minute, uint64_t now_ns)
{
	if (now_ns - minute->start_ns >= TIME_WAIT_S * (uint64_t)1000000000) {
		minute->start_ns = now_ns;
		minute->count = 0;
	}
	if (++minute->count > minute->peak)
		minute->peak = minute->count;
}

/* Forget the seconds that are over. */
static void lately_move(struct lately *lately, uint64_t second)
{
	uint64_t passed = second > lately->second ? second - lately->second : 0;

	for (uint64_t i = 1; i <= passed && i <= TIME_WAIT_S; i++)
		memset(lately->count[(lately->second + i) % TIME_WAIT_S], 0,
		       sizeof(lately->count[0]));
	lately->second += passed;
}

void lately_add(struct lately *lately, unsigned kind, int by, uint64_t now_ns)
{
	uint32_t *count;

	lately_move(lately, now_ns / 1000000000);
	count = &lately->count[lately->second % TIME_WAIT_S][kind];
	if (by > 0 || *count > 0)
		*count += (uint32_t)by;
}

uint64_t lately_count(const struct lately *lately, unsigned kind, uint64_t now_ns)
{
	uint64_t second = now_ns / 1000000000, total = 0;

	for (uint64_t i = 0; i < TIME_WAIT_S && i <= lately->second; i++)
		if (lately->second - i + TIME_WAIT_S > second)
			total += lately->count[(lately->second - i) % TIME_WAIT_S][kind];
	return total;
}

void errors_rename(struct errors *errors, int from, int to, uint64_t most)
{
	uint64_t count = errors_count(errors, from);
	unsigned i = 0;

	if (count > most)
		count = most;
	if (count == 0 || from == to)
		return;
	while (errors->kind[i].error != from)
		i++;
	errors->kind[i].count -= count;
	if (errors->kind[i].count == 0)
		errors->kind[i] = errors->kind[--errors->kinds];
	errors->total -= count;
	errors_add(errors, to);
	for (i = 0; i < errors->kinds && errors->kind[i].error != to;)
		i++;
	*(i < errors->kinds ? &errors->kind[i].count : &errors->other) += count - 1;
	errors->total += count - 1;
}
