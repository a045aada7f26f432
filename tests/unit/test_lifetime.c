/* SPDX-License-Identifier: MIT */
/* test_lifetime.c - who holds a socket until when, also when events are missing
 * or lie. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/make_events.h"

enum { CHILD = 3, REUSE = LINE_REUSEADDR };

static uint64_t open_now(void)
{
	return audit->life.open.now;
}

static void test_dup_and_fork_hold(void **state)
{
	uint32_t sock = made_listener(SERVER, 3, server, REUSE), conn;

	(void)state;
	conn = made_accept(SERVER, 3, 4, server, client);
	made_dup(SERVER, 4, 7, conn);
	made_close(SERVER, 4, conn);
	assert_int_equal(made_listener_row(HTTP)->connected.now, 1);
	made_slot(CHILD, ORIGIN_FORK, SERVER, 101, "server");
	made_start(CHILD, OP_FORK);
	made_close(SERVER, 7, conn);
	assert_int_equal(made_listener_row(HTTP)->connected.now, 1);
	made_close(CHILD, 7, conn);
	assert_int_equal(made_listener_row(HTTP)->connected.now, 0);
	made_close(SERVER, 3, sock);
	assert_int_equal(made_listener_row(HTTP)->listening.now, 1);
	made_exit(CHILD);
	assert_int_equal(made_listener_row(HTTP)->listening.now, 0);
	assert_int_equal(open_now(), 0);
	assert_int_equal(made_leaks(), 0);
}

static void test_exec_keeps_what_is_passed(void **state)
{
	uint32_t kept = made_socket(CLIENT, 3), lost = made_socket(CLIENT, 4);

	(void)state;
	made_connect(CLIENT, 3, kept, client, server, 0);
	made_connect(CLIENT, 4, lost, made_end(2, 40001), server, 0);
	made_pass(CLIENT, 3, kept, 77);
	made_slot(CHILD, ORIGIN_EXEC, CLIENT, 200, "next");
	made_start(CHILD, OP_EXEC);
	assert_int_equal(made_destination_row(HTTP)->connected.now, 1);
	made_close(CHILD, 3, made_adopt(CHILD, 3, &client, &server, 77));
	assert_int_equal(made_destination_row(HTTP)->connected.now, 0);
	assert_int_equal(made_destination_row(HTTP)->made, 2);
	assert_int_equal(open_now(), 0);
}

static void test_adopt_by_cookie(void **state)
{
	uint32_t listener = made_listener(SERVER, 3, server, REUSE), conn, adopted;

	(void)state;
	conn = made_accept(SERVER, 3, 4, server, client);
	made_pass(SERVER, 4, conn, 99);
	made_close(SERVER, 4, conn); /* before the other has it */
	assert_int_equal(open_now(), 2);
	adopted = made_adopt(CLIENT, 9, &server, &client, 99);
	assert_int_equal(open_now(), 2);
	made_close(CLIENT, 9, adopted);
	assert_int_equal(open_now(), 1);
	assert_int_equal(made_listener_row(HTTP)->connected.peak, 1);
	made_close(SERVER, 3, listener);
	assert_int_equal(open_now(), 0);
}

static void test_passed_to_nobody(void **state)
{
	uint32_t conn;

	(void)state;
	made_listener(SERVER, 3, server, REUSE);
	conn = made_accept(SERVER, 3, 4, server, client);
	made_pass(SERVER, 4, conn, 99);
	made_close(SERVER, 4, conn);
	made_pause(2 * LIFETIME_FLIGHT_NS);
	made_socket(SERVER, 8);
	assert_int_equal(made_listener_row(HTTP)->connected.now, 0);
	assert_int_equal(made_leaks(), 0);
}

static void test_adopt_by_tuple_but_not_by_another_cookie(void **state)
{
	uint32_t sock = made_socket(CLIENT, 3);

	(void)state;
	made_connect(CLIENT, 3, sock, client, server, 0);
	made_adopt(SERVER, 9, &client, &server, 0);
	assert_int_equal(open_now(), 1);
	made_pass(CLIENT, 3, sock, 5);
	made_adopt(SERVER, 10, &client, &server, 6);
	assert_int_equal(open_now(), 2);
}

static void test_adopted_from_outside(void **state)
{
	struct endpoint local = made_end(1, 8080);
	uint32_t sock = made_adopt(SERVER, 3, &local, NULL, 1);

	(void)state;
	made_close(SERVER, 4, made_accept(SERVER, 3, 4, local, client));
	assert_int_equal(made_listener_row(8080)->accepted, 1);
	assert_int_equal(made_listener_row(8080)->backlog, -1);
	made_adopt(CLIENT, 5, &client, &server, 2);
	assert_int_equal(made_destination_row(HTTP)->made, 0);
	assert_int_equal(made_destination_row(HTTP)->connected.now, 1);
	made_close(SERVER, 3, sock);
	assert_int_equal(made_listener_row(8080)->listening.now, 0);
}

static void test_missed_close(void **state)
{
	uint32_t old = made_socket(CLIENT, 3), new;

	(void)state;
	made_connect(CLIENT, 3, old, client, server, 0);
	new = made_socket(CLIENT, 3);
	assert_int_equal(made_destination_row(HTTP)->connected.now, 0);
	assert_int_equal(audit->life.closes_missed, 1);
	made_close(CLIENT, 3, old); /* too late: the fd is another socket now */
	assert_int_equal(open_now(), 1);
	made_close(CLIENT, 3, new);
	assert_int_equal(open_now(), 0);
}

static void test_accept_reuses_fd(void **state)
{
	(void)state;
	made_listener(SERVER, 3, server, REUSE);
	made_accept(SERVER, 3, 4, server, client);
	made_accept(SERVER, 3, 4, server, made_end(2, 40001));
	assert_int_equal(made_listener_row(HTTP)->accepted, 2);
	assert_int_equal(made_listener_row(HTTP)->connected.peak, 1);
	made_accept(SERVER, 3, 3, server, made_end(2, 40002)); /* a lie */
	assert_int_equal(made_listener_row(HTTP)->accepted, 2);
	assert_int_equal(made_listener_row(HTTP)->listening.now, 1);
}

static void test_leaks(void **state)
{
	const struct leak *row;
	uint32_t sock = made_socket(CLIENT, 3);

	(void)state;
	made_listener(SERVER, 3, server, REUSE); /* a listener is no leak */
	made_connect(CLIENT, 3, sock, client, server, 0);
	made_pause(1000 * MADE_STEP_NS);
	made_exit(CLIENT);
	audit_finish(audit);
	row = audit->ledger.leaks;
	assert_non_null(row);
	assert_int_equal(made_leaks(), 1);
	assert_int_equal(row->key.use, USE_CLIENT);
	assert_true(row->key.ended);
	assert_int_equal(row->slot, CLIENT);
	assert_int_equal(row->fd, 3);
	assert_int_equal(row->age_ns, 1005 * MADE_STEP_NS);
	assert_memory_equal(&row->remote, &server, sizeof(server));
}

static void test_inherited_without_need(void **state)
{
	uint32_t sock = made_listener(SERVER, 3, server, REUSE);

	(void)state;
	made_pass(SERVER, 3, sock, 7);
	made_slot(CHILD, ORIGIN_SPAWN, SERVER, 300, "helper");
	made_start(CHILD, OP_EXEC);
	made_adopt(CHILD, 3, &server, NULL, 7);
	made_exit(CHILD);
	assert_non_null(audit->ledger.heirlooms);
	assert_int_equal(audit->ledger.heirlooms->count, 1);
	assert_string_equal(audit->ledger.heirlooms->key.from->name, "server");
	assert_string_equal(audit->ledger.heirlooms->key.to->name, "helper");
	assert_true(audit->ledger.heirlooms->key.listening);
}

static void test_inherited_and_used(void **state)
{
	uint32_t sock = made_listener(SERVER, 3, server, REUSE);

	(void)state;
	made_pass(SERVER, 3, sock, 7);
	made_slot(CHILD, ORIGIN_SPAWN, SERVER, 300, "worker");
	made_start(CHILD, OP_EXEC);
	made_adopt(CHILD, 3, &server, NULL, 7);
	made_accept(CHILD, 3, 4, server, client);
	made_exit(CHILD);
	assert_null(audit->ledger.heirlooms);
	assert_int_equal(made_listener_row(HTTP)->accepted, 1);
}

/* ---- events that make no sense ---- */

static void test_strangers(void **state)
{
	(void)state;
	made_close(CLIENT, 3, 0);
	made_close(CLIENT, -1, 12345);
	made_close(CLIENT, 3, 12345);
	made_dup(CLIENT, -1, 5, 0);
	made_dup(CLIENT, 5, -1, 0);
	made_pass(CLIENT, 9, 999, 1);
	made_start(5, OP_FORK);
	made_exit(6);
	made_close(SESSION_PROCESSES, 3, 0);
	made_close(UINT32_MAX, 3, 0);
	made_accept(CLIENT, 17, -1, server, client);
	made_adopt(CLIENT, -1, NULL, NULL, 0);
	assert_int_equal(open_now(), 0);
	made_connect(CLIENT, INT32_MAX, 0, client, server, 0); /* its birth is not in the record */
	assert_int_equal(made_destination_row(HTTP)->made, 1);
	assert_int_equal(open_now(), 1);
}

static void test_one_id_for_two(void **state)
{
	struct event event = made_event(OP_SOCKET, CLIENT, -1, 7);

	(void)state;
	event.result = 3;
	made_play(event);
	event.result = 4;
	made_play(event);
	made_play(event);
	made_close(CLIENT, 4, 7);
	made_close(CLIENT, 3, 7);
	made_close(CLIENT, 3, 7);
	made_adopt(CLIENT, 8, NULL, NULL, 0);
	assert_true(open_now() <= 2);
}

static void test_parents_in_a_circle(void **state)
{
	(void)state;
	made_socket(SERVER, 3);
	made_slot(10, ORIGIN_EXEC, 11, 900, "a");
	made_slot(11, ORIGIN_EXEC, 10, 900, "b");
	made_slot(12, ORIGIN_FORK, 12, 901, "c");
	made_socket(10, 3);
	for (int i = 0; i < 3; i++) {
		made_start(10, OP_EXEC);
		made_start(11, OP_EXEC);
		made_start(12, OP_FORK);
	}
	assert_true(open_now() >= 1);
}

static void test_every_kind_at_random(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		struct event event = {
		        .kind = (enum op_kind)(rand() % OP_KINDS),
		        .process = (uint32_t)(rand() % 14),
		        .fd = rand() % 12 - 1,
		        .sock = (uint32_t)(rand() % 40),
		        .result = rand() % 12 - 1,
		        .error = rand() % 4 ? 0 : rand() % 120,
		        .family = (enum family)(rand() % 4),
		        .proto = (enum proto)(rand() % 4),
		        .flags = (uint8_t)(rand() % 32),
		        .has_local = rand() % 2,
		        .has_remote = rand() % 2,
		        .local = made_end((uint8_t)(rand() % 3), (uint16_t)(32766 + rand() % 4)),
		        .remote = made_end((uint8_t)(rand() % 3), (uint16_t)(32766 + rand() % 4)),
		        .arg = rand() % 4 - 1,
		        .cookie = (uint64_t)(rand() % 6),
		        .text = "a\0name",
		        .text_len = (size_t)(rand() % 7),
		        .time_ns = (uint64_t)(rand() % 1000) * 10000000,
		};

		if (i % 100 == 0)
			made_slot(event.process, (enum process_origin)(rand() % 4),
			          (uint32_t)(rand() % 14), (uint32_t)(rand() % 3), "x");
		audit_event(audit, &event);
	}
	audit_finish(audit);
	assert_int_equal(open_now(), 0);
	assert_int_equal(audit->life.names, 0);
	for (const struct destination *row = audit->ledger.destinations; row; row = row->hh.next)
		assert_int_equal(row->connected.now, 0);
	assert_int_equal(audit->tcp.ephemeral.now, 0);
	assert_int_equal(audit->udp.ephemeral.now, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_dup_and_fork_hold),
	        TEST(test_exec_keeps_what_is_passed),
	        TEST(test_adopt_by_cookie),
	        TEST(test_passed_to_nobody),
	        TEST(test_adopt_by_tuple_but_not_by_another_cookie),
	        TEST(test_adopted_from_outside),
	        TEST(test_missed_close),
	        TEST(test_accept_reuses_fd),
	        TEST(test_leaks),
	        TEST(test_inherited_without_need),
	        TEST(test_inherited_and_used),
	        TEST(test_strangers),
	        TEST(test_one_id_for_two),
	        TEST(test_parents_in_a_circle),
	        TEST(test_every_kind_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
