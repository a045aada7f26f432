/* SPDX-License-Identifier: MIT */
/* host.c - see host.h. */
#include "tools/host.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

enum { BIND_SERVICE = 10 /* CAP_NET_BIND_SERVICE */, FREE_FROM = 1024 };

/* Up to two numbers of a file of the kernel's; returns how many there were. */
static int read_numbers(const char *path, unsigned *first, unsigned *second)
{
	FILE *file = fopen(path, "re");
	int count;

	if (!file)
		return 0;
	count = fscanf(file, "%u %u", first, second);
	fclose(file);
	return count < 0 ? 0 : count;
}

static bool has_capability(unsigned number)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long effective = 0;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	if (file)
		fclose(file);
	return effective >> number & 1;
}

/* An empty range is the default: to set it changes nothing. */
static bool knows_port_range(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint32_t none = 0;
	bool knows;

	if (fd < 0)
		return false;
	knows = setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &none, sizeof(none)) == 0;
	close(fd);
	return knows;
}

struct host host_look(void)
{
	struct host host = {.free_from = FREE_FROM, .fds = RLIM_INFINITY};
	unsigned low, high, start, none;
	struct rlimit limit;

	if (read_numbers("/proc/sys/net/ipv4/ip_local_port_range", &low, &high) == 2) {
		host.port_low = (uint16_t)low;
		host.port_high = (uint16_t)high;
	}
	if (read_numbers("/proc/sys/net/ipv4/ip_unprivileged_port_start", &start, &none) >= 1)
		host.free_from = start;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		host.fds = limit.rlim_cur;
	host.may_bind_any = has_capability(BIND_SERVICE);
	host.has_port_range = knows_port_range();
	return host;
}

bool host_has_range(const struct host *host, uint16_t low, uint16_t high)
{
	return host->has_port_range && low >= host->port_low && high <= host->port_high;
}
