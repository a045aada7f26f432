/* SPDX-License-Identifier: MIT */
/* test_decide.c - from calls and rules to verdicts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/unit/compile_rules.h"

static struct engine engine;
static struct made *made;

enum { FDS = 8, FD = 3 };

static int setup(void **state)
{
	(void)state;
	memset(&engine, 0, sizeof(engine));
	engine.sockets.at = calloc(FDS, sizeof(*engine.sockets.at));
	engine.sockets.asked = calloc(FDS, sizeof(*engine.sockets.asked));
	engine.sockets.capacity = FDS;
	engine.name = "app";
	engine.program = "/usr/bin/app";
	made = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(engine.sockets.at);
	free(engine.sockets.asked);
	if (made)
		free_rules(made);
	return 0;
}

static void rules(const char *text)
{
	if (made)
		free_rules(made);
	made = make_rules(text);
	assert_int_equal(made->errors, 0);
	engine_set_rules(&engine, made->rules);
}

static uint64_t matched(unsigned rule)
{
	return atomic_load(&made->rules->rule[rule - 1].matched);
}

/* A socket of this kind, with these SOCKET_ bits. */
static struct call call_on(enum family family, enum proto proto, uint32_t bits)
{
	struct call call = {.op = {.fd = FD, .family = family, .proto = proto}};

	call.sock.word = sock_word(7, family, proto, bits);
	sockets_put(&engine.sockets, FD, &call.sock);
	return call;
}

static void ask_for(struct call *call, const char *address, uint16_t port)
{
	call->op.has_asked = true;
	call->op.asked.port = port;
	assert_true(addr_parse(&call->op.asked.ip, address, strlen(address)));
}

static struct verdict decide(enum op_kind kind, enum family family, enum proto proto,
                             const char *address, uint16_t port)
{
	struct call call = call_on(family, proto, 0);

	ask_for(&call, address, port);
	engine_before(&engine, kind, &call);
	return call.verdict;
}

static struct verdict decide_tcp(enum op_kind kind, const char *address, uint16_t port)
{
	return decide(kind, FAMILY_INET, PROTO_TCP, address, port);
}

static bool is_at(const struct endpoint *end, const char *address, uint16_t port)
{
	struct ip ip;

	assert_true(addr_parse(&ip, address, strlen(address)));
	return end->port == port && memcmp(&end->ip, &ip, sizeof(ip)) == 0;
}

static void test_without_rules_all_passes(void **state)
{
	struct verdict verdict;

	(void)state;
	engine_set_rules(&engine, NULL);
	for (int kind = OP_NONE; kind < OP_KINDS; kind++)
		assert_false(engine_is_ruled(&engine, (enum op_kind)kind));
	verdict = decide_tcp(OP_BIND, "127.0.0.1", 80);
	assert_int_equal(verdict.kind, VERDICT_PASSED);
	assert_int_equal(verdict.rule, 0);
}

static void test_only_ruled_calls_are_asked_about(void **state)
{
	(void)state;
	rules("deny connect tcp :80");
	assert_true(engine_is_ruled(&engine, OP_CONNECT));
	assert_true(engine_is_ruled(&engine, OP_SEND)); /* fast open */
	assert_false(engine_is_ruled(&engine, OP_BIND));
	assert_false(engine_is_ruled(&engine, OP_ACCEPT));
	assert_false(engine_is_ruled(&engine, OP_SOCKET));
	rules("deny bind");
	assert_true(engine_is_ruled(&engine, OP_LISTEN)); /* of a socket without a port */
	assert_false(engine_is_ruled(&engine, OP_CONNECT));
	rules("deny socket unix");
	assert_true(engine_is_ruled(&engine, OP_SOCKETPAIR));
	rules("allow any any");
	assert_true(engine_is_ruled(&engine, OP_ACCEPT));
}

static void test_first_match_decides_and_counts(void **state)
{
	struct verdict verdict;

	(void)state;
	rules("allow bind tcp :8080\ndeny bind tcp\ndeny bind error EPERM\ndeny connect :80");
	verdict = decide_tcp(OP_BIND, "127.0.0.1", 8080);
	assert_int_equal(verdict.kind, VERDICT_PASSED);
	assert_int_equal(verdict.error, 0);
	assert_int_equal(verdict.rule, 1);
	verdict = decide_tcp(OP_BIND, "127.0.0.1", 8081);
	assert_int_equal(verdict.kind, VERDICT_DENIED);
	assert_int_equal(verdict.error, EACCES);
	assert_int_equal(verdict.rule, 2);
	verdict = decide(OP_BIND, FAMILY_INET, PROTO_UDP, "127.0.0.1", 8080);
	assert_int_equal(verdict.error, EPERM);
	assert_int_equal(verdict.rule, 3);
	verdict = decide_tcp(OP_CONNECT, "127.0.0.1", 81);
	assert_int_equal(verdict.kind, VERDICT_PASSED);
	assert_int_equal(verdict.rule, 0);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(matched(i), 1);
	assert_int_equal(matched(4), 0);
}

static void test_accept_is_an_error_only_if_the_rule_says_so(void **state)
{
	struct verdict verdict;

	(void)state;
	rules("deny accept 10.0.0.1 error EACCES\ndeny accept");
	verdict = decide_tcp(OP_ACCEPT, "10.0.0.1", 5);
	assert_int_equal(verdict.kind, VERDICT_DENIED);
	assert_int_equal(verdict.error, EACCES);
	verdict = decide_tcp(OP_ACCEPT, "10.0.0.2", 5);
	assert_int_equal(verdict.kind, VERDICT_DENIED);
	assert_int_equal(verdict.error, 0);
}

static void test_births_by_what_is_asked_for(void **state)
{
	struct call call = {.op = {.fd = -1, .family = FAMILY_UNIX, .proto = PROTO_OTHER}};

	(void)state;
	rules("deny socket unix error ENFILE\ndeny socket tcp");
	engine_before(&engine, OP_SOCKETPAIR, &call);
	assert_int_equal(call.verdict.error, ENFILE);
	call = (struct call){.op = {.fd = -1, .family = FAMILY_INET6, .proto = PROTO_TCP}};
	engine_before(&engine, OP_SOCKET, &call);
	assert_int_equal(call.verdict.error, EACCES);
	call = (struct call){.op = {.fd = -1, .family = FAMILY_INET6, .proto = PROTO_UDP}};
	engine_before(&engine, OP_SOCKET, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);
	rules("deny socket any");
	call = (struct call){.op = {.fd = -1, .family = FAMILY_OTHER, .proto = PROTO_OTHER}};
	engine_before(&engine, OP_SOCKET, &call);
	assert_int_equal(call.verdict.kind, VERDICT_DENIED);
}

static void test_move_changes_what_the_rule_names(void **state)
{
	struct verdict verdict;

	(void)state;
	rules("move bind :80 to :8080\nmove bind :81 to 127.0.0.1\nmove bind :82 to [::1]:5\n"
	      "move bind :83 to :100-200\nmove bind :84 to auto\nmove bind :85 to 127.0.0.9:0");
	verdict = decide_tcp(OP_BIND, "10.1.2.3", 80);
	assert_int_equal(verdict.kind, VERDICT_MOVED);
	assert_true(is_at(&verdict.to, "10.1.2.3", 8080));
	assert_int_equal(verdict.high, 0);
	verdict = decide_tcp(OP_BIND, "10.1.2.3", 81);
	assert_true(is_at(&verdict.to, "127.0.0.1", 81));
	verdict = decide(OP_BIND, FAMILY_INET6, PROTO_TCP, "::", 82);
	assert_true(is_at(&verdict.to, "::1", 5));
	verdict = decide_tcp(OP_BIND, "0.0.0.0", 82); /* no way there */
	assert_int_equal(verdict.kind, VERDICT_DENIED);
	assert_int_equal(verdict.error, EAFNOSUPPORT);
	verdict = decide_tcp(OP_BIND, "0.0.0.0", 83);
	assert_true(is_at(&verdict.to, "0.0.0.0", 0));
	assert_int_equal(verdict.low, 100);
	assert_int_equal(verdict.high, 200);
	engine.auto_low = 300;
	engine.auto_high = 310;
	verdict = decide_tcp(OP_BIND, "0.0.0.0", 84);
	assert_int_equal(verdict.low, 300);
	assert_int_equal(verdict.high, 310);
	verdict = decide_tcp(OP_BIND, "0.0.0.0", 85);
	assert_true(is_at(&verdict.to, "127.0.0.9", 0));
	assert_int_equal(verdict.high, 0);
}

static void test_move_needs_a_place_to_remember(void **state)
{
	void *asked = engine.sockets.asked;
	struct verdict verdict;

	(void)state;
	rules("move connect to 127.0.0.1:5");
	engine.sockets.asked = NULL;
	verdict = decide_tcp(OP_CONNECT, "10.0.0.1", 5);
	engine.sockets.asked = asked;
	assert_int_equal(verdict.kind, VERDICT_DENIED);
	assert_int_equal(verdict.error, ENOMEM);
}

static void test_assign_only_where_a_port_is_taken(void **state)
{
	struct call call;

	(void)state;
	rules("assign any any from 100-200");
	call = call_on(FAMILY_INET, PROTO_TCP, 0);
	ask_for(&call, "127.0.0.1", 0);
	engine_before(&engine, OP_BIND, &call);
	assert_int_equal(call.verdict.kind, VERDICT_ASSIGNED);
	assert_int_equal(call.verdict.low, 100);
	assert_int_equal(call.verdict.high, 200);
	assert_int_equal(call.verdict.error, 0);

	call = call_on(FAMILY_INET, PROTO_TCP, SOCKET_NO_PORT); /* connect will take it */
	ask_for(&call, "127.0.0.1", 0);
	engine_before(&engine, OP_BIND, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);

	call = call_on(FAMILY_INET, PROTO_TCP, 0); /* it names one */
	ask_for(&call, "127.0.0.1", 80);
	engine_before(&engine, OP_BIND, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);

	call = call_on(FAMILY_INET, PROTO_TCP, SOCKET_LOCAL); /* it has one */
	call.sock.local_port = 80;
	ask_for(&call, "127.0.0.1", 5);
	engine_before(&engine, OP_CONNECT, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);

	call = call_on(FAMILY_INET, PROTO_UDP, 0);
	ask_for(&call, "127.0.0.1", 5);
	engine_before(&engine, OP_SEND, &call);
	assert_int_equal(call.verdict.kind, VERDICT_ASSIGNED);

	call = call_on(FAMILY_UNIX, PROTO_STREAM, 0);
	engine_before(&engine, OP_BIND, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);
}

static void test_no_slice_is_an_exhausted_range(void **state)
{
	struct verdict verdict;

	(void)state;
	rules("assign any from auto");
	assert_int_equal(decide_tcp(OP_BIND, "0.0.0.0", 0).error, EADDRINUSE);
	assert_int_equal(decide_tcp(OP_LISTEN, "0.0.0.0", 0).error, EADDRINUSE);
	assert_int_equal(decide_tcp(OP_CONNECT, "127.0.0.1", 5).error, EADDRNOTAVAIL);
	verdict = decide(OP_CONNECT, FAMILY_INET, PROTO_UDP, "127.0.0.1", 5);
	assert_int_equal(verdict.error, EAGAIN);
	verdict = decide(OP_SEND, FAMILY_INET6, PROTO_UDP, "::1", 5);
	assert_int_equal(verdict.error, EAGAIN);
}

static void test_rules_see_what_the_program_knows(void **state)
{
	struct call call = call_on(FAMILY_INET, PROTO_TCP, SOCKET_LOCAL | SOCKET_MOVED_LOCAL);

	(void)state;
	rules("deny accept local :80 error EPERM\ndeny accept local :8080 error ENOMEM");
	call.sock.local_port = 8080; /* moved from 80 */
	assert_true(addr_parse(&call.sock.local, "127.0.0.1", 9));
	engine.sockets.asked[FD].local = (struct endpoint){call.sock.local, 80};
	sockets_put(&engine.sockets, FD, &call.sock);
	ask_for(&call, "10.0.0.1", 5);
	engine_before(&engine, OP_ACCEPT, &call);
	assert_int_equal(call.verdict.error, EPERM);
}

static void test_mapped_addresses_and_paths(void **state)
{
	struct call call = call_on(FAMILY_UNIX, PROTO_STREAM, 0);
	struct verdict verdict;

	(void)state;
	rules("deny connect 10.0.0.0/8\ndeny connect unix /run/*.sock error EPERM");
	verdict = decide(OP_CONNECT, FAMILY_INET6, PROTO_TCP, "::ffff:10.9.9.9", 1);
	assert_int_equal(verdict.error, EACCES);
	verdict = decide(OP_CONNECT, FAMILY_INET6, PROTO_TCP, "::10.9.9.9", 1);
	assert_int_equal(verdict.kind, VERDICT_PASSED);
	call.op.path = "/run/a.sock and more";
	call.op.path_len = 11;
	engine_before(&engine, OP_CONNECT, &call);
	assert_int_equal(call.verdict.error, EPERM);
	call.verdict = (struct verdict){.kind = VERDICT_PASSED};
	call.op.path_len = 10;
	engine_before(&engine, OP_CONNECT, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);
	call.op.path = NULL;
	call.op.path_len = 0;
	engine_before(&engine, OP_CONNECT, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);
}

static void test_in_another_program_is_no_match(void **state)
{
	(void)state;
	rules("deny bind in other\ndeny bind in a?p error EPERM\ndeny connect in */app");
	assert_int_equal(decide_tcp(OP_BIND, "127.0.0.1", 1).error, EPERM);
	assert_int_equal(decide_tcp(OP_CONNECT, "127.0.0.1", 1).error, EACCES);
	engine.name = "worker";
	engine.program = "/opt/worker";
	engine.who[1] = engine.who[2] = 0;
	assert_int_equal(decide_tcp(OP_BIND, "127.0.0.1", 1).kind, VERDICT_PASSED);
	assert_int_equal(decide_tcp(OP_CONNECT, "127.0.0.1", 1).kind, VERDICT_PASSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	        T(test_without_rules_all_passes),
	        T(test_only_ruled_calls_are_asked_about),
	        T(test_first_match_decides_and_counts),
	        T(test_accept_is_an_error_only_if_the_rule_says_so),
	        T(test_births_by_what_is_asked_for),
	        T(test_move_changes_what_the_rule_names),
	        T(test_move_needs_a_place_to_remember),
	        T(test_assign_only_where_a_port_is_taken),
	        T(test_no_slice_is_an_exhausted_range),
	        T(test_rules_see_what_the_program_knows),
	        T(test_mapped_addresses_and_paths),
	        T(test_in_another_program_is_no_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
