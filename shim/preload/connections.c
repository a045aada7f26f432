/* SPDX-License-Identifier: MIT */
/* connections.c - see connections.h. */
#include "preload/connections.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "preload/fleeting.h"
#include "preload/process.h"
#include "sys/raw.h"

struct listing {
	const struct inodes *inodes;
	const struct rules *rules;
	const struct rule *rule;
	enum op_kind kind;
	uint32_t count;
	uint8_t listeners[65536 / 8]; /* by port */
	_Alignas(struct nlmsghdr) char buf[8192];
};

static void take_ip(struct ip *ip, unsigned family, const uint32_t from[4])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (family == AF_INET6) {
		memcpy(ip->byte, from, 16);
		return;
	}
	memcpy(ip->byte, mapped, sizeof(mapped));
	memcpy(ip->byte + 12, from, 4);
}

static bool is_listeners(const struct listing *listing, uint16_t port)
{
	return listing->listeners[port / 8] & 1u << port % 8;
}

/* The destination of a connection is the remote end where it was made, the local one where it
 * was accepted. */
static void take(struct listing *listing, const struct inet_diag_msg *msg)
{
	uint16_t port = ntohs(msg->id.idiag_sport);
	struct rule_query query = {.call = listing->kind,
	                           .proto = RULE_TCP,
	                           .has_remote = true,
	                           .name = process.engine.name,
	                           .program = process.engine.program};
	bool is_accepted = is_listeners(listing, port);

	if (msg->idiag_state == TCP_LISTEN) {
		listing->listeners[port / 8] |= (uint8_t)(1u << port % 8);
		return;
	}
	if (is_accepted != (listing->kind == OP_ACCEPT) || !msg->idiag_inode ||
	    !inodes_have(listing->inodes, msg->idiag_inode))
		return;
	query.remote.port = is_accepted ? port : ntohs(msg->id.idiag_dport);
	take_ip(&query.remote.ip, msg->idiag_family,
	        is_accepted ? msg->id.idiag_src : msg->id.idiag_dst);
	if (rule_mismatch(listing->rules, listing->rule, &query) == MISMATCH_NONE)
		listing->count++;
}

static bool ask(int fd, unsigned family, uint32_t states)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 ask;
	} request = {
	        .head = {.nlmsg_len = sizeof(request),
	                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
	                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	        .ask = {.sdiag_family = (uint8_t)family,
	                .sdiag_protocol = IPPROTO_TCP,
	                .idiag_states = states},
	};

	return raw6(SYS_sendto, fd, RAW_ARG(&request), sizeof(request), 0, 0, 0) == sizeof(request);
}

/* Returns false at an error, or if the kernel could not tell all. */
static bool read_all(int fd, struct listing *listing)
{
	char *buf = listing->buf;
	long left;

	while ((left = raw6(SYS_recvfrom, fd, RAW_ARG(buf), sizeof(listing->buf), 0, 0, 0)) > 0) {
		struct nlmsghdr *head = (void *)buf;

		for (; NLMSG_OK(head, (uint32_t)left); head = NLMSG_NEXT(head, left)) {
			if (head->nlmsg_type == NLMSG_DONE)
				return true;
			if (head->nlmsg_type == NLMSG_ERROR)
				return false;
			if (head->nlmsg_len >= NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
				take(listing, NLMSG_DATA(head));
		}
	}
	return false;
}

/* A kernel without IPv6 lists none. */
static bool list(int fd, struct listing *listing, uint32_t states)
{
	return ask(fd, AF_INET, states) && read_all(fd, listing) && ask(fd, AF_INET6, states) &&
	       (read_all(fd, listing) || true);
}

static bool list_all(struct listing *listing)
{
	const uint32_t listening = 1u << TCP_LISTEN;
	const uint32_t made = 1u << TCP_ESTABLISHED | 1u << TCP_SYN_SENT | 1u << TCP_SYN_RECV |
	                      1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | 1u << TCP_CLOSE_WAIT |
	                      1u << TCP_LAST_ACK | 1u << TCP_CLOSING;
	long fd = raw3(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool is_whole;

	if (fd < 0)
		return false;
	fleeting_opened((int)fd);
	is_whole = list((int)fd, listing, listening) && list((int)fd, listing, made);
	fleeting_close((int)fd);
	return is_whole;
}

/* Too much for a small stack. */
bool connections_count(const struct inodes *inodes, const struct rules *rules,
                       const struct rule *rule, enum op_kind kind, uint32_t *count)
{
	struct listing *listing = raw_map(sizeof(*listing));
	bool is_known;

	if (!listing)
		return false;
	listing->inodes = inodes;
	listing->rules = rules;
	listing->rule = rule;
	listing->kind = kind;
	is_known = list_all(listing);
	*count = listing->count;
	raw2(SYS_munmap, listing, sizeof(*listing));
	return is_known;
}
