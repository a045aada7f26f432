/* SPDX-License-Identifier: MIT */
/* test_addr.c - addresses, against what libc makes of the same ones. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "core/addr.h"

enum { RANDOM_TEXTS = 300000, RANDOM_ADDRESSES = 100000 };

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(addr_parse(&ip, text, strlen(text)));
	return ip;
}

static void parses_what_inet_pton_parses(void **state)
{
	static const char alphabet[] = "0123456789abcdefF:::..1";
	unsigned parsed = 0;

	(void)state;
	srand(1);
	for (int i = 0; i < RANDOM_TEXTS; i++) {
		char text[24] = "";
		size_t len = (size_t)rand() % 20;
		struct in6_addr v6;
		struct in_addr v4;
		struct ip ip;
		bool is_v4, is_v6;

		for (size_t k = 0; k < len; k++)
			text[k] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		is_v4 = inet_pton(AF_INET, text, &v4) == 1;
		is_v6 = inet_pton(AF_INET6, text, &v6) == 1;
		assert_int_equal(addr_parse(&ip, text, len), is_v4 || is_v6);
		if (is_v4)
			assert_memory_equal(ip.byte + 12, &v4, sizeof(v4));
		if (is_v6)
			assert_memory_equal(ip.byte, &v6, sizeof(v6));
		parsed += is_v4 || is_v6;
	}
	assert_true(parsed > 1000); /* or the test says little */
}

static void refuses(void **state)
{
	static const char *const bad[] = {
	        "",     "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",  "1.2.3.4 ",
	        " ::1", "::1 ",  ":",         ":::",       "1::2::3",   "12345::",
	        "g::",  "[::1]", "::1%1",     "1:2:3:4",   "1.2.3.4::", "1:2:3:4:5:6:7:8:9",
	};
	struct ip ip;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(addr_parse(&ip, bad[i], strlen(bad[i])));
}

static void reads_no_further_than_told(void **state)
{
	struct ip ip;

	(void)state;
	assert_true(addr_parse(&ip, "1.2.3.45", 7));
	assert_int_equal(ip.byte[15], 4);
	assert_true(addr_parse(&ip, "::1/64", 3));
	assert_false(addr_parse(&ip, "1.2.3.4", 6));
}

static void prints_what_inet_ntop_prints(void **state)
{
	(void)state;
	srand(2);
	for (int i = 0; i < RANDOM_ADDRESSES; i++) {
		char ours[ADDR_TEXT_MAX], theirs[INET6_ADDRSTRLEN];
		struct ip ip;

		for (int k = 0; k < 16; k += 2) {
			int group = rand() % 3 == 0 ? rand() : rand() % 2;

			ip.byte[k] = (uint8_t)(group >> 8);
			ip.byte[k + 1] = (uint8_t)group;
		}
		ip.byte[0] |= 0x20; /* dotted only for v4-mapped, whatever libc thinks */
		inet_ntop(AF_INET6, ip.byte, theirs, sizeof(theirs));
		assert_int_equal(addr_print(ours, &ip), strlen(theirs));
		assert_string_equal(ours, theirs);
	}
}

static void prints_and_parses_back(void **state)
{
	static const char *const same[] = {"0.0.0.0",
	                                   "255.255.255.255",
	                                   "127.0.0.1",
	                                   "::",
	                                   "::1",
	                                   "1::",
	                                   "2001:db8::1",
	                                   "2001:db8:0:1:1:1:1:1",
	                                   "1:0:0:2::3",
	                                   "fe80::1:0:0:1",
	                                   "1:2:3:4:5:6:7:8",
	                                   "64:ff9b::102:304"};
	char text[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		struct ip ip = ip_of(same[i]);

		addr_print(text, &ip);
		assert_string_equal(text, same[i]);
	}
}

static void prints_endpoints(void **state)
{
	struct endpoint end = {ip_of("::ffff:1.2.3.4"), 80};
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(addr_print_endpoint(text, &end), strlen("1.2.3.4:80"));
	assert_string_equal(text, "1.2.3.4:80");
	end = (struct endpoint){ip_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535};
	addr_print_endpoint(text, &end);
	assert_string_equal(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

static void reads_sockaddrs(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(443)};
	char unaligned[1 + sizeof(in)];
	struct endpoint end;

	(void)state;
	in.sin_addr.s_addr = htonl(0x01020304);
	memcpy(unaligned + 1, &in, sizeof(in));
	assert_int_equal(addr_from_sockaddr(&end, unaligned + 1, sizeof(in)), FAMILY_INET);
	assert_int_equal(end.port, 80);
	assert_true(addr_is_v4(&end.ip));
	assert_int_equal(addr_from_sockaddr(&end, &in, sizeof(in) - 1), FAMILY_OTHER);
	assert_int_equal(addr_from_sockaddr(&end, &in, 1), FAMILY_OTHER);
	assert_int_equal(addr_from_sockaddr(&end, &in, 0), FAMILY_OTHER);

	in6.sin6_addr = in6addr_loopback;
	assert_int_equal(addr_from_sockaddr(&end, &in6, 24), FAMILY_INET6); /* without scope */
	assert_int_equal(end.port, 443);
	assert_true(addr_is_loopback(&end.ip));
	assert_int_equal(addr_from_sockaddr(&end, &in6, 23), FAMILY_OTHER);

	in.sin_family = AF_UNIX;
	assert_int_equal(addr_from_sockaddr(&end, &in, 2), FAMILY_UNIX);
	in.sin_family = AF_UNSPEC;
	assert_int_equal(addr_from_sockaddr(&end, &in, sizeof(in)), FAMILY_OTHER);
}

static void knows_families(void **state)
{
	(void)state;
	assert_int_equal(addr_family(AF_INET), FAMILY_INET);
	assert_int_equal(addr_family(AF_INET6), FAMILY_INET6);
	assert_int_equal(addr_family(AF_UNIX), FAMILY_UNIX);
	assert_int_equal(addr_family(AF_NETLINK), FAMILY_OTHER);
	assert_int_equal(addr_family(-1), FAMILY_OTHER);
}

static void copies_unix_paths(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
	size_t head = offsetof(struct sockaddr_un, sun_path);
	char path[UNIX_PATH_MAX + 1];

	(void)state;
	assert_int_equal(addr_unix_path(path, &un, sizeof(un)), 6);
	assert_string_equal(path, "/run/x");
	assert_int_equal(addr_unix_path(path, &un, head + 4), 4); /* no NUL within len */
	assert_string_equal(path, "/run");
	assert_int_equal(addr_unix_path(path, &un, head), 0);
	assert_int_equal(addr_unix_path(path, &un, 0), 0);
	assert_string_equal(path, "");

	memcpy(un.sun_path, "\0a\0b", 4); /* abstract: NULs count */
	assert_int_equal(addr_unix_path(path, &un, head + 4), 4);
	assert_memory_equal(path, "@a\0b", 5);

	memset(un.sun_path, 'p', sizeof(un.sun_path)); /* full: no NUL at all */
	assert_int_equal(addr_unix_path(path, &un, sizeof(un)), UNIX_PATH_MAX);
	assert_int_equal(addr_unix_path(path, &un, 4096), UNIX_PATH_MAX);
	assert_int_equal(path[UNIX_PATH_MAX], '\0');
}

static void tells_kinds_apart(void **state)
{
	static const struct {
		const char *text;
		bool is_any, is_v4, is_loopback;
	} row[] = {
	        {"0.0.0.0", true, true, false},     {"::", true, false, false},
	        {"127.255.0.1", false, true, true}, {"::1", false, false, true},
	        {"128.0.0.1", false, true, false},  {"::127.0.0.1", false, false, false},
	        {"::ffff:0:0", true, true, false},  {"::fffe:0:0", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		struct ip ip = ip_of(row[i].text);

		assert_int_equal(addr_is_any(&ip), row[i].is_any);
		assert_int_equal(addr_is_v4(&ip), row[i].is_v4);
		assert_int_equal(addr_is_loopback(&ip), row[i].is_loopback);
	}
}

static void matches_prefixes(void **state)
{
	struct ip ten = ip_of("10.0.0.0"), host = ip_of("10.255.1.2"), other = ip_of("11.0.0.0");
	struct ip v6 = ip_of("2001:db8::1");

	(void)state;
	assert_true(addr_in_prefix(&host, &ten, 96 + 8));
	assert_false(addr_in_prefix(&other, &ten, 96 + 8));
	assert_true(addr_in_prefix(&other, &ten, 96 + 7));
	assert_true(addr_in_prefix(&v6, &ten, 0));
	assert_false(addr_in_prefix(&v6, &ten, 96));
	assert_false(addr_in_prefix(&host, &ten, 128));
	assert_true(addr_in_prefix(&v6, &v6, 128));
	assert_true(addr_equal(&v6, &v6));
	assert_false(addr_equal(&v6, &ten));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(parses_what_inet_pton_parses),
	        cmocka_unit_test(refuses),
	        cmocka_unit_test(reads_no_further_than_told),
	        cmocka_unit_test(prints_what_inet_ntop_prints),
	        cmocka_unit_test(prints_and_parses_back),
	        cmocka_unit_test(prints_endpoints),
	        cmocka_unit_test(reads_sockaddrs),
	        cmocka_unit_test(knows_families),
	        cmocka_unit_test(copies_unix_paths),
	        cmocka_unit_test(tells_kinds_apart),
	        cmocka_unit_test(matches_prefixes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
