/* SPDX-License-Identifier: MIT */
/* test_faults.c - whose turn it is, and what then becomes of the call. */
#include "tests/unit/meet_faults.h"

#include <pthread.h>

/* ---- turns ---- */

static void test_every_form_of_when(void **state)
{
	static const struct {
		const char *when, *turns; /* x: it fails */
	} forms[] = {
	        {"", "xxxxxxxxxxxx"},
	        {"when 1", "x..........."},
	        {"when 3", "..x........."},
	        {"when 3+", "..xxxxxxxxxx"},
	        {"when 1+2", "x.x.x.x.x.x."},
	        {"when 2+2", ".x.x.x.x.x.x"},
	        {"when 2+5", ".x....x....x"},
	        {"when 2..4", ".xxx........"},
	        {"when 2..9+3", ".x..x..x...."},
	        {"when 2..10+3", ".x..x..x...."},
	        {"when 2..3+5", ".x.........."},
	        {"when 12..13", "...........x"},
	        {"when 4294967294", "............"},
	        {"when 1..4294967294", "xxxxxxxxxxxx"},
	        {"when 3+4294967294", "..x........."},
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		snprintf(text, sizeof(text), "fail socket error ENOBUFS %s", forms[i].when);
		rules(text);
		for (size_t turn = 0; forms[i].turns[turn]; turn++) {
			struct verdict verdict = meet(OP_SOCKET);
			bool fails = forms[i].turns[turn] == 'x';

			assert_int_equal(verdict.kind, fails ? VERDICT_FAILED : VERDICT_PASSED);
			assert_int_equal(verdict.error, fails ? ENOBUFS : 0);
			assert_int_equal(verdict.rule, fails);
		}
		assert_int_equal(turns(1), 12);
	}
}

/* What the call with this turn meets. */
static struct verdict meet_turn(uint64_t turn)
{
	atomic_store(&rule(1)->turns, turn - 1);
	return meet(OP_SOCKET);
}

static void test_turns_beyond_32_bits(void **state)
{
	const uint64_t edge = UINT64_C(1) << 32;

	(void)state;
	rules("fail socket error ENOBUFS when 1..4294967294");
	assert_int_equal(meet_turn(edge - 2).error, ENOBUFS);
	for (uint64_t turn = edge - 1; turn < edge + 3; turn++)
		assert_int_equal(meet_turn(turn).error, 0);
	rules("fail socket error ENOBUFS when 3+");
	for (uint64_t turn = edge - 2; turn < edge + 4; turn++)
		assert_int_equal(meet_turn(turn).error, ENOBUFS);
	rules("fail socket error ENOBUFS when 2+3");
	for (uint64_t turn = edge - 4; turn < edge + 8; turn++)
		assert_int_equal(meet_turn(turn).error, (turn - 2) % 3 == 0 ? ENOBUFS : 0);
}

/* A turn is a call that the rule matches, whether or not it was a time to fail. */
static void test_turns_are_the_calls_that_match(void **state)
{
	(void)state;
	rules("fail connect udp error ENOBUFS when 1\nfail connect tcp error ETIMEDOUT when 2\n"
	      "fail connect tcp error EINTR when 2 after 1s\nfail connect in other error EINTR");
	assert_int_equal(meet(OP_CONNECT).kind, VERDICT_PASSED);
	assert_int_equal(meet(OP_SOCKET).kind, VERDICT_PASSED);
	assert_int_equal(meet(OP_CONNECT).rule, 2);
	assert_int_equal(meet_at(OP_CONNECT, 2 * S, 0).kind, VERDICT_PASSED);
	assert_int_equal(turns(1), 0);
	assert_int_equal(turns(2), 3);
	assert_int_equal(turns(3), 3);
	assert_int_equal(turns(4), 0);
	assert_int_equal(matched(2), 1);
	assert_int_equal(matched(3), 0);
}

static void test_a_pair_of_sockets_is_a_socket(void **state)
{
	(void)state;
	rules("fail socket error ENOBUFS when 2");
	assert_int_equal(meet(OP_SOCKET).error, 0);
	assert_int_equal(meet(OP_SOCKETPAIR).error, ENOBUFS);
}

/* ---- several rules ---- */

static void test_the_first_whose_turn_it_is_decides(void **state)
{
	static const int errors[] = {ETIMEDOUT, ETIMEDOUT, 0, ECONNREFUSED, EINTR, ECONNREFUSED,
	                             EINTR,     0,         0};

	(void)state;
	rules("fail connect error ETIMEDOUT when 1..2\nfail connect error EINTR when 5..7+2\n"
	      "fail connect error ECONNREFUSED when 2..6+2\nfail connect error EAGAIN when 5");
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct verdict verdict = meet(OP_CONNECT);

		assert_int_equal(verdict.error, errors[i]);
		assert_int_equal(verdict.kind, errors[i] ? VERDICT_FAILED : VERDICT_PASSED);
	}
	for (unsigned i = 1; i <= 4; i++)
		assert_int_equal(turns(i), COUNT(errors)); /* each counts every call */
	assert_int_equal(matched(1), 2);
	assert_int_equal(matched(2), 2);
	assert_int_equal(matched(3), 2); /* 2 was rule 1's */
	assert_int_equal(matched(4), 0); /* 5 was rule 2's */
}

static void test_delays_add_up(void **state)
{
	struct verdict verdict;

	(void)state;
	rules("delay accept by 10ms when 1+2\nfail accept error EMFILE when 2..3\n"
	      "delay accept by 5ms when 3+\nfail accept error ENFILE when 3");
	verdict = meet(OP_ACCEPT);
	assert_int_equal(verdict.kind, VERDICT_DELAYED);
	assert_int_equal(verdict.error, 0);
	assert_int_equal(verdict.rule, 1);
	assert_int_equal(verdict.delay_ns, 10 * MS);
	verdict = meet(OP_ACCEPT);
	assert_int_equal(verdict.kind, VERDICT_FAILED);
	assert_int_equal(verdict.delay_ns, 0);
	verdict = meet(OP_ACCEPT); /* late, and then it fails */
	assert_int_equal(verdict.kind, VERDICT_FAILED);
	assert_int_equal(verdict.error, EMFILE);
	assert_int_equal(verdict.rule, 2);
	assert_int_equal(verdict.delay_ns, 15 * MS);
	verdict = meet(OP_ACCEPT);
	assert_int_equal(verdict.kind, VERDICT_DELAYED);
	assert_int_equal(verdict.rule, 3);
	assert_int_equal(verdict.delay_ns, 5 * MS);
	assert_int_equal(matched(1), 2);
	assert_int_equal(matched(3), 2);
}

static void test_delays_have_an_end(void **state)
{
	(void)state;
	rules("delay accept by 2562047h\ndelay accept by 2562047h\ndelay accept by 2562047h");
	assert_int_equal(meet(OP_ACCEPT).delay_ns, INT64_MAX);
}

static void test_lack_of_memory_is_a_limit(void **state)
{
	struct verdict verdict;

	(void)state;
	rules("limit memory error ENOMEM when 2+2");
	assert_int_equal(meet(OP_SOCKET).kind, VERDICT_PASSED);
	verdict = meet(OP_CONNECT);
	assert_int_equal(verdict.kind, VERDICT_LIMITED);
	assert_int_equal(verdict.error, ENOMEM);
	assert_int_equal(meet(OP_RECV).kind, VERDICT_PASSED); /* not one of its calls */
	assert_int_equal(meet(OP_ACCEPT).kind, VERDICT_PASSED);
	assert_int_equal(meet(OP_SEND).kind, VERDICT_LIMITED);
	assert_int_equal(turns(1), 4);
}

static void test_a_moved_call_stays_moved(void **state)
{
	struct call call = {.op.fd = -1, .verdict = {.kind = VERDICT_MOVED, .rule = 9}};

	(void)state;
	rules("delay connect by 1ms\nfail connect error EINTR when 2");
	call.sock.word = sock_word(7, FAMILY_INET, PROTO_TCP, 0);
	engine_faults(&engine, OP_CONNECT, &call);
	assert_int_equal(call.verdict.kind, VERDICT_MOVED);
	assert_int_equal(call.verdict.rule, 9);
	assert_int_equal(call.verdict.delay_ns, MS);
	engine_faults(&engine, OP_CONNECT, &call);
	assert_int_equal(call.verdict.kind, VERDICT_FAILED);
	assert_int_equal(call.verdict.rule, 2);
}

/* ---- time and sockets ---- */

static bool fails_at(uint64_t since_ns, uint32_t sockets)
{
	return meet_at(OP_SOCKET, since_ns, sockets).kind == VERDICT_FAILED;
}

static void test_edges_of_time(void **state)
{
	(void)state;
	rules("fail socket error ENOBUFS after 5s for 10s");
	assert_false(fails_at(5 * S - 1, 0));
	assert_true(fails_at(5 * S, 0));
	assert_true(fails_at(15 * S - 1, 0));
	assert_false(fails_at(15 * S, 0));
	rules("fail socket error ENOBUFS after 5s");
	assert_false(fails_at(0, 0));
	assert_true(fails_at(UINT64_MAX, 0));
	rules("fail socket error ENOBUFS for 5s");
	assert_true(fails_at(0, 0));
	assert_false(fails_at(5 * S, 0));
	rules("fail socket error ENOBUFS for 0s");
	assert_false(fails_at(0, 0));
	rules("fail socket error ENOBUFS after 2562047h for 2562047h");
	assert_false(fails_at(S, 0));
	assert_true(fails_at(UINT64_C(2562047) * 3600 * S, 0));
}

static void test_while_recovers(void **state)
{
	(void)state;
	rules("fail socket error ENOBUFS while 50");
	assert_false(fails_at(0, 49));
	assert_true(fails_at(0, 50));
	assert_true(fails_at(0, UINT32_MAX));
	assert_false(fails_at(0, 49));
	rules("fail socket error ENOBUFS when 3 after 1s for 1s while 2 probability 100%");
	assert_false(fails_at(S, 2));
	assert_false(fails_at(S, 2));
	assert_true(fails_at(S, 2));
	assert_false(fails_at(S, 2));
}

/* ---- threads ---- */

enum { THREADS = 8, CALLS = 20000 };

static _Atomic unsigned failed[4];

static void *call_often(void *nothing)
{
	for (unsigned i = 0; i < CALLS; i++) {
		struct verdict verdict = meet(OP_SOCKET);

		atomic_fetch_add(&failed[verdict.rule], 1);
	}
	return nothing;
}

static void test_threads_count_exactly(void **state)
{
	const unsigned total = THREADS * CALLS;
	pthread_t thread[THREADS];
	unsigned drawn = 0;

	(void)state;
	rules("fail socket error ENOBUFS when 1..100\nfail socket error EMFILE when 5+5\n"
	      "fail socket error ENFILE probability 10%");
	for (uint64_t turn = 1; turn <= total; turn++) /* what one thread would meet */
		drawn += meet(OP_SOCKET).rule == 3;
	for (unsigned i = 1; i <= 3; i++)
		atomic_store(&rule(i)->turns, 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, call_often, NULL), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(turns(i), total);
	assert_int_equal(failed[1], 100);
	/* a call may have another turn with each rule: so only the sums are sure */
	assert_in_range(failed[2], total / 5 - 100, total / 5);
	assert_in_range(failed[3], drawn - total / 100, drawn + total / 100);
	assert_int_equal(failed[0] + failed[1] + failed[2] + failed[3], total);
}

/* ---- damage ---- */

/* Numbers that no text gives: nothing crashes, and it ends. */
static void test_damaged_rules(void **state)
{
	static const uint64_t numbers[] = {
	        0, 1, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};

	(void)state;
	rules("delay socket by 1s jitter 1s when 2+3 after 1s for 1s\n"
	      "fail socket error ENOBUFS when 2+3 after 1s for 1s probability 5%");
	for (size_t i = 0; i < COUNT(numbers) * COUNT(numbers); i++) {
		uint64_t a = numbers[i % COUNT(numbers)], b = numbers[i / COUNT(numbers)];

		for (unsigned number = 1; number <= 2; number++) {
			struct rule *damaged = rule(number);

			damaged->delay_ns = damaged->after_ns = a;
			damaged->jitter_ns = damaged->for_ns = b;
			damaged->first = (uint32_t)a;
			damaged->last = (uint32_t)b;
			damaged->step = (uint32_t)(a ^ b);
			damaged->probability = (uint32_t)b;
			damaged->salt = a;
			atomic_store(&damaged->turns, b);
		}
		for (unsigned flags = 0; flags < 2; flags++) {
			rule(1)->flags = flags ? UINT16_MAX & ~RULE_PROGRAM : RULE_JITTER;
			assert_true(meet_at(OP_SOCKET, a, 1).delay_ns <= INT64_MAX);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_every_form_of_when, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_turns_beyond_32_bits, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_turns_are_the_calls_that_match, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_a_pair_of_sockets_is_a_socket, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_the_first_whose_turn_it_is_decides, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_delays_add_up, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_delays_have_an_end, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_lack_of_memory_is_a_limit, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_moved_call_stays_moved, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_edges_of_time, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_while_recovers, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_threads_count_exactly, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_damaged_rules, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
