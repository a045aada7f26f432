/* SPDX-License-Identifier: MIT */
/* test_fold.c - which ports and addresses become one span, and which do not; and which
 * parts of a path are taken for random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tools/grant.h"

enum { MOST = 64 };

static struct fold_item items[MOST];
static struct span spans[MOST];
static size_t item_count;
static const struct fold_range own = {32768, 60999};

static void put(const char *address, uint16_t port, bool is_loose)
{
	struct fold_item *item = &items[item_count];

	*item = (struct fold_item){.end.port = port, .is_loose = is_loose, .tag = item_count};
	assert_true(addr_parse(&item->end.ip, address, strlen(address)));
	item_count++;
}

static int begin(void **state)
{
	(void)state;
	item_count = 0;
	return 0;
}

/* Fold, and compare with what comes of it as text. */
static void expect(const char *wanted)
{
	char got[1024] = "", address[ADDR_TEXT_MAX];
	size_t count = fold(items, item_count, own, true, spans), at = 0;

	for (size_t i = 0; i < count; i++) {
		const struct span *span = &spans[i];

		grant_address(address, span);
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%s:%u-%u(%u,%u)%s",
		                       i ? " " : "", address, span->low, span->high, span->hosts,
		                       span->ports, span->is_ephemeral ? "e" : "");
	}
	assert_string_equal(got, wanted);
	for (size_t i = 0; i < item_count; i++) {
		const struct span *span = &spans[items[i].span];

		assert_true(items[i].span < count);
		assert_true(addr_in_prefix(&items[i].end.ip, &span->ip, span->bits));
		assert_true(span->low <= items[i].end.port && items[i].end.port <= span->high);
	}
}

static void test_nothing(void **state)
{
	(void)state;
	expect("");
}

static void test_neighbours(void **state)
{
	(void)state;
	put("10.0.0.1", 82, false);
	put("10.0.0.1", 80, false);
	put("10.0.0.1", 81, false);
	put("10.0.0.1", 81, false);
	put("10.0.0.1", 90, false);
	put("10.0.0.1", 91, false);
	expect("10.0.0.1:80-82(1,3) 10.0.0.1:90-90(1,1) 10.0.0.1:91-91(1,1)");
}

static void test_a_gap_is_not_swallowed(void **state)
{
	(void)state;
	for (uint16_t port = 80; port < 84; port++)
		if (port != 82)
			put("10.0.0.1", port, false);
	expect("10.0.0.1:80-80(1,1) 10.0.0.1:81-81(1,1) 10.0.0.1:83-83(1,1)");
}

static void test_the_last_ports(void **state)
{
	(void)state;
	put("10.0.0.1", 65535, false);
	put("10.0.0.1", 65534, false);
	put("10.0.0.1", 65533, false);
	put("10.0.0.1", 0, false);
	expect("10.0.0.1:0-0(1,1) 10.0.0.1:65533-65535(1,3)");
}

static void test_scattered_high_ports(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < FOLD_PORTS_MANY - 1; i++)
		put("10.0.0.1", (uint16_t)(40000 + 10 * i), false);
	assert_int_equal(fold(items, item_count, own, true, spans), FOLD_PORTS_MANY - 1);
	put("10.0.0.1", 50000, false);
	put("10.0.0.1", 21, false);
	expect("10.0.0.1:21-21(1,1) 10.0.0.1:32768-60999(1,8)e");
}

static void test_scattered_low_ports_stay(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 2 * FOLD_PORTS_MANY; i++)
		put("10.0.0.1", (uint16_t)(1000 + 10 * i), false);
	assert_int_equal(fold(items, item_count, own, true, spans), 2 * FOLD_PORTS_MANY);
}

static void test_dense_high_ports_are_a_service(void **state)
{
	(void)state;
	for (uint16_t port = 50000; port < 50000 + 2 * FOLD_PORTS_MANY; port++)
		put("10.0.0.1", port, false);
	expect("10.0.0.1:50000-50015(1,16)");
}

static void test_scattered_ports_take_the_dense_ones_in(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < FOLD_PORTS_MANY; i++)
		put("10.0.0.1", (uint16_t)(40000 + 10 * i), false);
	for (uint16_t port = 50000; port < 50004; port++)
		put("10.0.0.1", port, false);
	expect("10.0.0.1:32768-60999(1,12)e");
}

static void test_one_loose_port_is_enough(void **state)
{
	(void)state;
	put("127.0.0.1", 45678, true);
	put("127.0.0.1", 45678, false);
	put("127.0.0.1", 80, false);
	put("10.0.0.1", 45678, false);
	expect("10.0.0.1:45678-45678(1,1) 127.0.0.1:80-80(1,1) 127.0.0.1:32768-60999(1,1)e");
}

static void test_ports_of_other_kernels(void **state)
{
	struct fold_range range;

	(void)state;
	put("10.0.0.1", 61000, true);
	expect("10.0.0.1:49152-65535(1,1)e");
	assert_false(fold_ephemeral(1024, own, &range));
	assert_true(fold_ephemeral(1024, (struct fold_range){1024, 2000}, &range));
	assert_int_equal(range.high, 2000);
	put("10.0.0.1", 32768, true);
	expect("10.0.0.1:32768-65535(1,2)e");
}

/* Hosts 1 to count, between the two parts of their addresses. */
static void put_hosts(unsigned count, const char *before, const char *behind, uint16_t port)
{
	char address[ADDR_TEXT_MAX];

	for (unsigned i = 1; i <= count; i++) {
		snprintf(address, sizeof(address), "%s%u%s", before, i, behind);
		put(address, port, false);
	}
}

static void test_hosts(void **state)
{
	(void)state;
	put_hosts(FOLD_HOSTS_MANY, "10.0.0.", "", 443);
	put("10.0.1.1", 443, false);
	put("10.0.0.3", 80, false);
	expect("10.0.0.0/24:443-443(8,1) 10.0.0.3:80-80(1,1) 10.0.1.1:443-443(1,1)");
}

static void test_too_few_hosts(void **state)
{
	(void)state;
	put_hosts(FOLD_HOSTS_MANY - 1, "10.0.0.", "", 443);
	put("10.0.0.100", 444, false);
	assert_int_equal(fold(items, item_count, own, true, spans), FOLD_HOSTS_MANY);
}

static void test_never_wider(void **state)
{
	(void)state;
	put_hosts(20, "10.0.", ".1", 443);
	assert_int_equal(fold(items, item_count, own, true, spans), 20);
}

static void test_hosts_without_being_asked(void **state)
{
	(void)state;
	put_hosts(FOLD_HOSTS_MANY, "10.0.0.", "", 443);
	assert_int_equal(fold(items, item_count, own, false, spans), FOLD_HOSTS_MANY);
}

static void test_ipv6_hosts(void **state)
{
	(void)state;
	put_hosts(FOLD_HOSTS_MANY, "2001:db8::", "", 443);
	put("2001:db8:0:1::1", 443, false);
	put("0.0.0.1", 443, false);
	expect("0.0.0.1:443-443(1,1) 2001:db8::/64:443-443(8,1) 2001:db8:0:1::1:443-443(1,1)");
}

static void test_paths(void **state)
{
	static const struct {
		const char *path, *pattern;
	} rows[] = {
	        {"/tmp/tmpk3j_x9ab/sock", "/tmp/tmp*/sock"},
	        {"/tmp/dbus-AbCdEf12Gh", "/tmp/dbus-*"},
	        {"/tmp/ssh-XQdfGhIjKlMn/agent.1234", "/tmp/ssh-*/agent.1234"},
	        {"@/tmp/.ICE-unix/1234", "@/tmp/.ICE-unix/1234"},
	        {"/run/550e8400-e29b-41d4-a716-446655440000.sock", "/run/*.sock"},
	        {"/tmp/.s.PGSQL.5432", "/tmp/.s.PGSQL.5432"},
	        {"/tmp/.X11-unix/X0", "/tmp/.X11-unix/X0"},
	        {"/run/worker1.sock", "/run/worker1.sock"},
	        {"/run/docker.sock", "/run/docker.sock"},
	        {"/run/systemd/private", "/run/systemd/private"},
	        {"/var/lib/k3jx9abQ/sock", "/var/lib/k3jx9abQ/sock"},
	        {"/tmp/a*b", "/tmp/a?b"},
	        {"", ""},
	};
	char got[UNIX_PATH_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		grant_path(got, rows[i].path);
		assert_string_equal(got, rows[i].pattern);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_nothing),
	        TEST(test_neighbours),
	        TEST(test_a_gap_is_not_swallowed),
	        TEST(test_the_last_ports),
	        TEST(test_scattered_high_ports),
	        TEST(test_scattered_low_ports_stay),
	        TEST(test_dense_high_ports_are_a_service),
	        TEST(test_scattered_ports_take_the_dense_ones_in),
	        TEST(test_one_loose_port_is_enough),
	        TEST(test_ports_of_other_kernels),
	        TEST(test_hosts),
	        TEST(test_too_few_hosts),
	        TEST(test_never_wider),
	        TEST(test_hosts_without_being_asked),
	        TEST(test_ipv6_hosts),
	        TEST(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
