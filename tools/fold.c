/* SPDX-License-Identifier: MIT */
/* fold.c - see fold.h. First the ports of each host, one host after another in
 * order; then the spans of hosts that are alike. */
#include "tools/fold.h"

#include <stdlib.h>
#include <string.h>

#include "tools/memory.h"

static const struct fold_range linux_range = {32768, 60999}, iana_range = {49152, 65535};

static bool is_in(struct fold_range range, uint16_t port)
{
	return range.low && range.low <= port && port <= range.high;
}

bool fold_ephemeral(uint16_t port, struct fold_range own, struct fold_range *range)
{
	*range = is_in(own, port) ? own : is_in(linux_range, port) ? linux_range : iana_range;
	return is_in(*range, port);
}

static int compare_items(const void *a, const void *b)
{
	const struct fold_item *one = a, *other = b;
	int order = memcmp(&one->end.ip, &other->end.ip, sizeof(one->end.ip));

	if (!order)
		order = one->end.port - other->end.port;
	return order ? order : (one->tag > other->tag) - (one->tag < other->tag);
}

/* ---- ports of one host: items[0..count) with one address, sorted ---- */

/* How many items from here on make a run of neighbours, and of how many ports. */
static size_t run_length(const struct fold_item *items, size_t count, uint32_t *ports)
{
	size_t i = 1;

	*ports = 1;
	while (i < count && items[i].end.port - items[i - 1].end.port <= 1) {
		*ports += items[i].end.port != items[i - 1].end.port;
		i++;
	}
	return i;
}

/* Make *range wide enough for a range of the kernel's; an unset one becomes it. */
static void widen(struct fold_range *range, struct fold_range by)
{
	if (!range->low || by.low < range->low)
		range->low = by.low;
	if (by.high > range->high)
		range->high = by.high;
}

/* The ephemeral range that this host's ports call for; low 0: none. */
static struct fold_range ephemeral_of(const struct fold_item *items, size_t count,
                                      struct fold_range own)
{
	struct fold_range loose = {0}, scattered = {0}, range;
	uint32_t ports, many = 0;

	for (size_t i = 0, len; i < count; i += len) {
		len = run_length(items + i, count - i, &ports);
		for (size_t k = i; k < i + len; k++) {
			if (!fold_ephemeral(items[k].end.port, own, &range))
				continue;
			if (items[k].is_loose)
				widen(&loose, range);
			if (ports < FOLD_PORTS_DENSE)
				widen(&scattered, range);
			many += ports < FOLD_PORTS_DENSE &&
			        (k == i || items[k].end.port != items[k - 1].end.port);
		}
	}
	if (many >= FOLD_PORTS_MANY)
		widen(&loose, scattered);
	return loose;
}

static struct span *add_span(struct span *spans, size_t *used, const struct ip *ip, uint16_t low,
                             uint16_t high)
{
	struct span *span = &spans[(*used)++];

	*span = (struct span){.ip = *ip, .bits = 128, .low = low, .high = high, .hosts = 1};
	return span;
}

/* Ports are left of an item that an ephemeral range has not taken. */
static size_t fold_run(struct fold_item *items, size_t count, struct span *spans, size_t *used)
{
	uint32_t ports;
	size_t len = run_length(items, count, &ports);
	struct span *span = NULL;

	for (size_t i = 0; i < len; i++) {
		if (!span || (ports < FOLD_PORTS_DENSE && span->high != items[i].end.port)) {
			span = add_span(spans, used, &items[i].end.ip, items[i].end.port,
			                items[i].end.port);
			span->ports = 1;
		}
		span->ports += items[i].end.port != span->high;
		span->high = items[i].end.port;
		items[i].span = *used - 1;
	}
	return len;
}

static void fold_ports(struct fold_item *items, size_t count, struct fold_range own,
                       struct span *spans, size_t *used)
{
	struct fold_range range = ephemeral_of(items, count, own);
	struct span *ephemeral = NULL;
	size_t i = 0, end;

	while (i < count) {
		if (!is_in(range, items[i].end.port)) {
			for (end = i; end < count && !is_in(range, items[end].end.port);)
				end++;
			while (i < end)
				i += fold_run(items + i, end - i, spans, used);
			continue;
		}
		if (!ephemeral)
			ephemeral = add_span(spans, used, &items[i].end.ip, range.low, range.high);
		ephemeral->is_ephemeral = true;
		ephemeral->ports += i == 0 || items[i].end.port != items[i - 1].end.port;
		items[i++].span = (size_t)(ephemeral - spans);
	}
}

/* ---- hosts of one network ---- */

/* A span and where it stood, to be sorted. */
struct placed {
	struct span span;
	size_t was, becomes;
};

static unsigned network_bits(const struct ip *ip)
{
	return addr_is_v4(ip) ? FOLD_BITS_V4 : FOLD_BITS_V6;
}

static bool is_same_network(const struct span *one, const struct span *other)
{
	return addr_is_v4(&one->ip) == addr_is_v4(&other->ip) &&
	       addr_in_prefix(&one->ip, &other->ip, network_bits(&other->ip));
}

static int compare_networks(const void *a, const void *b)
{
	const struct span *one = &((const struct placed *)a)->span;
	const struct span *other = &((const struct placed *)b)->span;
	int order = is_same_network(one, other) ? 0 : memcmp(&one->ip, &other->ip, sizeof(one->ip));

	if (!order)
		order = one->low - other->low;
	if (!order)
		order = one->high - other->high;
	return order ? order : memcmp(&one->ip, &other->ip, sizeof(one->ip));
}

static int compare_placed(const void *a, const void *b)
{
	const struct span *one = &((const struct placed *)a)->span;
	const struct span *other = &((const struct placed *)b)->span;
	int order = memcmp(&one->ip, &other->ip, sizeof(one->ip));

	if (!order)
		order = one->low - other->low;
	return order ? order : one->high - other->high;
}

static void clear_host_bits(struct ip *ip, unsigned bits)
{
	memset(ip->byte + bits / 8, 0, sizeof(ip->byte) - bits / 8);
}

/* Make the first of len spans that are alike the network that they are in. */
static void join(struct placed *list, size_t len)
{
	struct span *first = &list[0].span;

	first->bits = (uint8_t)network_bits(&first->ip);
	clear_host_bits(&first->ip, first->bits);
	for (size_t i = 1; i < len; i++) {
		first->hosts += list[i].span.hosts;
		if (list[i].span.ports > first->ports)
			first->ports = list[i].span.ports;
	}
}

/* Mark in list[].becomes which span each is part of now; returns how many are left, which
 * come first. */
static size_t join_networks(struct placed *list, size_t count, size_t *becomes)
{
	size_t used = 0;

	for (size_t i = 0, len; i < count; i += len) {
		const struct span *first = &list[i].span;

		for (len = 1; i + len < count && is_same_network(&list[i + len].span, first) &&
		              list[i + len].span.low == first->low &&
		              list[i + len].span.high == first->high;)
			len++;
		if (len < FOLD_HOSTS_MANY)
			len = 1;
		else
			join(list + i, len);
		for (size_t k = i; k < i + len; k++)
			becomes[list[k].was] = used;
		list[used].span = list[i].span;
		list[used].becomes = used;
		used++;
	}
	return used;
}

static size_t fold_hosts(struct fold_item *items, size_t count, struct span *spans, size_t used)
{
	struct placed *list = memory_new((used + 1) * sizeof(*list));
	size_t *becomes = memory_new((used + 1) * sizeof(*becomes));
	size_t *at = memory_new((used + 1) * sizeof(*at));

	for (size_t i = 0; i < used; i++)
		list[i] = (struct placed){.span = spans[i], .was = i};
	qsort(list, used, sizeof(*list), compare_networks);
	used = join_networks(list, used, becomes);
	qsort(list, used, sizeof(*list), compare_placed);
	for (size_t i = 0; i < used; i++) {
		spans[i] = list[i].span;
		at[list[i].becomes] = i;
	}
	for (size_t i = 0; i < count; i++)
		items[i].span = at[becomes[items[i].span]];
	free(list);
	free(becomes);
	free(at);
	return used;
}

size_t fold(struct fold_item *items, size_t count, struct fold_range own, bool with_hosts,
            struct span *spans)
{
	size_t used = 0;

	if (count == 0)
		return 0;
	qsort(items, count, sizeof(*items), compare_items);
	for (size_t i = 0, len; i < count; i += len) {
		for (len = 1;
		     i + len < count && addr_equal(&items[i + len].end.ip, &items[i].end.ip);)
			len++;
		fold_ports(items + i, len, own, spans, &used);
	}
	return with_hosts ? fold_hosts(items, count, spans, used) : used;
}
