/* SPDX-License-Identifier: MIT */
/* test_verdicts.c - what rules did, as the audit sees it: a denied call has not
 * happened, a moved one has two sides, an assigned one has a port of the rule's. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/make_events.h"

static struct event judged(enum op_kind kind, uint32_t slot, int fd, enum verdict_kind verdict,
                           uint16_t rule)
{
	struct event event = made_event(kind, slot, fd, made_socket(slot, fd));

	event.verdict = verdict;
	event.rule = rule;
	event.set = 1;
	return event;
}

static void deny(enum op_kind kind, const struct endpoint *local, const struct endpoint *remote)
{
	struct event event = judged(kind, CLIENT, 5, VERDICT_DENIED, 4);

	made_ends(&event, local, remote);
	made_error(event, EACCES);
}

static void test_denied_leaves_nothing(void **state)
{
	struct endpoint low = made_end(2, MADE_LOW);

	(void)state;
	deny(OP_BIND, &low, NULL);
	deny(OP_CONNECT, &client, &server);
	deny(OP_SEND, &low, &server);
	deny(OP_LISTEN, &low, NULL);
	assert_null(audit->ledger.destinations);
	assert_null(audit->ledger.listeners);
	assert_int_equal(audit->tcp.ephemeral.peak, 0);
	assert_int_equal(audit->bind_failed.total, 0);
	assert_int_equal(audit->verdicts.count[VERDICT_DENIED], 4);
	assert_int_equal(HASH_COUNT(audit->verdicts.denials), 4);
}

/* Even if the file says that it has worked. */
static void test_denied_makes_no_socket(void **state)
{
	uint64_t before = audit->life.open.now;
	struct event event = made_event(OP_ACCEPT, SERVER, 3, 77);

	(void)state;
	event.verdict = VERDICT_DENIED;
	event.result = 9;
	made_ends(&event, &server, &client);
	made_play(event);
	event.kind = OP_SOCKET;
	event.fd = -1;
	made_play(event);
	assert_int_equal(audit->life.open.now, before);
	assert_int_equal(audit->sockets_tcp, 0);
	assert_null(audit->ledger.listeners);
}

static void test_denials_alike_are_one_row(void **state)
{
	const struct denial *row;

	(void)state;
	for (int i = 0; i < 3; i++)
		deny(OP_CONNECT, &client, &server);
	row = audit->verdicts.denials;
	assert_int_equal(HASH_COUNT(audit->verdicts.denials), 1);
	assert_int_equal(row->count, 3);
	assert_int_equal(row->error, EACCES);
	assert_int_equal(row->key.rule, 4);
	assert_int_equal(row->key.place.end.port, HTTP);
	assert_true(row->key.has_end);
	assert_string_equal(row->key.program->name, "client");
	deny(OP_SOCKET, NULL, NULL);
	assert_int_equal(HASH_COUNT(audit->verdicts.denials), 2);
	assert_false(((const struct denial *)row->hh.next)->key.has_end);
}

/* Who calls has another port each time: they are one. */
static void test_denied_callers_are_one_row(void **state)
{
	struct endpoint caller;

	(void)state;
	for (uint16_t i = 0; i < 5; i++) {
		caller = made_end(2, (uint16_t)(40000 + i));
		deny(OP_ACCEPT, &server, &caller);
	}
	assert_int_equal(HASH_COUNT(audit->verdicts.denials), 1);
	assert_int_equal(audit->verdicts.denials->key.place.end.port, 0);
}

static void test_denied_with_emfile_is_no_want_of_fds(void **state)
{
	struct event event = judged(OP_SOCKET, CLIENT, 5, VERDICT_DENIED, 1);

	(void)state;
	made_error(event, EMFILE);
	assert_int_equal(audit_at(audit, CLIENT)->no_fd, 0);
}

static void test_moved_has_both_sides(void **state)
{
	struct endpoint to = made_end(7, 8080), asked = made_end(1, 80), other = made_end(1, 81);
	struct event event = judged(OP_BIND, SERVER, 3, VERDICT_MOVED, 2);
	const struct move *move;
	struct place place;

	(void)state;
	made_ends(&event, &to, NULL);
	event.has_asked = true;
	event.asked = asked;
	made_play(event);
	made_play(event);
	event.asked = other;
	made_play(event);
	place = ledger_place(FAMILY_INET, PROTO_TCP, &to, NULL, 0);
	move = verdicts_move(&audit->verdicts, true, &place);
	assert_non_null(move);
	assert_int_equal(move->askeds, 2);
	assert_int_equal(move->asked[0].port, 80);
	assert_int_equal(move->asked[1].port, 81);
	assert_false(move->more);
	assert_null(verdicts_move(&audit->verdicts, false, &place));
	assert_int_equal(audit->tcp.holders[8080], 1); /* it is bound, where it went */
	assert_int_equal(audit->tcp.holders[80], 0);
	for (uint16_t i = 0; i < MOVE_ASKED; i++) {
		event.asked.port = (uint16_t)(90 + i);
		made_play(event);
	}
	assert_int_equal(move->askeds, MOVE_ASKED);
	assert_true(move->more);
}

static void test_moved_destination(void **state)
{
	struct endpoint asked = made_end(9, 5432);
	struct event event = judged(OP_CONNECT, CLIENT, 3, VERDICT_MOVED, 3);
	const struct destination *row;

	(void)state;
	made_ends(&event, &client, &server);
	event.has_asked = true;
	event.asked = asked;
	made_play(event);
	row = made_destination_row(HTTP);
	assert_int_equal(row->made, 1);
	assert_null(made_destination_row(5432));
	assert_int_equal(verdicts_move(&audit->verdicts, false, &row->place)->asked[0].port, 5432);
	event.has_asked = false; /* the file has lost it */
	event.remote.port = 1;
	made_play(event);
	assert_null(verdicts_move(&audit->verdicts, false, &made_destination_row(1)->place));
}

static void assign(uint16_t rule, uint16_t port, int error)
{
	struct event event = judged(OP_BIND, SERVER, 3, VERDICT_ASSIGNED, rule);
	struct endpoint local = made_end(1, port);

	made_ends(&event, &local, NULL);
	if (error)
		made_error(event, error);
	else
		made_play(event);
}

static void test_assigned_ports(void **state)
{
	const struct assignment *row;

	(void)state;
	assign(5, 30002, 0);
	assign(5, 30001, 0);
	assign(5, 30009, 0);
	assign(5, 30001, 0);
	assign(5, 0, EADDRINUSE);
	assign(6, 0, EADDRINUSE);
	row = audit->verdicts.assignments;
	assert_int_equal(row->key.rule, 5);
	assert_int_equal(row->count, 4);
	assert_int_equal(HASH_COUNT(row->ports), 3);
	assert_int_equal(row->low, 30001);
	assert_int_equal(row->high, 30009);
	assert_int_equal(row->failed.total, 1);
	row = row->hh.next;
	assert_int_equal(row->key.rule, 6);
	assert_int_equal(row->high, 0);
	assert_null(row->ports);
	assert_int_equal(verdicts_total(&audit->verdicts), 6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	static const struct CMUnitTest tests[] = {
	        TEST(test_denied_leaves_nothing),
	        TEST(test_denied_makes_no_socket),
	        TEST(test_denials_alike_are_one_row),
	        TEST(test_denied_callers_are_one_row),
	        TEST(test_denied_with_emfile_is_no_want_of_fds),
	        TEST(test_moved_has_both_sides),
	        TEST(test_moved_destination),
	        TEST(test_assigned_ports),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
