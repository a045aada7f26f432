/* SPDX-License-Identifier: MIT */
/* host.h - what this host and kernel let a rule do. */
#ifndef TOOLS_HOST_H
#define TOOLS_HOST_H

#include <stdbool.h>
#include <stdint.h>

struct host {
	uint16_t port_low, port_high; /* net.ipv4.ip_local_port_range; high 0: unknown */
	unsigned free_from;           /* net.ipv4.ip_unprivileged_port_start */
	bool may_bind_any;            /* also the ports below that: CAP_NET_BIND_SERVICE */
	bool has_port_range;          /* IP_LOCAL_PORT_RANGE: Linux 6.3 */
	uint64_t fds;                 /* RLIMIT_NOFILE */
};

struct host host_look(void);

/* Does the kernel by itself draw ports from exactly this range? */
bool host_has_range(const struct host *host, uint16_t low, uint16_t high);

#endif
