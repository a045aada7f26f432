/* SPDX-License-Identifier: MIT */
/* test_rules_find.c - the index finds what a look at every rule finds. */
#include "tests/unit/hand_rules.h"

#include "core/rules_glance.h"

static uint32_t find_slowly(const struct rules *rules, const struct rule_query *query)
{
	for (uint32_t i = 0; i < rules->count; i++)
		if (rules->rule[i].action <= ACTION_ASSIGN &&
		    rule_mismatch(rules, &rules->rule[i], query) == MISMATCH_NONE)
			return i + 1;
	return 0;
}

static uint32_t next_fault_slowly(const struct rules *rules, const struct rule_query *query,
                                  uint32_t after)
{
	for (uint32_t i = after; i < rules->count; i++)
		if (rule_is_fault(&rules->rule[i]) &&
		    rule_mismatch(rules, &rules->rule[i], query) == MISMATCH_NONE)
			return i + 1;
	return 0;
}

/* ---- the words of a small world ---- */

static uint64_t chance = 1;

static uint32_t roll(uint32_t below)
{
	chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((chance >> 33) % below);
}

static const char *const addresses[] = {
        "0.0.0.0",
        "10.0.0.1",
        "10.0.0.2",
        "10.0.1.1",
        "10.64.0.1",
        "127.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "2001:db8::1",
        "2001:db8::2",
        "2001:db8:0:1::1",
        "2001:db8:0:1:8000::1",
        "fe80::1",
        "::fffe:0:1",
        "::10.0.0.1",
};
static const uint16_t ports[] = {0, 1, 15, 16, 79, 80, 81, 255, 256, 443, 4095, 4096, 8080, 65535};
static const char *const names[] = {"app", "nginx", "worker-1", "worker-12", ""};
static const char *const programs[] = {"/usr/bin/app", "/usr/sbin/nginx", "/opt/worker-1", "/"};
static const char *const name_patterns[] = {"app",    "nginx",        "worker-1", "worker-*",
                                            "*",      "a?p",          "",         "/usr/bin/app",
                                            "/usr/*", "/opt/worker-?"};
static const char *const paths[] = {"/run/a.sock", "/run/b.sock", "/run/longer/than/eight.sock",
                                    "@abstract",   "@",           "a"};
static const char *const path_patterns[] = {
        "/run/a.sock", "/run/b.sock", "@abstract",
        "a",           "@",           "/run/*.sock",
        "/run/?.sock", "@*",          "/run/longer/than/eight.sock"};
static const enum op_kind calls[] = {OP_SOCKET, OP_BIND, OP_LISTEN, OP_CONNECT,
                                     OP_ACCEPT, OP_SEND, OP_CLOSE};
static const enum op_kind fault_calls[] = {OP_SOCKET, OP_BIND, OP_LISTEN, OP_CONNECT, OP_ACCEPT,
                                           OP_SEND,   OP_RECV, OP_CLOSE,  OP_RESOLVE};

#define ANY_OF(list) list[roll(sizeof(list) / sizeof((list)[0]))]

static void random_pattern(struct hand *hand, struct pattern *pattern, unsigned protos)
{
	const char *ip = ANY_OF(addresses);
	uint16_t a = ANY_OF(ports), b = ANY_OF(ports);
	bool is_v4 = strchr(ip, '.') && ip[0] != ':';

	if (protos == RULE_UNIX) {
		hand_path(hand, pattern, ANY_OF(path_patterns));
		return;
	}
	if (roll(3) && is_v4)
		hand_prefix(pattern, ip, roll(2) ? 128 : roll(4) ? 96 + roll(33) : roll(129));
	else if (roll(2))
		hand_prefix(pattern, ip, roll(2) ? 128 : roll(129));
	if (roll(2))
		hand_ports(pattern, a < b ? a : b, roll(2) ? (a < b ? a : b) : a < b ? b : a);
}

static void random_rule(struct hand *hand)
{
	struct rule *rule = hand_rule(hand, 0);

	rule->action = (uint8_t)roll(roll(8) ? ACTION_ASSIGN + 1 : ACTIONS);
	if (roll(3))
		rule->calls = RULE_CALL(ANY_OF(calls)) | (roll(3) ? 0 : RULE_CALL(ANY_OF(calls)));
	if (roll(3))
		rule->protos = (uint8_t)(1u << roll(4));
	if (roll(4) == 0)
		random_pattern(hand, &rule->local, rule->protos);
	if (roll(4))
		random_pattern(hand, &rule->remote, rule->protos);
	if (roll(5) == 0)
		rule->flags |= RULE_NAMED;
	if (roll(4) == 0)
		hand_program(hand, rule, ANY_OF(name_patterns));
}

static void random_fault(struct hand *hand)
{
	struct rule *rule;

	random_rule(hand);
	rule = &hand->rules->rule[hand->rules->count - 1];
	rule->action = (uint8_t)(ACTION_LIMIT + roll(3));
	rule->limit = rule->action == ACTION_LIMIT && roll(3) ? LIMIT_MEMORY : LIMIT_NONE;
	rule->calls = 0;
	for (unsigned n = 1 + roll(roll(2) ? 9 : 1); n > 0; n--)
		rule->calls |= RULE_CALL(ANY_OF(fault_calls));
}

static struct rule_query random_query(void)
{
	struct rule_query query = hand_query(ANY_OF(calls), 1u << roll(4));

	query.has_local = roll(3);
	query.has_remote = roll(4);
	query.local = hand_endpoint(ANY_OF(addresses), ANY_OF(ports));
	query.remote = hand_endpoint(ANY_OF(addresses), ANY_OF(ports));
	if (query.proto == RULE_UNIX && roll(6)) {
		query.path = ANY_OF(paths);
		query.path_len = strlen(query.path);
	}
	query.name = roll(20) ? ANY_OF(names) : NULL;
	query.program = roll(20) ? ANY_OF(programs) : NULL;
	if (query.name && roll(2))
		query.name_hash = rules_name_hash(query.name);
	if (query.program && roll(2))
		query.program_hash = rules_name_hash(query.program);
	return query;
}

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

static struct rule_query random_fault_query(void)
{
	struct rule_query query = random_query();

	query.call = ANY_OF(fault_calls);
	return query;
}

/* Faults between rules of policy: all that match are found, in their order, and the rules of
 * policy are found as before. */
static void test_faults_agree_with_looking_at_all(void **state)
{
	unsigned found = 0, missed = 0, several = 0;

	(void)state;
	for (unsigned round = 0; round < 4000; round++) {
		struct hand hand = hand_begin(40);
		uint32_t count = 1 + roll(roll(2) ? 40 : 6), policy = roll(4);
		struct rules *rules;

		while (hand.rules->count < count)
			roll(4) < policy ? random_rule(&hand) : random_fault(&hand);
		rules = hand_finish(&hand);
		for (unsigned i = 0; i < 100; i++) {
			struct rule_query query = random_fault_query();
			uint32_t number = 0, after, met = 0;

			do {
				after = number;
				number = rules_next_fault(rules, &query, after);
				assert_int_equal(number, next_fault_slowly(rules, &query, after));
				met += number != 0;
			} while (number);
			*(met ? &found : &missed) += 1;
			several += met > 1;
			assert_int_equal(rules_find(rules, &query), find_slowly(rules, &query));
		}
		hand_end(&hand);
	}
	assert_true(found > 50000 && missed > 50000 && several > 10000);
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

static void test_the_room_is_enough_for_faults(void **state)
{
	struct hand hand = hand_begin(50);

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		hand_rule(&hand, UINT32_MAX)->action = ACTION_FAIL;
		hand.rules->rule[i].calls &= RULE_CALL(OP_KINDS) - 1;
	}
	hand_finish(&hand);
	assert_true(hand.rules->bytes - hand.rules->entries_at <= rules_index_room(50));
	assert_int_equal(hand.rules->entries, 1 + 50 * 9 * 4);
	hand_end(&hand);
}

/* Whatever numbers stand in the index: it is found out, and it ends. */
static void test_damaged_index_ends(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct hand hand = hand_begin(20);
		struct rules *rules;
		uint32_t *words;

		while (hand.rules->count < 20)
			roll(2) ? random_rule(&hand) : random_fault(&hand);
		rules = hand_finish(&hand);
		words = (uint32_t *)((char *)rules + rules->entries_at);
		for (unsigned i = 0; i < (rules->bytes - rules->entries_at) / sizeof(*words); i++)
			if (roll(2))
				words[i] = roll(4) ? roll(2 * rules->entries) : roll(UINT32_MAX);
		memset(rules->shapes, 0xff, sizeof(rules->shapes));
		memset(rules->places, 0xff, sizeof(rules->places));
		for (unsigned i = 0; roll(2) && i < sizeof(rules->span) / sizeof(rules->span[0]);
		     i++)
			rules->span[i] = (struct rule_span){(uint16_t)roll(40), (uint16_t)roll(40)};
		for (unsigned i = 0; i < 100; i++) {
			struct rule_query query = roll(2) ? random_query() : random_fault_query();
			uint32_t number = 0, next;

			assert_true(rules_find(rules, &query) <= rules->count);
			while ((next = rules_next_fault(rules, &query, number))) {
				assert_true(next > number && next <= rules->count);
				assert_true(rule_is_fault(&rules->rule[next - 1]));
				number = next;
			}
		}
		hand_end(&hand);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_index_agrees_with_looking_at_all),
	        cmocka_unit_test(test_faults_agree_with_looking_at_all),
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
	        cmocka_unit_test(test_the_room_is_enough_for_faults),
	        cmocka_unit_test(test_damaged_index_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
