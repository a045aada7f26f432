/* SPDX-License-Identifier: MIT */
/* tuple.c - see tuple.h. */
#include "preload/tuple.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "preload/capture.h"
#include "preload/fleeting.h"
#include "sys/raw.h"

/* A connected UDP socket has it. */
bool tuple_source(struct ip *ip, enum family family, const struct endpoint *remote)
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

/* A socket to ask sock_diag with; negative: there is none. */
static int ask_kernel(void)
{
	int fd = (int)raw3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd >= 0)
		fleeting_opened(fd);
	return fd;
}

static void ask_no_more(int fd)
{
	if (fd < 0)
		return;
	fleeting_close(fd);
}

bool tuple_begin(struct tuple_query *query, enum family family, const struct endpoint *local,
                 const struct endpoint *remote)
{
	query->local = *local;
	query->remote = *remote;
	if (addr_is_any(&local->ip) && !tuple_source(&query->local.ip, family, remote))
		return false;
	query->fd = ask_kernel();
	return true;
}

/* ---- TIME_WAIT ---- */

static bool is_loopback(const struct ip *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	return addr_is_v4(ip) ? ip->byte[12] == 127 : memcmp(ip->byte, one, sizeof(one)) == 0;
}

/* A number of /proc/sys/net/ipv4; otherwise where it cannot be read. */
static unsigned read_sysctl(const char *path, unsigned otherwise)
{
	char text[16];
	long fd = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0), len;
	unsigned number = 0;

	if (fd < 0)
		return otherwise;
	len = raw3(SYS_read, fd, text, sizeof(text));
	raw_close((int)fd);
	for (long i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		number = number * 10 + (unsigned)(text[i] - '0');
	return len > 0 ? number : otherwise;
}

/* What is left of a closed connection gives way to a new one when it is old enough, if
 * net.ipv4.tcp_tw_reuse says so: 1: always, 2: on the loopback interface (Linux's default).
 * That age can be set since Linux 6.14; it was a second before. */
static bool gives_way(const struct tuple_query *query, const struct inet_diag_msg *msg)
{
	enum { TIMER_TIME_WAIT = 3, TIME_WAIT_MS = 60000 }; /* of net/tcp.h in the kernel */
	unsigned reuse, age;

	if (msg->idiag_timer != TIMER_TIME_WAIT || msg->idiag_expires > TIME_WAIT_MS)
		return false;
	reuse = read_sysctl("/proc/sys/net/ipv4/tcp_tw_reuse", 2);
	age = TIME_WAIT_MS - msg->idiag_expires;
	return (reuse == 1 || (reuse == 2 && is_loopback(&query->remote.ip))) &&
	       age > read_sysctl("/proc/sys/net/ipv4/tcp_tw_reuse_delay", 1000);
}

/* ---- one tuple ---- */

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
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg msg;
	} answer; /* attributes are cut off */
	long len;

	put_ip(request.ask.id.idiag_src, &query->local.ip);
	put_ip(request.ask.id.idiag_dst, &query->remote.ip);
	if (query->fd < 0 || raw6(SYS_sendto, query->fd, RAW_ARG(&request), sizeof(request), 0, 0,
	                          0) != sizeof(request))
		return true;
	len = raw6(SYS_recvfrom, query->fd, RAW_ARG(&answer), sizeof(answer), 0, 0, 0);
	if (len < (long)sizeof(answer.head) || answer.head.nlmsg_type == NLMSG_ERROR)
		return true;
	return len >= (long)sizeof(answer) && gives_way(query, &answer.msg);
}

void tuple_end(const struct tuple_query *query)
{
	ask_no_more(query->fd);
}

/* ---- all ports ---- */

/* Marks what a part of a dump tells. Returns false at its end. */
static bool mark_answer(struct tuple_ports *used, const char *buf, size_t len)
{
	while (len >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)buf;
		const struct inet_diag_msg *msg = (const void *)(buf + NLMSG_HDRLEN);
		size_t step = NLMSG_ALIGN(head->nlmsg_len);

		if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		    head->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)) || head->nlmsg_len > len)
			return false;
		tuple_mark_port(used, ntohs(msg->id.idiag_sport));
		buf += step;
		len -= step < len ? step : len;
	}
	return true;
}

static void mark_sockets(struct tuple_ports *used, int fd, uint8_t family, uint8_t protocol)
{
	static _Alignas(struct nlmsghdr) char buf[32768];
	const struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 ask;
	} request = {
	        .head = {.nlmsg_len = sizeof(request),
	                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
	                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	        .ask = {.sdiag_family = family, .sdiag_protocol = protocol, .idiag_states = ~0u},
	};
	long len = raw6(SYS_sendto, fd, RAW_ARG(&request), sizeof(request), 0, 0, 0);

	while (len > 0) {
		len = raw6(SYS_recvfrom, fd, RAW_ARG(buf), sizeof(buf), 0, 0, 0);
		if (len > 0 && !mark_answer(used, buf, (size_t)len))
			return;
	}
}

void tuple_ports_in_use(struct tuple_ports *used)
{
	int fd = ask_kernel();

	memset(used, 0, sizeof(*used));
	for (int i = 0; fd >= 0 && i < 4; i++)
		mark_sockets(used, fd, i % 2 ? AF_INET6 : AF_INET,
		             i / 2 ? IPPROTO_UDP : IPPROTO_TCP);
	ask_no_more(fd);
}
