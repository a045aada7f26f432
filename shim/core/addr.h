/* SPDX-License-Identifier: MIT */
/* addr.h - one address value for IPv4 and IPv6.
 * Knows sockaddr layouts and v4-mapped addresses, so that nobody else switches
 * on sa_family. IPv4 is kept v4-mapped (::ffff:a.b.c.d, RFC 4291 2.5.5.2); the
 * family of the socket, not the address, says what the program used. */
#ifndef CORE_ADDR_H
#define CORE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip {
	uint8_t byte[16]; /* network order */
};

struct endpoint {
	struct ip ip;
	uint16_t port; /* host order */
};

/* What kind of address a socket has. FAMILY_OTHER: recorded, not understood. */
enum family { FAMILY_OTHER, FAMILY_INET, FAMILY_INET6, FAMILY_UNIX };

enum {
	ADDR_TEXT_MAX = 64,  /* "[v6]:port" with its NUL fits */
	UNIX_PATH_MAX = 108, /* sizeof sun_path, unix(7) */
};

/* The family that a socket of this AF_ domain has. */
enum family addr_family(int domain);

/* Read a sockaddr of len bytes that is already ours (copied, or written by the
 * kernel). Returns its family and fills *end for INET and INET6; a length too
 * short for the family gives FAMILY_OTHER. Unaligned input is fine. */
enum family addr_from_sockaddr(struct endpoint *end, const void *sockaddr, size_t len);

/* Write an endpoint into a sockaddr of at least 28 bytes as this family has it (INET: the
 * address must be IPv4). What else stands in one of the same family stays (scope, flow
 * label); another's is overwritten. Returns the length of such a sockaddr. */
size_t addr_to_sockaddr(void *sockaddr, enum family family, const struct endpoint *end);

/* Copy the path of a unix sockaddr to path (UNIX_PATH_MAX + 1 bytes), an
 * abstract name with '@' for its first NUL. Returns its length, 0 if unnamed. */
size_t addr_unix_path(char *path, const void *sockaddr, size_t len);

/* True for 0.0.0.0, ::ffff:0.0.0.0 and ::. */
bool addr_is_any(const struct ip *ip);

/* True if the address is IPv4 (that is, v4-mapped). */
bool addr_is_v4(const struct ip *ip);

/* True for 127.0.0.0/8 and ::1. */
bool addr_is_loopback(const struct ip *ip);

/* Do two addresses have the same value? */
bool addr_equal(const struct ip *a, const struct ip *b);

/* Do the first bits of two addresses agree? IPv4's own begin at bit 96. */
bool addr_in_prefix(const struct ip *ip, const struct ip *prefix, unsigned bits);

/* Parse "1.2.3.4" or "2001:db8::1" (no brackets, no scope) of len bytes.
 * Returns false if it is neither. */
bool addr_parse(struct ip *ip, const char *text, size_t len);

/* Print as dotted IPv4 or RFC 5952 IPv6, NUL-terminated, to a buffer of at
 * least ADDR_TEXT_MAX bytes. Returns the length. */
size_t addr_print(char *text, const struct ip *ip);

/* The same with the port: "1.2.3.4:80", "[::1]:80". */
size_t addr_print_endpoint(char *text, const struct endpoint *end);

#endif
