/* SPDX-License-Identifier: MIT */
/* test_engine.c - from outcomes to the table of sockets and the lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/event.h"

enum { FDS = 64, LINES = 16 };

static struct engine engine;
static struct line lines[LINES]; /* no session: ids are counted */

static int setup(void **state)
{
	(void)state;
	memset(&engine, 0, sizeof(engine));
	memset(lines, 0, sizeof(lines));
	engine.epoch = 100;
	engine.sockets.at = aligned_alloc(64, FDS * sizeof(struct sock));
	memset(engine.sockets.at, 0, FDS * sizeof(struct sock));
	engine.sockets.capacity = FDS;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(engine.sockets.at);
	return 0;
}

static struct endpoint end_of(const char *address, uint16_t port)
{
	struct endpoint end = {.port = port};

	assert_true(addr_parse(&end.ip, address, strlen(address)));
	return end;
}

static struct call call_of(enum op_kind kind, int fd, int result)
{
	struct call call = {.op = {.kind = kind, .fd = fd, .start = 1100}};

	call.outcome.result = result;
	call.outcome.end = 1150;
	if (fd >= 0)
		sockets_get(&engine.sockets, fd, &call.sock);
	return call;
}

/* Report it and read its line back. */
static struct event report(struct call *call)
{
	struct event event = {0};

	memset(lines, 0, sizeof(lines));
	engine_after(&engine, call->op.kind, call, lines);
	assert_true(event_unpack(&event, lines, (const char *)(lines + 1),
	                         (lines[0].flags >> LINE_TEXT_SHIFT) * SESSION_LINE));
	return event;
}

static struct event make_tcp(int fd)
{
	struct call call = call_of(OP_SOCKET, -1, fd);

	call.op.family = FAMILY_INET;
	call.op.proto = PROTO_TCP;
	return report(&call);
}

static const struct sock *entry(int fd)
{
	return sockets_at(&engine.sockets, fd);
}

static void test_a_birth_has_an_id(void **state)
{
	struct event first = make_tcp(3), second = make_tcp(4);

	(void)state;
	assert_int_equal(first.kind, OP_SOCKET);
	assert_int_equal(first.result, 3);
	assert_int_equal(first.proto, PROTO_TCP);
	assert_int_not_equal(first.sock, 0);
	assert_int_not_equal(first.sock, second.sock);
	assert_int_equal(sock_id(entry(3)), first.sock);
	assert_int_equal(atomic_load(&lines[0].head) & 0xffffffff, 1000); /* since the epoch */
	assert_int_equal(lines[0].took, 50);
}

static void test_a_failed_birth_enters_nothing(void **state)
{
	struct call call = call_of(OP_SOCKET, -1, -EMFILE);
	struct event event;

	(void)state;
	call.op.family = FAMILY_INET6;
	call.op.proto = PROTO_UDP;
	event = report(&call);
	assert_int_equal(event.error, EMFILE);
	assert_int_equal(event.sock, 0);
	assert_int_equal(event.family, FAMILY_INET6);
	for (int fd = 0; fd < FDS; fd++)
		assert_false(sockets_knows(&engine.sockets, fd));
}

static struct event bind_to(int fd, const char *address, uint16_t port, int result)
{
	struct call call = call_of(OP_BIND, fd, result);

	call.outcome.has_local = true;
	call.outcome.local = end_of(address, port);
	return report(&call);
}

static void test_listener_then_accept_gives_both_ends(void **state)
{
	struct call call;
	struct event event;

	(void)state;
	make_tcp(3);
	bind_to(3, "127.0.0.1", 8080, 0);
	call = call_of(OP_LISTEN, 3, 0);
	call.op.arg = 128;
	event = report(&call);
	assert_int_equal(event.arg, 128);
	assert_int_equal(event.local.port, 8080);
	assert_int_equal(sock_bits(entry(3)) & SOCKET_LISTENING, SOCKET_LISTENING);
	call = call_of(OP_ACCEPT, 3, 5);
	call.outcome.has_remote = true;
	call.outcome.remote = end_of("127.0.0.1", 40000);
	assert_false(engine_wants_local(call.op.kind, &call)); /* the listener's own */
	event = report(&call);
	assert_int_equal(event.fd, 3);
	assert_int_equal(event.result, 5);
	assert_int_equal(event.local.port, 8080);
	assert_int_equal(event.remote.port, 40000);
	assert_int_equal(sock_id(entry(5)), event.sock);
	assert_int_equal(sock_bits(entry(5)) & SOCKET_LISTENING, 0);
}

static void test_wants_the_local_end_where_only_the_kernel_knows(void **state)
{
	struct call call;

	(void)state;
	make_tcp(3);
	call = call_of(OP_BIND, 3, 0);
	call.outcome.has_local = true;
	call.outcome.local = end_of("0.0.0.0", 0);
	assert_true(engine_wants_local(call.op.kind, &call)); /* port 0 */
	call.outcome.local.port = 80;
	assert_false(engine_wants_local(call.op.kind, &call));
	call = call_of(OP_CONNECT, 3, -EINPROGRESS);
	call.outcome.has_remote = true;
	assert_true(engine_wants_local(call.op.kind, &call));
	call.outcome.result = -ECONNREFUSED;
	assert_false(engine_wants_local(call.op.kind, &call));
	call = call_of(OP_LISTEN, 3, 0);
	assert_true(engine_wants_local(call.op.kind, &call));
	bind_to(3, "0.0.0.0", 8080, 0);
	call = call_of(OP_LISTEN, 3, 0);
	assert_false(engine_wants_local(call.op.kind, &call));
	call = call_of(OP_ACCEPT, 3, 4);
	assert_true(engine_wants_local(call.op.kind, &call)); /* any address is none */
}

static void test_connect_then_dissolve(void **state)
{
	struct call call;
	struct event event;

	(void)state;
	make_tcp(3);
	call = call_of(OP_CONNECT, 3, -EINPROGRESS);
	call.outcome.has_local = call.outcome.has_remote = true;
	call.outcome.local = end_of("10.0.0.1", 30000);
	call.outcome.remote = end_of("10.0.0.2", 443);
	event = report(&call);
	assert_int_equal(event.error, EINPROGRESS);
	assert_int_equal(event.remote.port, 443);
	assert_int_equal(sock_bits(entry(3)) & SOCKET_PENDING, SOCKET_PENDING);
	call = call_of(OP_CONNECT, 3, 0); /* AF_UNSPEC */
	report(&call);
	assert_int_equal(sock_bits(entry(3)) & (SOCKET_REMOTE | SOCKET_LOCAL | SOCKET_PENDING), 0);
}

static struct event connect_to(int fd, int result)
{
	struct call call = call_of(OP_CONNECT, fd, result);

	call.outcome.has_remote = true;
	call.outcome.remote = end_of("10.0.0.2", 443);
	if (result == -EINPROGRESS) {
		assert_true(engine_wants_local(call.op.kind, &call));
		call.outcome.has_local = true;
		call.outcome.local = end_of("10.0.0.1", 30000);
	}
	return report(&call);
}

static void test_a_pending_connect_that_fails_leaves_nothing(void **state)
{
	struct event event;

	(void)state;
	make_tcp(3);
	connect_to(3, -EINPROGRESS);
	connect_to(3, -EALREADY); /* still on its way */
	assert_int_equal(sock_bits(entry(3)) & SOCKET_LOCAL, SOCKET_LOCAL);
	event = connect_to(3, -ECONNREFUSED);
	assert_int_equal(event.local.port, 30000);
	assert_int_equal(sock_bits(entry(3)) & (SOCKET_LOCAL | SOCKET_REMOTE | SOCKET_PENDING), 0);
	connect_to(3, -EINPROGRESS); /* asks for the new port */
	connect_to(3, 0);
	assert_int_equal(sock_bits(entry(3)) & (SOCKET_LOCAL | SOCKET_REMOTE | SOCKET_PENDING),
	                 SOCKET_LOCAL | SOCKET_REMOTE);
}

static void test_dissolve_keeps_a_bound_port(void **state)
{
	struct call call;

	(void)state;
	make_tcp(3);
	bind_to(3, "127.0.0.1", 5000, 0);
	call = call_of(OP_CONNECT, 3, 0);
	report(&call);
	assert_int_equal(sock_bits(entry(3)) & SOCKET_LOCAL, SOCKET_LOCAL);
}

static void test_a_failed_bind_is_told_and_not_remembered(void **state)
{
	struct event event;

	(void)state;
	make_tcp(3);
	event = bind_to(3, "127.0.0.1", 80, -EACCES);
	assert_int_equal(event.error, EACCES);
	assert_int_equal(event.local.port, 80);
	assert_int_equal(sock_bits(entry(3)) & (SOCKET_LOCAL | SOCKET_BOUND), 0);
}

static void test_close_tells_what_was_taken(void **state)
{
	struct event born = make_tcp(3), event;
	struct call call;

	(void)state;
	bind_to(3, "127.0.0.1", 80, 0);
	call = call_of(OP_CLOSE, 3, 0);
	assert_true(sockets_take(&engine.sockets, 3, &call.sock));
	event = report(&call);
	assert_int_equal(event.sock, born.sock);
	assert_int_equal(event.local.port, 80);
	assert_false(sockets_knows(&engine.sockets, 3));
}

static void test_dup_is_the_same_socket(void **state)
{
	struct event born = make_tcp(3), event;
	struct call call = call_of(OP_DUP, 3, 9);

	(void)state;
	call.op.cloexec = true;
	event = report(&call);
	assert_int_equal(event.sock, born.sock);
	assert_int_equal(sock_id(entry(9)), born.sock);
	assert_int_equal(sock_bits(entry(9)) & SOCKET_CLOEXEC, SOCKET_CLOEXEC);
	assert_int_equal(sock_bits(entry(3)) & SOCKET_CLOEXEC, 0);
}

static void test_nothing_known_is_not_entered_by_its_calls(void **state)
{
	(void)state;
	bind_to(7, "127.0.0.1", 80, 0);
	assert_false(sockets_knows(&engine.sockets, 7));
}

static void test_text_follows_and_is_cut(void **state)
{
	static char text[2 * EVENT_TEXT_MAX];
	struct call call = call_of(OP_BLIND, -1, 0);
	struct event event;

	(void)state;
	memset(text, 'x', sizeof(text));
	call.outcome.text = text;
	call.outcome.text_len = 100;
	assert_int_equal(engine_lines(&call.outcome), 3);
	event = report(&call);
	assert_int_equal(event.text_len, 100);
	call.outcome.text_len = sizeof(text);
	assert_int_equal(engine_lines(&call.outcome), 1 + LINE_TEXT_MAX);
	event = report(&call);
	assert_int_equal(event.text_len, EVENT_TEXT_MAX);
}

static void test_without_a_line_it_is_remembered(void **state)
{
	struct call call = call_of(OP_SOCKET, -1, 3);

	(void)state;
	call.op.family = FAMILY_INET;
	engine_after(&engine, OP_SOCKET, &call, NULL);
	assert_true(sockets_knows(&engine.sockets, 3));
	assert_int_equal(sock_id(entry(3)), 1);
}

static void test_without_rules_everything_passes(void **state)
{
	struct call call = call_of(OP_BIND, 3, 0);

	(void)state;
	engine_before(&engine, OP_BIND, &call);
	assert_int_equal(call.verdict.kind, VERDICT_PASSED);
	assert_int_equal(call.verdict.error, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_a_birth_has_an_id),
	        TEST(test_a_failed_birth_enters_nothing),
	        TEST(test_listener_then_accept_gives_both_ends),
	        TEST(test_wants_the_local_end_where_only_the_kernel_knows),
	        TEST(test_connect_then_dissolve),
	        TEST(test_a_pending_connect_that_fails_leaves_nothing),
	        TEST(test_dissolve_keeps_a_bound_port),
	        TEST(test_a_failed_bind_is_told_and_not_remembered),
	        TEST(test_close_tells_what_was_taken),
	        TEST(test_dup_is_the_same_socket),
	        TEST(test_nothing_known_is_not_entered_by_its_calls),
	        TEST(test_text_follows_and_is_cut),
	        TEST(test_without_a_line_it_is_remembered),
	        TEST(test_without_rules_everything_passes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
