/* SPDX-License-Identifier: MIT */
/* port_range.h - which local ports the programs of an audit had to choose from: the host's,
 * or those that a rule left them. */
#ifndef TOOLS_PORT_RANGE_H
#define TOOLS_PORT_RANGE_H

#include "tools/audit.h"

struct port_range {
	uint32_t count;     /* ports; 0: unknown */
	uint16_t low, high; /* 0: unknown */
	uint32_t rule, set; /* 0: the host's */
	bool is_limit;      /* by limit ports */
	bool is_other;      /* what was short was no port: another limit said so */
};

/* Of a program, which may be NULL; of those to which a destination belongs, the first. In a
 * finished audit. */
struct port_range port_range_of(const struct audit *audit, const struct program *program);
struct port_range port_range_to(const struct audit *audit, const struct destination *row);

/* Of the calls of a shortage. */
struct port_range port_range_short(const struct audit *audit, const struct shortage *shortage);

/* How many connections a destination can have at once, 0: unknown. */
uint64_t port_range_capacity(const struct audit *audit, const struct destination *row);

/* The rule that limits the descriptors of a program, and its set; 0: none does. */
uint32_t port_range_fds_rule(const struct audit *audit, const struct program *program,
                             uint32_t *set);

#endif
