/* SPDX-License-Identifier: MIT */
/* filter.h - which events a person wants to see. */
#ifndef TOOLS_FILTER_H
#define TOOLS_FILTER_H

#include "core/event.h"

/* All that is set must hold; a zeroed filter lets everything pass. */
struct filter {
	uint64_t calls; /* bit of an op_kind: wanted; 0: all */
	const char *process;
	uint32_t pid;
	unsigned verdicts; /* bit of a verdict_kind: wanted; 0: all */
	uint16_t rule;     /* 0: all */
	bool has_port, has_address, failures;
	uint16_t port; /* local, remote or asked for */
	struct ip address;
	unsigned address_bits;
};

/* Set a part of a filter from an option's value. Returns false if it makes no
 * sense; for lists of names, *bad is then the name that is none, bad_len long. */
bool filter_set_calls(struct filter *filter, const char *names, const char **bad, int *bad_len);
bool filter_set_verdicts(struct filter *filter, const char *names, const char **bad, int *bad_len);
bool filter_set_rule(struct filter *filter, const char *number);
bool filter_set_pid(struct filter *filter, const char *number);
bool filter_set_port(struct filter *filter, const char *number);
bool filter_set_address(struct filter *filter, const char *prefix);

bool filter_passes(const struct filter *filter, const struct event *event);

#endif
