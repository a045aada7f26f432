/* SPDX-License-Identifier: MIT */
/* test_ports.c - which limit ports holds, and which calls the engine gives a port. */
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

static struct engine engine = {.name = "app", .program = "/usr/bin/app"};

static uint32_t holds(const char *text)
{
	struct made *made = make_rules(text);
	uint32_t number;

	assert_int_equal(made->errors, 0);
	number = engine_ports_rule(&engine, made->rules);
	free_rules(made);
	return number;
}

static void test_first_in_name_then_first(void **state)
{
	(void)state;
	assert_int_equal(holds("limit fds 10"), 0);
	assert_int_equal(holds("limit fds 10\nlimit ports 4"), 2);
	assert_int_equal(holds("limit ports 4\nlimit ports 8"), 1);
	assert_int_equal(holds("limit ports 4 in other"), 0);
	assert_int_equal(holds("limit ports 4\nlimit ports 8 in other\nlimit ports 6 in a*"), 3);
	assert_int_equal(holds("limit ports 4 in /usr/bin/app\nlimit ports 6 in app"), 1);
}

/* The calls that are asked about with these rules. */
static uint32_t limited_by(const char *text, uint64_t ports)
{
	struct made *made = make_rules(text);
	uint32_t limited;

	assert_int_equal(made->errors, 0);
	atomic_store(&engine.ports, ports);
	engine_set_rules(&engine, made->rules);
	limited = atomic_load(&engine.limited);
	assert_int_equal(atomic_load(&engine.ruled) & limited, limited);
	engine_set_rules(&engine, NULL);
	atomic_store(&engine.ports, 0);
	free_rules(made);
	return limited;
}

static void test_what_the_kernel_limits_is_not_asked_about(void **state)
{
	const uint32_t ours = RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) | RULE_CALL(OP_CONNECT) |
	                      RULE_CALL(OP_SEND);

	(void)state;
	assert_int_equal(limited_by("limit ports 4", 0), 0);
	assert_int_equal(limited_by("limit ports 4", 1) & ours, ours);
	assert_int_equal(limited_by("limit ports 4\nlimit backlog 1", 0), RULE_CALL(OP_LISTEN));
	assert_int_equal(limited_by("limit ports 4\nfail recv error ECONNRESET", 0),
	                 RULE_CALL(OP_RECV));
}

/* Does a call take a port of the limit? port: that bind asks for, or that the socket has. */
static bool takes(enum op_kind kind, enum family family, enum proto proto, uint32_t bits,
                  uint16_t port, enum verdict_kind verdict)
{
	struct call call = {.op = {.has_asked = true}, .verdict = {.kind = verdict}};
	bool takes;

	call.sock.word = sock_word(7, family, proto, bits);
	call.sock.local_port = kind == OP_BIND ? 0 : port;
	call.op.asked.port = kind == OP_BIND ? port : 80;
	call.verdict.to = call.op.asked;
	atomic_store(&engine.ports, 1);
	takes = engine_limits_port(&engine, kind, &call);
	atomic_store(&engine.ports, 0);
	assert_false(engine_limits_port(&engine, kind, &call));
	return takes;
}

#define TAKES(kind, family, proto, bits, port)                                                     \
	takes(OP_##kind, FAMILY_##family, PROTO_##proto, bits, port, VERDICT_PASSED)

static void test_calls_that_take_a_port(void **state)
{
	(void)state;
	assert_true(TAKES(BIND, INET, TCP, 0, 0));
	assert_true(TAKES(BIND, INET6, UDP, 0, 0));
	assert_false(TAKES(BIND, INET, TCP, 0, 80));
	assert_false(TAKES(BIND, INET, TCP, SOCKET_NO_PORT, 0));
	assert_false(TAKES(BIND, UNIX, STREAM, 0, 0));
	assert_true(TAKES(CONNECT, INET, TCP, 0, 0));
	assert_true(TAKES(CONNECT, INET, TCP, SOCKET_LOCAL | SOCKET_BOUND | SOCKET_NO_PORT, 0));
	assert_false(TAKES(CONNECT, INET, TCP, SOCKET_LOCAL, 4000));
	assert_false(TAKES(CONNECT, OTHER, OTHER, 0, 0));
	assert_true(TAKES(LISTEN, INET6, TCP, 0, 0));
	assert_true(TAKES(SEND, INET, UDP, 0, 0));
	assert_false(TAKES(SEND, INET, TCP, 0, 0));
	assert_false(TAKES(RECV, INET, UDP, 0, 0));
	assert_false(TAKES(ACCEPT, INET, TCP, 0, 0));
}

static void test_policy_comes_first(void **state)
{
	(void)state;
	assert_false(takes(OP_CONNECT, FAMILY_INET, PROTO_TCP, 0, 0, VERDICT_ASSIGNED));
	assert_true(takes(OP_CONNECT, FAMILY_INET, PROTO_TCP, 0, 0, VERDICT_MOVED));
	assert_true(takes(OP_BIND, FAMILY_INET, PROTO_TCP, 0, 0, VERDICT_MOVED));
	assert_true(takes(OP_BIND, FAMILY_INET, PROTO_TCP, 0, 0, VERDICT_DELAYED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_first_in_name_then_first),
	        cmocka_unit_test(test_what_the_kernel_limits_is_not_asked_about),
	        cmocka_unit_test(test_calls_that_take_a_port),
	        cmocka_unit_test(test_policy_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
