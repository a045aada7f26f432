/* SPDX-License-Identifier: MIT */
/* test_rules_faults.c - the index finds the faults that a look at every rule finds. */
#include "tests/unit/random_rules.h"

#include "core/rules_glance.h"

/* Does a glance say that no fault matches? */
static bool glance_passes(const struct rules *rules, const struct rule_query *query)
{
	bool is_local = rule_names_local(query->call);
	const struct endpoint *end = is_local ? &query->local : &query->remote;
	struct rules_glance glance = {
	        .key = rule_fault_key(query->call, query->proto),
	        .place = is_local ? PLACE_LOCAL : PLACE_REMOTE,
	        .end = rule_number(end->ip.byte + 8) << 32 | (uint64_t)end->port << 16,
	};

	return (is_local ? query->has_local : query->has_remote) && !query->path &&
	       addr_is_v4(&end->ip) && rules_pass_v4_faults(rules, glance);
}

/* Faults between rules of policy: all that match are found, in their order, and the rules of
 * policy are found as before. */
static void test_faults_agree_with_looking_at_all(void **state)
{
	unsigned found = 0, missed = 0, several = 0, passed = 0;

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
			if (glance_passes(rules, &query)) {
				assert_int_equal(met, 0);
				passed++;
			}
		}
		hand_end(&hand);
	}
	assert_true(found > 50000 && missed > 50000 && several > 10000 && passed > 5000);
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
	        cmocka_unit_test(test_faults_agree_with_looking_at_all),
	        cmocka_unit_test(test_the_room_is_enough_for_faults),
	        cmocka_unit_test(test_damaged_index_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
