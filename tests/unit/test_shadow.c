/* SPDX-License-Identifier: MIT */
/* test_shadow.c - what is said of shadowed rules, against every call of a small world. */
#include "tests/unit/hand_rules.h"

#include "tools/shadow.h"

enum { RULES = 6, SETS = 700, CALLS_MAX = 40000 };

static uint64_t chance = 1;

static uint32_t roll(uint32_t below)
{
	chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((chance >> 33) % below);
}

#define COUNT(list)  (sizeof(list) / sizeof((list)[0]))
#define ANY_OF(list) list[roll(COUNT(list))]

/* The prefixes of rules; of each of their parts there is an address in the world. */
static const struct {
	const char *ip;
	unsigned bits;
} prefixes[] = {
        {"10.0.0.0", 127},   {"10.0.0.0", 128},   {"10.0.0.1", 128},    {"0.0.0.0", 96},
        {"2001:db8::", 127}, {"2001:db8::", 128}, {"2001:db8::1", 128}, {"::", 0},
        {"10.0.0.0", 126},   {"2001:db8::", 126},
};
static const char *const addresses[] = {"10.0.0.0",   "10.0.0.1",    "10.0.0.2",    "10.9.0.0",
                                        "2001:db8::", "2001:db8::1", "2001:db8::2", "fe80::1"};
static const uint16_t ports[] = {0, 1, 2, 3};
static const struct {
	const char *name, *program;
} processes[] = {{"app", "/x/app"}, {"apx", "/x/apx"}, {"b", "/y/b"},   {"app", "/y/app"},
                 {NULL, NULL},      {"axx", NULL},     {NULL, "/x/app"}};
static const char *const programs[] = {"app", "a*", "*", "ap?", "b", "/x/*", "/x/app"};
static const char *const paths[] = {"/run/a", "/run/b", "@x", "/tmp/a"};
static const char *const path_patterns[] = {"/run/a", "/run/?", "*", "/run/*", "@x", "/*/a"};
static const enum op_kind calls[] = {OP_BIND, OP_LISTEN, OP_CONNECT};
static const unsigned protos[] = {RULE_TCP, RULE_UNIX};

static struct rule_query world[CALLS_MAX];
static size_t world_size;

static void add_call(const struct rule_query *query)
{
	for (size_t i = 0; i < COUNT(processes); i++) {
		assert_true(world_size < CALLS_MAX);
		world[world_size] = *query;
		world[world_size].name = processes[i].name;
		world[world_size++].program = processes[i].program;
	}
}

/* An endpoint of the world by number; 0: none. */
static bool pick(struct endpoint *end, size_t number)
{
	if (number == 0)
		return false;
	number--;
	*end = hand_endpoint(addresses[number / COUNT(ports)], ports[number % COUNT(ports)]);
	return true;
}

static void add_calls(enum op_kind call, unsigned proto)
{
	size_t ends = COUNT(addresses) * COUNT(ports) + 1;
	struct rule_query query = hand_query(call, proto);

	for (size_t local = 0; local < ends; local++) {
		query.has_local = pick(&query.local, local);
		/* Of what it does not name, a little. */
		for (size_t remote = 0; remote < ends; remote += local % 5 == 0 ? 1 : ends) {
			query.has_remote = pick(&query.remote, remote);
			add_call(&query);
		}
	}
	query = hand_query(call, proto);
	for (size_t i = 0; i < COUNT(paths); i++) {
		query.path = paths[i];
		query.path_len = strlen(paths[i]);
		add_call(&query);
	}
}

static int make_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(calls) * COUNT(protos); i++)
		add_calls(calls[i / COUNT(protos)], protos[i % COUNT(protos)]);
	return 0;
}

static void random_pattern(struct hand *hand, struct pattern *pattern, unsigned protos_of)
{
	if (protos_of == RULE_UNIX && roll(3)) {
		hand_path(hand, pattern, ANY_OF(path_patterns));
		return;
	}
	if (roll(4)) {
		size_t i = roll(COUNT(prefixes));

		hand_prefix(pattern, prefixes[i].ip, prefixes[i].bits);
	}
	if (roll(2)) {
		unsigned low = roll(3), high = low + roll(4 - low);

		hand_ports(pattern, low, high == 3 ? UINT16_MAX : high);
	}
}

static void random_rule(struct hand *hand)
{
	struct rule *rule = hand_rule(hand, 0);

	rule->action = (uint8_t)roll(ACTION_ASSIGN + 1);
	rule->calls = roll(3) == 0
	                      ? RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) | RULE_CALL(OP_CONNECT)
	                      : RULE_CALL(ANY_OF(calls)) | RULE_CALL(ANY_OF(calls));
	rule->protos = (uint8_t)(roll(2) ? RULE_TCP : roll(2) ? RULE_UNIX : RULE_TCP | RULE_UNIX);
	if (roll(4) == 0)
		random_pattern(hand, &rule->local, rule->protos);
	if (roll(3))
		random_pattern(hand, &rule->remote, rule->protos);
	if (roll(4) == 0)
		rule->flags |= RULE_NAMED;
	if (roll(4) == 0)
		hand_program(hand, rule, ANY_OF(programs));
}

/* What every call of the world tells. */
struct truth {
	bool matches[RULES]; /* anything */
	bool decides[RULES];
	bool covers[RULES][RULES]; /* [a][b]: a matches whatever b does */
};

static void find_truth(struct truth *truth, const struct rules *rules)
{
	memset(truth, 0, sizeof(*truth));
	memset(truth->covers, true, sizeof(truth->covers));
	for (size_t i = 0; i < world_size; i++) {
		unsigned matches = 0;

		for (uint32_t rule = 0; rule < RULES; rule++)
			if (rule_mismatch(rules, &rules->rule[rule], &world[i]) == MISMATCH_NONE)
				matches |= 1u << rule;
		if (matches)
			truth->decides[__builtin_ctz(matches)] = true;
		for (unsigned left = matches; left; left &= left - 1) {
			unsigned b = (unsigned)__builtin_ctz(left);

			truth->matches[b] = true;
			for (unsigned a = 0; a < RULES; a++)
				if (!(matches & 1u << a))
					truth->covers[a][b] = false;
		}
	}
}

/* Two patterns of the same endpoint: what they say together is not looked at. */
static bool is_double(const struct rule *rule)
{
	return rule->local.flags && rule->remote.flags &&
	       (rule->flags & RULE_NAMED ||
	        (rule->local.flags | rule->remote.flags) & PATTERN_PATH);
}

static unsigned first_cover(const struct truth *truth, const struct rules *rules, uint32_t b)
{
	for (uint32_t a = 0; a < b; a++)
		if (truth->covers[a][b] && !is_double(&rules->rule[a]))
			return a + 1;
	return 0;
}

static void test_every_call_of_a_small_world(void **state)
{
	unsigned single = 0, together = 0, missed = 0;

	(void)state;
	for (unsigned set = 0; set < SETS; set++) {
		struct hand hand = hand_begin(RULES);
		struct truth truth;
		struct rules *rules;

		while (hand.rules->count < RULES)
			random_rule(&hand);
		rules = hand_finish(&hand);
		find_truth(&truth, rules);
		for (uint32_t i = 0; i < RULES; i++) {
			uint32_t by = shadow_of(rules, i);
			bool is_whole = shadow_is_whole(rules, i);

			if (by)
				assert_true(truth.covers[by - 1][i]);
			if (is_whole)
				assert_false(truth.decides[i]);
			assert_true(is_whole || !by);
			if (truth.matches[i] && !is_double(&rules->rule[i]))
				assert_true(by || !first_cover(&truth, rules, i));
			single += by != 0;
			together += is_whole && !by;
			missed += truth.matches[i] && !truth.decides[i] && !is_whole;
		}
		hand_end(&hand);
	}
	assert_true(single > SETS / 4 && together > SETS / 40 && missed * 4 < together);
}

/* One pattern of a rule. */
struct part {
	const char *ip; /* NULL: any */
	unsigned bits, low, high;
};

/* Do n rules of these parts together hide a rule of the last? */
static bool is_hidden(const struct part *parts, size_t n)
{
	struct hand hand = hand_begin((uint32_t)n + 1);
	struct rules *rules;
	bool is_whole;

	for (size_t i = 0; i <= n; i++) {
		struct pattern *remote = &hand_rule(&hand, RULE_CALL(OP_CONNECT))->remote;

		if (parts[i].ip)
			hand_prefix(remote, parts[i].ip, parts[i].bits);
		hand_ports(remote, parts[i].low, parts[i].high);
	}
	rules = hand_finish(&hand);
	is_whole = shadow_is_whole(rules, (uint32_t)n);
	assert_int_equal(shadow_of(rules, (uint32_t)n), 0);
	hand_end(&hand);
	return is_whole;
}

static void test_ports_together(void **state)
{
	(void)state;
	for (unsigned hole = 0; hole < 3; hole++) {
		struct part first[] = {{"10.0.0.1", 128, 10, 19 - (hole == 1)},
		                       {"10.0.0.1", 128, 20 + (hole == 2), 30},
		                       {"10.0.0.1", 128, 10, 30}};
		struct part last[] = {first[1], first[0], first[2]};
		struct part middle[] = {
		        {NULL, 0, 15, 20 - (hole == 2)}, first[0], first[1], first[2]};

		assert_int_equal(is_hidden(first, 2), hole == 0);
		assert_int_equal(is_hidden(last, 2), hole == 0);
		assert_int_equal(is_hidden(middle, 3), hole < 2);
	}
}

static void test_addresses_together(void **state)
{
	static const struct part halves[] = {{"10.0.0.0", 97 + 8, 0, 80},
	                                     {"10.128.0.0", 97 + 8, 80, 90},
	                                     {"10.0.0.0", 96 + 8, 80, 80}};
	static const struct part families[] = {
	        {"0.0.0.0", 96, 1, 9}, {"::", 0, 1, 9}, {NULL, 0, 1, 9}};
	static const struct part v6_alone[] = {
	        {"::", 1, 1, 9}, {"8000::", 1, 1, 9}, {NULL, 0, 1, 9}};
	static const struct part around_mapped[] = {{"::fffe:0:0", 96, 1, 9},
	                                            {"::fffe:0:0", 95, 1, 9}};

	(void)state;
	assert_true(is_hidden(halves, 2));
	assert_false(is_hidden(halves + 1, 1));
	assert_true(is_hidden(families, 2));
	assert_false(is_hidden(v6_alone, 2));
	assert_true(is_hidden(around_mapped, 1));
}

static bool glob_covers(const char *a, const char *b)
{
	return rule_glob_covers(a, strlen(a), b, strlen(b));
}

static void test_globs(void **state)
{
	(void)state;
	assert_true(glob_covers("*", ""));
	assert_true(glob_covers("*", "a*b?"));
	assert_true(glob_covers("a*", "ab*"));
	assert_true(glob_covers("?b", "ab"));
	assert_true(glob_covers("?", "?"));
	assert_true(glob_covers("*a*", "xa?*"));
	assert_false(glob_covers("?", "*"));
	assert_false(glob_covers("a", "?"));
	assert_false(glob_covers("a*", "*"));
	assert_false(glob_covers("ab*", "a*"));
	assert_false(glob_covers("a*c", "a*"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_every_call_of_a_small_world),
	        cmocka_unit_test(test_ports_together),
	        cmocka_unit_test(test_addresses_together),
	        cmocka_unit_test(test_globs),
	};

	return cmocka_run_group_tests(tests, make_world, NULL);
}
