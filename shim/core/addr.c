/* SPDX-License-Identifier: MIT */
/* addr.c - see addr.h. */
#include "core/addr.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/text.h"

enum { V4_AT = 12, GROUPS = 8 };

/* What the kernel asks of a sockaddr_in6: the scope is optional (RFC 2133). */
#define IN6_LEN_MIN offsetof(struct sockaddr_in6, sin6_scope_id)

static const uint8_t v4_mapped[V4_AT] = {[10] = 0xff, [11] = 0xff};

static void set_v4(struct ip *ip, const void *four_bytes)
{
	memcpy(ip->byte, v4_mapped, V4_AT);
	memcpy(ip->byte + V4_AT, four_bytes, 4);
}

enum family addr_family(int domain)
{
	switch (domain) {
	case AF_INET:
		return FAMILY_INET;
	case AF_INET6:
		return FAMILY_INET6;
	case AF_UNIX:
		return FAMILY_UNIX;
	default:
		return FAMILY_OTHER;
	}
}

static enum family read_inet(struct endpoint *end, const void *sockaddr)
{
	struct sockaddr_in in;

	memcpy(&in, sockaddr, sizeof(in));
	set_v4(&end->ip, &in.sin_addr);
	end->port = ntohs(in.sin_port);
	return FAMILY_INET;
}

static enum family read_inet6(struct endpoint *end, const void *sockaddr)
{
	struct sockaddr_in6 in6;

	memcpy(&in6, sockaddr, IN6_LEN_MIN);
	memcpy(end->ip.byte, &in6.sin6_addr, sizeof(end->ip.byte));
	end->port = ntohs(in6.sin6_port);
	return FAMILY_INET6;
}

enum family addr_from_sockaddr(struct endpoint *end, const void *sockaddr, size_t len)
{
	sa_family_t domain;

	if (len < sizeof(domain))
		return FAMILY_OTHER;
	memcpy(&domain, sockaddr, sizeof(domain));
	if (domain == AF_INET && len >= sizeof(struct sockaddr_in))
		return read_inet(end, sockaddr);
	if (domain == AF_INET6 && len >= IN6_LEN_MIN)
		return read_inet6(end, sockaddr);
	return domain == AF_UNIX ? FAMILY_UNIX : FAMILY_OTHER;
}

static void write_inet(struct sockaddr_in *in, const struct endpoint *end)
{
	in->sin_family = AF_INET;
	in->sin_port = htons(end->port);
	memcpy(&in->sin_addr, end->ip.byte + V4_AT, sizeof(in->sin_addr));
}

static void write_inet6(struct sockaddr_in6 *in6, const struct endpoint *end)
{
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(end->port);
	memcpy(&in6->sin6_addr, end->ip.byte, sizeof(in6->sin6_addr));
}

size_t addr_to_sockaddr(void *sockaddr, enum family family, const struct endpoint *end)
{
	const int domain = family == FAMILY_INET ? AF_INET : AF_INET6;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
	size_t len = domain == AF_INET ? sizeof(addr.in) : sizeof(addr.in6);

	memcpy(&addr, sockaddr, sizeof(addr));
	if (addr.any.sa_family != domain)
		memset(&addr, 0, sizeof(addr));
	if (domain == AF_INET)
		write_inet(&addr.in, end);
	else
		write_inet6(&addr.in6, end);
	memcpy(sockaddr, &addr, len);
	return len;
}

size_t addr_unix_path(char *path, const void *sockaddr, size_t len)
{
	const char *from = (const char *)sockaddr + offsetof(struct sockaddr_un, sun_path);
	size_t room = len > offsetof(struct sockaddr_un, sun_path)
	                      ? len - offsetof(struct sockaddr_un, sun_path)
	                      : 0;
	size_t n = 0;

	if (room > UNIX_PATH_MAX)
		room = UNIX_PATH_MAX;
	if (room > 0 && from[0] == '\0') { /* abstract: all of it counts, NULs too */
		memcpy(path, from, room);
		path[0] = '@';
		n = room;
	}
	for (; n < room && from[n]; n++)
		path[n] = from[n];
	path[n] = '\0';
	return n;
}

bool addr_is_v4(const struct ip *ip)
{
	return memcmp(ip->byte, v4_mapped, V4_AT) == 0;
}

bool addr_is_any(const struct ip *ip)
{
	static const struct ip any6;
	static const uint8_t any4[4];

	return memcmp(ip, &any6, sizeof(any6)) == 0 ||
	       (addr_is_v4(ip) && memcmp(ip->byte + V4_AT, any4, sizeof(any4)) == 0);
}

bool addr_is_loopback(const struct ip *ip)
{
	static const struct ip loopback6 = {.byte = {[15] = 1}};

	return (addr_is_v4(ip) && ip->byte[V4_AT] == 127) ||
	       memcmp(ip, &loopback6, sizeof(loopback6)) == 0;
}

bool addr_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool addr_in_prefix(const struct ip *ip, const struct ip *prefix, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (bits >= 128)
		return addr_equal(ip, prefix);
	return memcmp(ip, prefix, whole) == 0 &&
	       (ip->byte[whole] ^ prefix->byte[whole]) >> (8 - rest) == 0;
}

/* What is left of a text that is being parsed. */
struct rest {
	const char *at, *end;
};

static bool accept_char(struct rest *rest, char c)
{
	if (rest->at == rest->end || *rest->at != c)
		return false;
	rest->at++;
	return true;
}

/* 0 to 255, without leading zeros: those would be octal to inet_aton(3). */
static bool parse_byte(uint8_t *byte, struct rest *rest)
{
	const char *start = rest->at;
	unsigned value = 0;

	for (; rest->at < rest->end && *rest->at >= '0' && *rest->at <= '9'; rest->at++) {
		if (rest->at > start && value == 0)
			return false;
		value = value * 10 + (unsigned)(*rest->at - '0');
		if (value > 255)
			return false;
	}
	*byte = (uint8_t)value;
	return rest->at > start;
}

/* Exactly a.b.c.d, to the end. */
static bool parse_v4(uint8_t four[4], struct rest rest)
{
	for (int i = 0; i < 4; i++) {
		if ((i > 0 && !accept_char(&rest, '.')) || !parse_byte(&four[i], &rest))
			return false;
	}
	return rest.at == rest.end;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One to four hex digits. */
static bool parse_group(uint8_t two[2], struct rest *rest)
{
	unsigned value = 0, digits = 0;

	for (; digits < 5 && rest->at < rest->end && hex_value(*rest->at) >= 0; digits++)
		value = value << 4 | (unsigned)hex_value(*rest->at++);
	two[0] = (uint8_t)(value >> 8);
	two[1] = (uint8_t)value;
	return digits >= 1 && digits <= 4;
}

/* Groups to the end or to "::"; the last may be dotted IPv4. Returns how many
 * of the at most max groups there are, or -1. */
static int parse_groups(uint8_t *out, int max, struct rest *rest)
{
	int n = 0;

	do {
		if (n <= max - 2 && parse_v4(out + n * 2, *rest)) {
			rest->at = rest->end;
			return n + 2;
		}
		if (n == max || !parse_group(out + n * 2, rest))
			return -1;
		n++;
		if (rest->end - rest->at >= 2 && memcmp(rest->at, "::", 2) == 0)
			return n;
	} while (accept_char(rest, ':'));
	return rest->at == rest->end ? n : -1;
}

static bool parse_v6(struct ip *ip, struct rest rest)
{
	uint8_t head[16] = {0}, tail[16];
	int heads = 0, tails = 0;
	bool starts_with_gap = rest.end - rest.at >= 2 && memcmp(rest.at, "::", 2) == 0;

	if (!starts_with_gap)
		heads = parse_groups(head, GROUPS, &rest);
	if (heads < 0)
		return false;
	if (rest.at == rest.end) {
		memcpy(ip->byte, head, sizeof(head));
		return heads == GROUPS;
	}
	rest.at += 2; /* the gap stands for one group at least */
	if (rest.at < rest.end)
		tails = parse_groups(tail, GROUPS - 1 - heads, &rest);
	if (tails < 0 || heads + tails >= GROUPS || rest.at != rest.end)
		return false;
	memcpy(head + (GROUPS - tails) * 2, tail, (size_t)tails * 2);
	memcpy(ip->byte, head, sizeof(head));
	return true;
}

bool addr_parse(struct ip *ip, const char *text, size_t len)
{
	struct rest rest = {text, text + len};
	uint8_t four[4];

	if (!parse_v4(four, rest))
		return parse_v6(ip, rest);
	set_v4(ip, four);
	return true;
}

static void put_v4(struct text *text, const uint8_t four[4])
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_char(text, '.');
		text_unsigned(text, four[i]);
	}
}

static unsigned group_at(const struct ip *ip, int i)
{
	return (unsigned)ip->byte[i * 2] << 8 | ip->byte[i * 2 + 1];
}

/* The first of the longest runs of zero groups, at least two: RFC 5952 4.2.
 * Returns its length. */
static int find_gap(const struct ip *ip, int *gap_at)
{
	int best = 1;

	for (int i = 0, run = 0; i < GROUPS; i++) {
		run = group_at(ip, i) ? 0 : run + 1;
		if (run > best) {
			best = run;
			*gap_at = i - run + 1;
		}
	}
	return best > 1 ? best : 0;
}

static void put_v6(struct text *text, const struct ip *ip)
{
	int gap_at = GROUPS, gap = find_gap(ip, &gap_at);

	for (int i = 0; i < GROUPS; i++) {
		if (i == gap_at) {
			text_put(text, "::");
			i += gap - 1;
			continue;
		}
		if (i > 0 && i != gap_at + gap)
			text_char(text, ':');
		text_hex(text, group_at(ip, i));
	}
}

size_t addr_print(char *buf, const struct ip *ip)
{
	struct text text = text_on(buf, ADDR_TEXT_MAX);

	if (addr_is_v4(ip))
		put_v4(&text, ip->byte + V4_AT);
	else
		put_v6(&text, ip);
	return text.len;
}

size_t addr_print_endpoint(char *buf, const struct endpoint *end)
{
	struct text text = text_on(buf, ADDR_TEXT_MAX);

	if (addr_is_v4(&end->ip)) {
		put_v4(&text, end->ip.byte + V4_AT);
	} else {
		text_char(&text, '[');
		put_v6(&text, &end->ip);
		text_char(&text, ']');
	}
	text_char(&text, ':');
	text_unsigned(&text, end->port);
	return text.len;
}
