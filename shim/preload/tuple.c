/* SPDX-License-Identifier: MIT */
/* tuple.c - see tuple.h. */
#include "preload/tuple.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "preload/capture.h"
#include "sys/raw.h"

/* Descriptors that are open for a moment: a child that another thread forks just then
 * inherits them. As fd + 1; where there is no place, a child keeps one. */
static _Atomic int fleeting[8];

/* Put `fd` in the place of `there`; -1: a free place. */
static void note(int there, int fd)
{
	for (size_t i = 0; i < sizeof(fleeting) / sizeof(fleeting[0]); i++) {
		int value = there + 1;

		if (atomic_compare_exchange_strong(&fleeting[i], &value, fd + 1))
			return;
	}
}

void tuple_forked(void)
{
	for (size_t i = 0; i < sizeof(fleeting) / sizeof(fleeting[0]); i++) {
		int fd = atomic_exchange(&fleeting[i], 0) - 1;

		if (fd >= 0)
			raw_close(fd);
	}
}

/* The address that a packet to remote would leave from: a connected UDP socket has it. */
static bool ask_source(struct ip *ip, enum family family, const struct endpoint *remote)
{
	struct sockaddr_storage addr = {0};
	size_t len = addr_to_sockaddr(&addr, family, remote);
	long fd = raw3(SYS_socket, addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct endpoint local;
	bool has_way;

	if (fd < 0)
		return true; /* no descriptor: nothing is known */
	has_way = raw3(SYS_connect, fd, &addr, len) == 0;
	if (has_way && capture_local((int)fd, &local) != FAMILY_OTHER)
		*ip = local.ip;
	raw_close((int)fd);
	return has_way;
}

bool tuple_begin(struct tuple_query *query, enum family family, const struct endpoint *local,
                 const struct endpoint *remote)
{
	query->local = *local;
	query->remote = *remote;
	if (addr_is_any(&local->ip) && !ask_source(&query->local.ip, family, remote))
		return false;
	query->fd = (int)raw3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (query->fd >= 0)
		note(-1, query->fd);
	return true;
}

static void put_ip(uint32_t to[4], const struct ip *ip)
{
	if (addr_is_v4(ip))
		memcpy(to, ip->byte + 12, 4);
	else
		memcpy(to, ip->byte, 16);
}

bool tuple_is_free(const struct tuple_query *query, uint16_t port)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 ask;
	} request = {
	        .head = {.nlmsg_len = sizeof(request),
	                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
	                 .nlmsg_flags = NLM_F_REQUEST},
	        .ask = {.sdiag_family = addr_is_v4(&query->remote.ip) ? AF_INET : AF_INET6,
	                .sdiag_protocol = IPPROTO_TCP,
	                .idiag_states = ~0u,
	                .id = {.idiag_sport = htons(port),
	                       .idiag_dport = htons(query->remote.port),
	                       .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
	};
	struct nlmsghdr answer[4]; /* its head is enough */

	put_ip(request.ask.id.idiag_src, &query->local.ip);
	put_ip(request.ask.id.idiag_dst, &query->remote.ip);
	if (query->fd < 0 || raw6(SYS_sendto, query->fd, RAW_ARG(&request), sizeof(request), 0, 0,
	                          0) != sizeof(request))
		return true;
	if (raw6(SYS_recvfrom, query->fd, RAW_ARG(answer), sizeof(answer), 0, 0, 0) <
	    (long)sizeof(answer[0]))
		return true;
	return answer[0].nlmsg_type == NLMSG_ERROR;
}

void tuple_end(const struct tuple_query *query)
{
	if (query->fd < 0)
		return;
	note(query->fd, -1);
	raw_close(query->fd);
}
