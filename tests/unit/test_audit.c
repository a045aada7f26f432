/* SPDX-License-Identifier: MIT */
/* test_audit.c - what the calls of sockets add up to. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/make_events.h"

enum { REUSE = LINE_REUSEADDR };

static uint64_t open_now(void)
{
	return audit->life.open.now;
}

static void test_listener(void **state)
{
	const struct listener *row;
	uint32_t one, other;

	(void)state;
	made_listener(SERVER, 3, server, REUSE);
	one = made_accept(SERVER, 3, 4, server, client);
	other = made_accept(SERVER, 3, 5, server, made_end(2, 40001));
	made_close(SERVER, 4, one);
	made_close(SERVER, 5, other);
	made_close(SERVER, 4, made_accept(SERVER, 3, 4, server, client));
	row = made_listener_row(HTTP);
	assert_non_null(row);
	assert_string_equal(row->key.program->name, "server");
	assert_int_equal(row->slot, SERVER);
	assert_int_equal(row->backlog, 128);
	assert_int_equal(row->accepted, 3);
	assert_int_equal(row->connected.peak, 2);
	assert_int_equal(row->connected.now, 0);
	assert_false(row->no_reuse);
	assert_int_equal(open_now(), 1);
	assert_int_equal(audit->sockets_tcp, 4);
}

static void test_destination(void **state)
{
	const struct destination *row;
	uint32_t one, other;

	(void)state;
	one = made_socket(CLIENT, 3);
	made_connect(CLIENT, 3, one, client, server, 0);
	other = made_socket(CLIENT, 4);
	made_connect(CLIENT, 4, other, made_end(2, 40001), server, 0);
	made_close(CLIENT, 3, one);
	made_pause(5 * MADE_STEP_NS);
	one = made_socket(CLIENT, 3);
	made_connect(CLIENT, 3, one, client, server, 0);
	row = made_destination_row(HTTP);
	assert_int_equal(row->made, 3);
	assert_int_equal(row->connected.peak, 2);
	assert_int_equal(row->ports, 2);
	assert_int_equal(row->locals, 1);
	assert_int_equal(row->reuse_ns, 7 * MADE_STEP_NS);
	assert_int_equal(row->failed.total, 0);
	assert_int_equal(audit->tcp.ephemeral.peak, 2);
	assert_string_equal(row->programs.list[0]->name, "client");
}

static void test_failed_connects(void **state)
{
	const struct destination *row;
	uint32_t sock = made_socket(CLIENT, 3);

	(void)state;
	made_connect(CLIENT, 3, sock, client, server, ECONNREFUSED);
	made_connect(CLIENT, 3, sock, client, server, ECONNREFUSED);
	made_connect(CLIENT, 3, sock, client, server, ETIMEDOUT);
	made_connect(CLIENT, 3, sock, client, server, 0);
	row = made_destination_row(HTTP);
	assert_int_equal(row->made, 1);
	assert_int_equal(row->failed.total, 3);
	assert_int_equal(errors_count(&row->failed, ECONNREFUSED), 2);
	assert_int_equal(errors_count(&row->failed, ETIMEDOUT), 1);
	assert_int_equal(row->retries.best, 3);
}

static void test_connect_that_does_not_wait(void **state)
{
	const struct destination *row;
	uint32_t sock = made_socket(CLIENT, 3), lost = made_socket(CLIENT, 4);

	(void)state;
	made_connect(CLIENT, 3, sock, client, server, EINPROGRESS);
	row = made_destination_row(HTTP);
	assert_int_equal(row->made, 1);
	assert_int_equal(row->pending, 1);
	made_connect(CLIENT, 3, sock, client, server, EALREADY);
	assert_int_equal(row->pending, 1);
	made_connect(CLIENT, 3, sock, client, server, EISCONN);
	assert_int_equal(row->pending, 0);
	assert_int_equal(row->made, 1);

	made_connect(CLIENT, 4, lost, made_end(2, 40001), server, EINPROGRESS);
	made_connect(CLIENT, 4, lost, made_end(2, 40001), server, ECONNREFUSED);
	assert_int_equal(row->made, 1);
	assert_int_equal(row->pending, 0);
	assert_int_equal(row->failed.total, 1);
	assert_int_equal(row->connected.now, 1);
}

static void test_accept_confirms_connect(void **state)
{
	uint32_t sock = made_socket(CLIENT, 3);

	(void)state;
	made_listener(SERVER, 3, server, REUSE);
	made_connect(CLIENT, 3, sock, client, server, EINPROGRESS);
	made_accept(SERVER, 3, 4, server, client);
	assert_int_equal(made_destination_row(HTTP)->pending, 0);

	made_accept(SERVER, 3, 5, server, made_end(2, 40001));
	sock = made_socket(CLIENT, 4);
	made_connect(CLIENT, 4, sock, made_end(2, 40001), server, EINPROGRESS);
	assert_int_equal(made_destination_row(HTTP)->pending, 0);
}

static void test_dissolve(void **state)
{
	struct event event;
	uint32_t sock = made_socket(CLIENT, 3);

	(void)state;
	made_connect(CLIENT, 3, sock, client, server, 0);
	event = made_event(OP_CONNECT, CLIENT, 3, sock);
	made_play(event);
	assert_int_equal(made_destination_row(HTTP)->connected.now, 0);
	assert_int_equal(audit->tcp.ephemeral.now, 0);
	made_connect(CLIENT, 3, sock, client, made_end(9, 443), 0);
	assert_int_equal(made_destination_row(443)->connected.now, 1);
}

static void test_who_closes_first(void **state)
{
	const struct destination *row;
	uint32_t sock, conn;

	(void)state;
	made_listener(SERVER, 3, server, REUSE);
	for (int client_first = 0; client_first < 2; client_first++) {
		sock = made_socket(CLIENT, 5);
		made_connect(CLIENT, 5, sock, client, server, 0);
		conn = made_accept(SERVER, 3, 4, server, client);
		if (client_first)
			made_close(CLIENT, 5, sock);
		made_close(SERVER, 4, conn);
		if (!client_first)
			made_close(CLIENT, 5, sock);
	}
	row = made_destination_row(HTTP);
	assert_int_equal(row->closed_first, 1);
	assert_int_equal(row->closed_second, 1);
	assert_int_equal(row->closed_unknown, 0);

	sock = made_socket(CLIENT, 5); /* closed before it was accepted */
	made_connect(CLIENT, 5, sock, client, server, 0);
	made_close(CLIENT, 5, sock);
	assert_int_equal(row->closed_first, 2);

	sock = made_socket(CLIENT, 5); /* nobody of ours listens there */
	made_connect(CLIENT, 5, sock, client, made_end(9, 443), 0);
	made_close(CLIENT, 5, sock);
	assert_int_equal(made_destination_row(443)->closed_unknown, 1);
}

/* A close that took so many steps until now. */
static void close_slowly(uint32_t slot, int fd, uint32_t sock, uint64_t steps)
{
	struct event event = made_event(OP_CLOSE, slot, fd, sock);

	event.took_ns = steps * MADE_STEP_NS;
	made_now -= event.took_ns;
	made_play(event);
	made_now += event.took_ns;
}

static void test_who_began_to_close_first(void **state)
{
	const struct destination *row;
	uint32_t sock, conn;

	(void)state;
	made_listener(SERVER, 3, server, REUSE);
	sock = made_socket(CLIENT, 5);
	made_connect(CLIENT, 5, sock, client, server, 0);
	conn = made_accept(SERVER, 3, 4, server, client);
	made_close(SERVER, 4, conn); /* woken by the client's, which ends later */
	close_slowly(CLIENT, 5, sock, 2);
	row = made_destination_row(HTTP);
	assert_int_equal(row->closed_first, 1);
	assert_int_equal(row->closed_second, 0);

	sock = made_socket(CLIENT, 5);
	made_connect(CLIENT, 5, sock, client, server, 0);
	conn = made_accept(SERVER, 3, 4, server, client);
	made_close(CLIENT, 5, sock);
	close_slowly(SERVER, 4, conn, 2);
	assert_int_equal(row->closed_first, 1);
	assert_int_equal(row->closed_second, 1);
}

static void test_a_retry_that_does_not_wait(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		uint32_t sock = made_socket(CLIENT, 5);

		made_connect(CLIENT, 5, sock, client, server, EINPROGRESS);
		made_connect(CLIENT, 5, sock, client, server, ECONNREFUSED);
		made_close(CLIENT, 5, sock);
	}
	assert_int_equal(made_destination_row(HTTP)->retries.best, 3);
}

static void test_shutdown_closes_first(void **state)
{
	uint32_t sock = made_socket(CLIENT, 5), conn;
	struct event event = made_event(OP_SHUTDOWN, CLIENT, 5, sock);

	(void)state;
	made_listener(SERVER, 3, server, REUSE);
	made_connect(CLIENT, 5, sock, client, server, 0);
	conn = made_accept(SERVER, 3, 4, server, client);
	event.arg = 1; /* SHUT_WR */
	made_play(event);
	made_close(SERVER, 4, conn);
	made_close(CLIENT, 5, sock);
	assert_int_equal(made_destination_row(HTTP)->closed_first, 1);
	assert_int_equal(made_destination_row(HTTP)->closed_second, 0);
}

static struct event udp_event(enum op_kind kind, int fd, uint32_t sock,
                              const struct endpoint *local, const struct endpoint *remote)
{
	struct event event = made_event(kind, CLIENT, fd, sock);

	event.proto = PROTO_UDP;
	made_ends(&event, local, remote);
	return event;
}

static void test_udp(void **state)
{
	struct endpoint local = made_end(2, 5353), dns = made_end(8, 53), other = made_end(9, 53);
	struct event event = udp_event(OP_SOCKET, -1, 500, NULL, NULL);

	(void)state;
	event.result = 4;
	made_play(event);
	made_play(udp_event(OP_BIND, 4, 500, &local, NULL));
	made_play(udp_event(OP_RECV, 4, 500, &local, &client));
	made_play(udp_event(OP_SEND, 4, 500, &local, &dns));
	made_play(udp_event(OP_SEND, 4, 500, &local, &other));
	made_play(udp_event(OP_SEND, 4, 500, &local, &dns));
	assert_int_equal(made_listener_row(5353)->peers, 1);
	assert_int_equal(audit->sockets_udp, 1);
	assert_int_equal(HASH_COUNT(audit->ledger.destinations), 2);
	assert_int_equal(made_destination_row(53)->made, 1);
	assert_int_equal(made_destination_row(53)->connected.now, 1);
	made_close(CLIENT, 4, 500);
	assert_int_equal(made_destination_row(53)->connected.now, 0);
	assert_int_equal(made_listener_row(5353)->listening.now, 0);
}

static void test_udp_ephemeral_binds_share_a_row(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 50; i++) {
		struct endpoint local = made_end(2, (uint16_t)(MADE_LOW + i));
		struct event event = udp_event(OP_SOCKET, -1, 500u + i, NULL, NULL);

		event.result = 4 + i;
		made_play(event);
		made_play(udp_event(OP_BIND, 4 + i, 500u + i, &local, NULL));
	}
	assert_int_equal(HASH_COUNT(audit->ledger.listeners), 1);
	assert_true(made_listener_row(0)->any_port);
	assert_int_equal(made_listener_row(0)->listening.now, 50);
	assert_int_equal(audit->udp.ephemeral.now, 50);
}

static void test_names(void **state)
{
	static const char name[] = "db.example", address[] = "10.0.0.1";
	struct event event = made_event(OP_RESOLVE, CLIENT, -1, 0);
	const struct resolved *resolved;
	uint32_t sock = made_socket(CLIENT, 3);

	(void)state;
	made_ends(&event, NULL, &server);
	event.text = name;
	event.text_len = sizeof(name) - 1;
	made_play(event);
	made_play(event);
	event.text = address; /* no name */
	event.text_len = sizeof(address) - 1;
	made_play(event);
	made_connect(CLIENT, 3, sock, client, server, 0);
	resolved = ledger_resolved(&audit->ledger, &made_destination_row(HTTP)->place);
	assert_non_null(resolved);
	assert_int_equal(resolved->names, 1);
	assert_string_equal(resolved->name[0], "db.example");
}

static void test_unix_paths(void **state)
{
	static const char path[] = "/run/x.sock";
	struct event event = made_event(OP_CONNECT, CLIENT, 3, made_socket(CLIENT, 3));
	const struct destination *row;

	(void)state;
	event.family = FAMILY_UNIX;
	event.proto = PROTO_STREAM;
	event.text = path;
	event.text_len = sizeof(path) - 1;
	event.sock = ++made_id;
	made_play(event);
	row = audit->ledger.destinations;
	assert_int_equal(row->made, 1);
	assert_string_equal(row->place.path, path);
	assert_int_equal(row->ports, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_listener),
	        TEST(test_destination),
	        TEST(test_failed_connects),
	        TEST(test_connect_that_does_not_wait),
	        TEST(test_accept_confirms_connect),
	        TEST(test_dissolve),
	        TEST(test_who_closes_first),
	        TEST(test_who_began_to_close_first),
	        TEST(test_a_retry_that_does_not_wait),
	        TEST(test_shutdown_closes_first),
	        TEST(test_udp),
	        TEST(test_udp_ephemeral_binds_share_a_row),
	        TEST(test_names),
	        TEST(test_unix_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
