/* SPDX-License-Identifier: MIT */
/* filter.c - see filter.h. */
#include "tools/filter.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "core/names.h"

_Static_assert(OP_KINDS <= 64, "a bit for each");

static uint64_t bit_of(enum op_kind kind)
{
	return (uint64_t)1 << kind;
}

bool filter_set_calls(struct filter *filter, const char *names, const char **bad, int *bad_len)
{
	for (const char *at = names;; at++) {
		size_t len = strcspn(at, ",");
		enum op_kind kind = name_to_op(at, len);

		if (kind == OP_NONE) {
			*bad = at;
			*bad_len = (int)len;
			return false;
		}
		filter->calls |= bit_of(kind);
		at += len;
		if (*at == '\0')
			return true;
	}
}

bool filter_set_verdicts(struct filter *filter, const char *names, const char **bad, int *bad_len)
{
	for (const char *at = names;; at++) {
		size_t len = strcspn(at, ",");
		enum verdict_kind kind;

		if (!name_to_verdict(&kind, at, len)) {
			*bad = at;
			*bad_len = (int)len;
			return false;
		}
		filter->verdicts |= 1u << kind;
		at += len;
		if (*at == '\0')
			return true;
	}
}

/* A decimal number of up to nine digits, to the end of the text. */
static bool parse_number(uint32_t *number, const char *text, uint32_t max)
{
	size_t len = strspn(text, "0123456789");

	*number = 0;
	if (len == 0 || len > 9 || text[len] != '\0')
		return false;
	for (; *text; text++)
		*number = *number * 10 + (uint32_t)(*text - '0');
	return *number <= max;
}

bool filter_set_pid(struct filter *filter, const char *number)
{
	return parse_number(&filter->pid, number, INT32_MAX) && filter->pid > 0;
}

bool filter_set_rule(struct filter *filter, const char *number)
{
	uint32_t rule;

	if (!parse_number(&rule, number, UINT16_MAX) || rule == 0)
		return false;
	filter->rule = (uint16_t)rule;
	return true;
}

bool filter_set_port(struct filter *filter, const char *number)
{
	uint32_t port;

	filter->has_port = parse_number(&port, number, UINT16_MAX);
	filter->port = (uint16_t)port;
	return filter->has_port;
}

bool filter_set_address(struct filter *filter, const char *prefix)
{
	size_t len = strcspn(prefix, "/");
	uint32_t bits, before;

	if (!addr_parse(&filter->address, prefix, len))
		return false;
	before = memchr(prefix, ':', len) ? 0 : 96; /* of IPv4, those of ::ffff:0:0 */
	bits = 128 - before;
	if (prefix[len] == '/' && !parse_number(&bits, prefix + len + 1, bits))
		return false;
	filter->address_bits = before + bits;
	filter->has_address = true;
	return true;
}

static bool end_passes(const struct filter *filter, const struct endpoint *end)
{
	return (!filter->has_port || end->port == filter->port) &&
	       (!filter->has_address ||
	        addr_in_prefix(&end->ip, &filter->address, filter->address_bits));
}

/* How calls that do not wait go on: no failure, unless a rule has seen to it. */
static bool is_not_yet(const struct event *event)
{
	return (event->error == EINPROGRESS || event->error == EAGAIN) &&
	       event->verdict != VERDICT_FAILED && event->verdict != VERDICT_LIMITED;
}

bool filter_passes(const struct filter *filter, const struct event *event)
{
	if (filter->calls && !(filter->calls & bit_of(event->kind)))
		return false;
	if (filter->verdicts && !(filter->verdicts & 1u << event->verdict))
		return false;
	if (filter->rule && event->rule != filter->rule)
		return false;
	if (filter->failures && (!event_failed(event) || is_not_yet(event)))
		return false;
	if (filter->pid && event->pid != filter->pid)
		return false;
	if (filter->process &&
	    (!event->program || fnmatch(filter->process, event->program, 0) != 0))
		return false;
	if (!filter->has_port && !filter->has_address)
		return true;
	return (event->has_local && end_passes(filter, &event->local)) ||
	       (event->has_remote && end_passes(filter, &event->remote)) ||
	       (event->has_asked && end_passes(filter, &event->asked));
}
