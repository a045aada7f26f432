/* SPDX-License-Identifier: MIT */
/* test_rules_find.c - the index finds what a look at every rule finds. */
#include "tests/unit/random_rules.h"

#include "core/rules_glance.h"

/* Is it a call to glance for? Then this is what the glance says. */
static bool glance_passes(const struct rules *rules, const struct rule_query *query)
{
	bool is_local = query->call == OP_BIND;
	const struct endpoint *end = is_local ? &query->local : &query->remote;
	struct rules_glance glance = {
	        .place = is_local ? PLACE_LOCAL : PLACE_REMOTE,
	        .end = rule_number(end->ip.byte + 8) << 32 | (uint64_t)end->port << 16,
	};
	const uint64_t who[WHO_KINDS] = {0, query->name ? rules_name_hash(query->name) : 0,
	                                 query->program ? rules_name_hash(query->program) : 0};

	if ((query->call != OP_BIND && query->call != OP_CONNECT && query->call != OP_SEND) ||
	    !(query->proto & (RULE_TCP | RULE_UDP)) || query->path ||
	    !(is_local ? query->has_local : query->has_remote) || !addr_is_v4(&end->ip))
		return false;
	glance.key = rule_key(query->call, query->proto);
	assert_true(rules_pass_programs(rules, glance, who) || !rules_pass_v4(rules, glance));
	return rules_pass_programs(rules, glance, who);
}

static void test_index_agrees_with_looking_at_all(void **state)
{
	unsigned found = 0, missed = 0, passed = 0;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		struct hand hand = hand_begin(40);
		uint32_t count = 1 + roll(roll(2) ? 40 : 6);
		struct rules *rules;

		while (hand.rules->count < count)
			random_rule(&hand);
		rules = hand_finish(&hand);
		for (unsigned i = 0; i < 100; i++) {
			struct rule_query query = random_query();
			uint32_t slow = find_slowly(rules, &query);

			assert_int_equal(rules_find(rules, &query), slow);
			if (glance_passes(rules, &query)) {
				assert_int_equal(slow, 0);
				passed++;
			}
			*(slow ? &found : &missed) += 1;
		}
		hand_end(&hand);
	}
	assert_true(found > 50000 && missed > 50000 && passed > 5000);
}

/* ---- one rule, one call ---- */

/* Does one rule match a call? By the index, and by itself. */
static bool matches(struct hand *hand, const struct rule_query *query)
{
	struct rules *rules = hand_finish(hand);
	uint32_t found = rules_find(rules, query);

	assert_int_equal(found, find_slowly(rules, query));
	hand_end(hand);
	return found != 0;
}

static bool prefix_matches(const char *prefix, unsigned bits, const char *ip)
{
	struct hand hand = hand_begin(1);
	struct rule_query query = hand_query(OP_CONNECT, RULE_TCP);

	hand_prefix(&hand_rule(&hand, RULE_CALL(OP_CONNECT))->remote, prefix, bits);
	query.has_remote = true;
	query.remote = hand_endpoint(ip, 80);
	return matches(&hand, &query);
}

static void test_prefixes(void **state)
{
	(void)state;
	assert_true(prefix_matches("10.0.0.1", 128, "10.0.0.1"));
	assert_false(prefix_matches("10.0.0.1", 128, "10.0.0.2"));
	assert_true(prefix_matches("10.0.0.0", 96 + 8, "10.255.0.1"));
	assert_false(prefix_matches("10.0.0.0", 96 + 8, "11.0.0.1"));
	assert_true(prefix_matches("10.64.0.0", 96 + 11, "10.95.255.255"));
	assert_false(prefix_matches("10.64.0.0", 96 + 11, "10.96.0.0"));
	assert_true(prefix_matches("10.0.0.254", 96 + 31, "10.0.0.255"));
	assert_true(prefix_matches("0.0.0.0", 96, "255.1.2.3"));
	assert_false(prefix_matches("0.0.0.0", 96, "::1"));
	assert_true(prefix_matches("2001:db8::", 32, "2001:db8:ffff::1"));
	assert_true(prefix_matches("2001:db8::", 33, "2001:db8:7fff::1"));
	assert_false(prefix_matches("2001:db8::", 33, "2001:db8:8000::1"));
	assert_true(prefix_matches("2001:db8::4", 126, "2001:db8::7"));
	assert_false(prefix_matches("2001:db8::4", 126, "2001:db8::8"));
	assert_true(prefix_matches("::", 0, "fe80::1"));
	assert_true(prefix_matches("::", 0, "::"));
}

static void test_v4_and_mapped_are_one_and_not_v6(void **state)
{
	(void)state;
	assert_true(prefix_matches("10.0.0.1", 128, "::ffff:10.0.0.1"));
	assert_true(prefix_matches("::ffff:10.0.0.0", 120, "10.0.0.7"));
	assert_false(prefix_matches("::", 0, "10.0.0.1"));
	assert_false(prefix_matches("::", 1, "10.0.0.1"));
	assert_false(prefix_matches("::10.0.0.1", 128, "10.0.0.1"));
}

static bool ports_match(unsigned low, unsigned high, unsigned port, const char *ip)
{
	struct hand hand = hand_begin(1);
	struct rule_query query = hand_query(OP_BIND, RULE_UDP);

	hand_ports(&hand_rule(&hand, RULE_CALL(OP_BIND))->local, low, high);
	query.has_local = true;
	query.local = hand_endpoint(ip, (uint16_t)port);
	return matches(&hand, &query);
}

static void test_ranges_of_ports(void **state)
{
	static const uint16_t edges[] = {0,    1,    15,   16,    17,    255,  256,
	                                 1023, 1024, 4096, 30999, 65534, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		for (size_t j = i; j < sizeof(edges) / sizeof(edges[0]); j++) {
			unsigned low = edges[i], high = edges[j];

			assert_true(ports_match(low, high, low, "0.0.0.0"));
			assert_true(ports_match(low, high, high, "::"));
			assert_true(ports_match(low, high, (low + high) / 2, "fe80::1"));
			assert_false(low > 0 && ports_match(low, high, low - 1, "0.0.0.0"));
			assert_false(high < 65535 && ports_match(low, high, high + 1, "::1"));
		}
}

static bool path_matches(const char *pattern, const char *path)
{
	struct hand hand = hand_begin(1);
	struct rule_query query = hand_query(OP_CONNECT, RULE_UNIX);

	hand_path(&hand, &hand_rule(&hand, RULE_CALL(OP_CONNECT))->remote, pattern);
	query.path = path;
	query.path_len = path ? strlen(path) : 0;
	return matches(&hand, &query);
}

static void test_paths(void **state)
{
	(void)state;
	assert_true(path_matches("/run/a.sock", "/run/a.sock"));
	assert_false(path_matches("/run/a.sock", "/run/a.socket"));
	assert_false(path_matches("/run/a.sock", "/run/a.soc"));
	assert_true(path_matches("/run/*", "/run/deep/a"));
	assert_true(path_matches("/run/?", "/run/a"));
	assert_false(path_matches("/run/?", "/run/ab"));
	assert_true(path_matches("@name", "@name"));
	assert_false(path_matches("@name", "name"));
	assert_true(path_matches("@*", "@"));
	assert_false(path_matches("*", NULL));
}

static bool program_matches(const char *pattern, const char *name, const char *program, bool hashed)
{
	struct hand hand = hand_begin(1);
	struct rule_query query = hand_query(OP_SOCKET, RULE_TCP);

	hand_program(&hand, hand_rule(&hand, 0), pattern);
	query.name = name;
	query.program = program;
	query.name_hash = hashed ? rules_name_hash(name) : 0;
	query.program_hash = hashed ? rules_name_hash(program) : 0;
	return matches(&hand, &query);
}

static void test_programs(void **state)
{
	(void)state;
	for (unsigned hashed = 0; hashed < 2; hashed++) {
		assert_true(program_matches("nginx", "nginx", "/usr/sbin/nginx", hashed));
		assert_false(program_matches("ngin", "nginx", "/usr/sbin/nginx", hashed));
		assert_true(program_matches("/usr/sbin/nginx", "nginx", "/usr/sbin/nginx", hashed));
		assert_false(program_matches("/usr/bin/nginx", "nginx", "/usr/sbin/nginx", hashed));
		assert_true(program_matches("*/nginx", "nginx", "/usr/sbin/nginx", hashed));
		assert_true(program_matches("ngin?", "nginx", "/usr/sbin/nginx", hashed));
		assert_false(program_matches("*/ngin", "nginx", "/usr/sbin/nginx", hashed));
	}
}

static void test_both_ends_count(void **state)
{
	struct rule_query query = hand_query(OP_CONNECT, RULE_TCP);

	(void)state;
	query.has_remote = true;
	query.remote = hand_endpoint("10.0.0.5", 5432);
	for (unsigned round = 0; round < 3; round++) {
		struct hand hand = hand_begin(1);
		struct rule *rule = hand_rule(&hand, 0);

		hand_prefix(&rule->local, "192.0.2.1", 128);
		hand_ports(&rule->remote, 5432, 5432);
		query.has_local = round > 0; /* what is not known does not match */
		query.local = hand_endpoint(round == 1 ? "192.0.2.1" : "192.0.2.2", 1);
		assert_int_equal(matches(&hand, &query), round == 1);
	}
}

static void test_named_endpoint_is_local_for_bind(void **state)
{
	static const enum op_kind kinds[] = {OP_BIND, OP_LISTEN, OP_CONNECT, OP_ACCEPT, OP_SEND};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (unsigned is_local = 0; is_local < 2; is_local++) {
			struct hand hand = hand_begin(1);
			struct rule *rule = hand_rule(&hand, 0);
			struct rule_query query = hand_query(kinds[i], RULE_TCP);

			rule->flags |= RULE_NAMED;
			hand_prefix(&rule->remote, "10.0.0.0", 104);
			query.has_local = query.has_remote = true;
			query.local = hand_endpoint(is_local ? "10.1.1.1" : "11.1.1.1", 80);
			query.remote = hand_endpoint(is_local ? "11.1.1.1" : "10.1.1.1", 80);
			assert_int_equal(matches(&hand, &query), is_local == (i < 2));
		}
}

static void test_first_match_decides_whatever_its_kind(void **state)
{
	struct hand hand = hand_begin(5);
	struct rule_query query = hand_query(OP_CONNECT, RULE_TCP);
	struct rules *rules;

	(void)state;
	hand_rule(&hand, 0)->action = ACTION_FAIL; /* no policy */
	hand_program(&hand, hand_rule(&hand, 0), "app");
	hand_ports(&hand_rule(&hand, 0)->remote, 1, 1023);
	hand_prefix(&hand_rule(&hand, 0)->remote, "10.0.0.1", 128);
	hand_rule(&hand, 0);
	rules = hand_finish(&hand);
	query.has_remote = true;
	query.remote = hand_endpoint("10.0.0.1", 80);
	assert_int_equal(rules_find(rules, &query), 2);
	query.name = "other";
	assert_int_equal(rules_find(rules, &query), 3);
	query.remote.port = 1024;
	assert_int_equal(rules_find(rules, &query), 4);
	query.remote = hand_endpoint("10.0.0.2", 1024);
	assert_int_equal(rules_find(rules, &query), 5);
	query.call = OP_CLOSE; /* not among their calls */
	assert_int_equal(rules_find(rules, &query), 0);
	hand_end(&hand);
}

static void test_set_knows_what_it_speaks_of(void **state)
{
	struct hand hand = hand_begin(3);
	struct rules *rules;

	(void)state;
	hand_rule(&hand, RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN))->action = ACTION_MOVE;
	hand_program(&hand, hand_rule(&hand, RULE_CALL(OP_CONNECT)), "app");
	hand_rule(&hand, RULE_CALL(OP_ACCEPT))->action = ACTION_FAIL;
	rules = hand_finish(&hand);
	assert_int_equal(rules->calls,
	                 RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) | RULE_CALL(OP_CONNECT));
	assert_int_equal(rules->actions, 1 << ACTION_MOVE | 1 << ACTION_ALLOW | 1 << ACTION_FAIL);
	assert_int_equal(rules->flags, RULE_PROGRAM);
	hand_end(&hand);
}

static void test_the_room_is_enough(void **state)
{
	struct hand hand = hand_begin(50);
	struct rules *rules;

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		struct rule *rule = hand_rule(&hand, 0);

		rule->flags |= RULE_NAMED;
		hand_prefix(&rule->remote, "10.0.0.1", 128);
		hand_ports(&rule->remote, 16 * i + 1, 16 * i + 16);
	}
	rules = hand_finish(&hand);
	assert_true(rules->bytes - rules->entries_at <= rules_index_room(50));
	memset((char *)rules + rules->entries_at, 0, hand.size - rules->entries_at);
	assert_false(rules_index(rules, rules->entries_at + 1000));
	hand_end(&hand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_index_agrees_with_looking_at_all),
	        cmocka_unit_test(test_prefixes),
	        cmocka_unit_test(test_v4_and_mapped_are_one_and_not_v6),
	        cmocka_unit_test(test_ranges_of_ports),
	        cmocka_unit_test(test_paths),
	        cmocka_unit_test(test_programs),
	        cmocka_unit_test(test_both_ends_count),
	        cmocka_unit_test(test_named_endpoint_is_local_for_bind),
	        cmocka_unit_test(test_first_match_decides_whatever_its_kind),
	        cmocka_unit_test(test_set_knows_what_it_speaks_of),
	        cmocka_unit_test(test_the_room_is_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
