/* SPDX-License-Identifier: MIT */
/* test_recovery.c - whether programs got over their failures, from made-up events. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/make_events.h"
#include "tools/findings.h"
#include "tools/recovery_words.h"

enum { MS = 1000000, RULE = 2 };

#define SECOND_NS ((uint64_t)1000000000)

/* Failed by a rule. */
static void fault(struct event event, int error)
{
	event.verdict = VERDICT_FAILED;
	event.rule = RULE;
	event.set = 1;
	made_error(event, error);
}

static void fault_connect(int fd, uint32_t sock, int error)
{
	struct event event = made_event(OP_CONNECT, CLIENT, fd, sock);

	made_ends(&event, NULL, &server);
	fault(event, error);
}

static const struct trouble *row_of_call(enum op_kind call)
{
	const struct trouble *row = audit->recovery.rows;

	while (row && row->key.call != call)
		row = row->hh.next;
	assert_non_null(row);
	return row;
}

/* The only row there is. */
static const struct trouble *only_row(enum op_kind call)
{
	audit_finish(audit);
	assert_int_equal(HASH_COUNT(audit->recovery.rows), 1);
	assert_int_equal(audit->recovery.watches, 0);
	return row_of_call(call);
}

static const char *words_of(const struct trouble *row)
{
	static char words[RECOVERY_WORDS_MAX];

	return trouble_words(words, row);
}

static void assert_words(const struct trouble *row, const char *part)
{
	if (!strstr(words_of(row), part))
		fail_msg("\"%s\" is not in \"%s\"", part, words_of(row));
}

static bool has_finding(const char *id)
{
	struct findings findings = findings_of(audit);
	bool found = false;

	for (size_t i = 0; i < findings.count; i++)
		found |= strcmp(findings.list[i].kind->id, id) == 0;
	findings_free(&findings);
	return found;
}

static void test_what_succeeds_is_no_trouble(void **state)
{
	(void)state;
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	made_connect(CLIENT, 5, made_socket(CLIENT, 5), client, server, ECONNREFUSED);
	made_error(made_event(OP_ACCEPT, SERVER, 3, 0), EAGAIN);
	audit_finish(audit);
	assert_null(audit->recovery.rows);
}

static void test_accept_spins_then_serves(void **state)
{
	const struct trouble *row;

	(void)state;
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	for (int i = 0; i < 100; i++)
		fault(made_event(OP_ACCEPT, SERVER, 3, 0), EMFILE);
	made_accept(SERVER, 3, 4, server, client);
	row = only_row(OP_ACCEPT);
	assert_int_equal(row->failures, 100);
	assert_int_equal(row->episodes, 1);
	assert_int_equal(row->tries, 100);
	assert_int_equal(row->spin, 100);
	assert_int_equal(row->recovered, 1);
	assert_int_equal(row->recovery_ns, 100 * MS);
	assert_int_equal(row->key.place.end.port, HTTP);
	assert_words(row, "100 in a row without a pause (1,010 calls a second); then accepted");
	assert_true(has_finding("accept-spin"));
	assert_false(has_finding("fds-exhausted")); /* it was a rule */
}

/* The kernel's own EMFILE is told of, too. */
static void test_accept_pauses(void **state)
{
	const struct trouble *row;

	(void)state;
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	for (int i = 0; i < 20; i++) {
		made_error(made_event(OP_ACCEPT, SERVER, 3, 0), EMFILE);
		made_pause(100 * MS);
	}
	made_error(made_event(OP_ACCEPT, SERVER, 3, 0), EAGAIN);
	row = only_row(OP_ACCEPT);
	assert_int_equal(row->key.rule, 0);
	assert_int_equal(row->idle, 1);
	assert_int_equal(row->pauses.shortest_ns, 101 * MS);
	assert_int_equal(row->pauses.longest_ns, 101 * MS);
	assert_int_equal(pauses_median(&row->pauses), 101 * MS);
	assert_words(row, "tried again 20 times, after 101 ms to 101 ms (median 101 ms)");
	assert_words(row, "nobody was waiting");
	assert_false(has_finding("accept-spin"));
	assert_true(has_finding("fds-exhausted"));
}

static void test_accept_stops(void **state)
{
	(void)state;
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	fault(made_event(OP_ACCEPT, SERVER, 3, 0), EMFILE);
	made_pause(3 * SECOND_NS);
	made_socket(SERVER, 9);
	assert_int_equal(only_row(OP_ACCEPT)->open, 1);
	assert_words(row_of_call(OP_ACCEPT), "not tried again; not got over for 3 s");
	assert_true(has_finding("accept-stopped"));
}

static void test_connect_backs_off(void **state)
{
	const struct trouble *row;
	uint32_t sock;

	(void)state;
	for (int i = 0; i < 3; i++) {
		sock = made_socket(CLIENT, 5);
		fault_connect(5, sock, ETIMEDOUT);
		made_close(CLIENT, 5, sock);
		made_pause((uint64_t)(97 << i) * MS);
	}
	made_connect(CLIENT, 5, made_socket(CLIENT, 5), client, server, 0);
	row = only_row(OP_CONNECT);
	assert_int_equal(row->failures, 3);
	assert_int_equal(row->tries, 3);
	assert_int_equal(row->recovered, 1);
	assert_int_equal(row->pauses.shortest_ns, 100 * MS);
	assert_int_equal(row->pauses.longest_ns, 391 * MS);
	assert_in_range(pauses_median(&row->pauses), 175 * MS, 223 * MS);
	assert_int_equal(row->spin, 1);
	assert_words(row, "then connected, at the latest after");
	assert_false(has_finding("connect-retry"));
}

static void test_connect_gives_up(void **state)
{
	const struct trouble *row;
	struct event event = made_event(OP_EXIT, CLIENT, -1, 0);

	(void)state;
	fault_connect(5, made_socket(CLIENT, 5), ECONNREFUSED);
	made_pause(4 * MS);
	event.result = 7;
	made_play(event);
	row = only_row(OP_CONNECT);
	assert_int_equal(row->exited, 1);
	assert_int_equal(row->status, 7);
	assert_int_equal(row->exit_ns, 5 * MS);
	assert_words(row, "not tried again; the process exited with status 7, 5 ms after it");
}

/* Two programs have a row each, two rules too; several failures in a row are one episode. */
static void test_rows(void **state)
{
	struct event event = made_event(OP_SOCKET, CLIENT, -1, 0);

	(void)state;
	fault(event, ENOBUFS);
	fault(event, ENOMEM);
	made_socket(CLIENT, 5);
	fault(event, ENOBUFS);
	made_socket(CLIENT, 6);
	event.process = SERVER;
	fault(event, ENOBUFS);
	audit_finish(audit);
	assert_int_equal(HASH_COUNT(audit->recovery.rows), 3);
	assert_int_equal(row_of_call(OP_SOCKET)->failures, 2);
	assert_int_equal(row_of_call(OP_SOCKET)->episodes, 2);
	assert_int_equal(row_of_call(OP_SOCKET)->recovered, 2);
	assert_words(row_of_call(OP_SOCKET), "then succeeded (each of 2 times)");
}

/* The program learns of it later, and is told of once. */
static void test_connect_that_does_not_wait(void **state)
{
	uint32_t sock = made_socket(CLIENT, 5);
	const struct destination *row;

	(void)state;
	fault_connect(5, sock, EINPROGRESS);
	row = made_destination_row(HTTP);
	assert_int_equal(row->made, 0);
	assert_int_equal(row->pending, 0);
	assert_int_equal(row->failed.total, 1);
	made_connect(CLIENT, 5, sock, client, server, ETIMEDOUT);
	assert_int_equal(row->failed.total, 1);
	assert_int_equal(errors_count(&row->failed, ETIMEDOUT), 1);
	assert_int_equal(row_of_call(OP_CONNECT)->failures, 1);
	made_connect(CLIENT, 5, sock, client, server, EINPROGRESS);
	assert_int_equal(row->pending, 1);
	assert_int_equal(only_row(OP_CONNECT)->pending, 1);
	assert_words(row_of_call(OP_CONNECT), "how the last try went is not known");
}

static void test_accept_tells_how_it_went(void **state)
{
	uint32_t sock = made_socket(CLIENT, 5);

	(void)state;
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	fault_connect(5, sock, ECONNREFUSED);
	made_connect(CLIENT, 5, sock, client, server, EINPROGRESS);
	made_accept(SERVER, 3, 4, server, client);
	assert_int_equal(only_row(OP_CONNECT)->recovered, 1);
}

static void test_send_fails_and_a_new_connection_is_made(void **state)
{
	uint32_t sock = made_socket(CLIENT, 5);
	const struct trouble *row;
	struct event event;

	(void)state;
	made_connect(CLIENT, 5, sock, client, server, 0);
	event = made_event(OP_SEND, CLIENT, 5, sock);
	made_ends(&event, &client, &server);
	fault(event, ECONNRESET);
	made_close(CLIENT, 5, sock);
	made_connect(CLIENT, 5, made_socket(CLIENT, 5), client, server, 0);
	row = only_row(OP_SEND);
	assert_int_equal(row->closed, 1);
	assert_int_equal(row->reconnected, 1);
	assert_int_equal(made_destination_row(HTTP)->failed.total, 0); /* no failed connection */
	assert_int_equal(made_destination_row(HTTP)->made, 2);
	assert_words(row, "the socket was closed; connected anew");
}

/* What is sent on a connection, and told of because a rule delayed it, makes none. */
static void test_delays_make_no_connections(void **state)
{
	struct event event;
	uint32_t sock;

	(void)state;
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	sock = made_accept(SERVER, 3, 4, server, client);
	event = made_event(OP_SEND, SERVER, 4, sock);
	event.verdict = VERDICT_DELAYED;
	made_ends(&event, &server, &client);
	made_play(event);
	event.kind = OP_RECV;
	made_error(event, EAGAIN);
	made_play(event);
	assert_null(audit->ledger.destinations);
	assert_int_equal(made_listener_row(HTTP)->peers, 0);
	audit_finish(audit);
	assert_null(audit->recovery.rows);
}

/* Linux closes the descriptor, whatever close says. */
static void test_a_failed_close_has_closed(void **state)
{
	static const int errors[] = {EIO, EINTR, EBADF};

	(void)state;
	for (int i = 0; i < 3; i++) {
		uint32_t sock = made_socket(CLIENT, 5 + i);

		made_connect(CLIENT, 5 + i, sock, made_end(2, (uint16_t)(40000 + i)), server, 0);
		fault(made_event(OP_CLOSE, CLIENT, 5 + i, sock), errors[i]);
	}
	assert_int_equal(audit->life.open.now, 0);
	audit_finish(audit);
	assert_int_equal(made_leaks(), 0);
	assert_words(row_of_call(OP_CLOSE), "closed all the same");
}

/* But a bad descriptor is none. */
static void test_a_bad_close_has_not(void **state)
{
	uint32_t sock = made_socket(CLIENT, 5);

	(void)state;
	made_error(made_event(OP_CLOSE, CLIENT, 5, sock), EBADF);
	assert_int_equal(audit->life.open.now, 1);
}

static void test_last_words(void **state)
{
	(void)state;
	made_slot(3, ORIGIN_ROOT, 0, 300, "victim");
	audit_at(audit, 3)->is_running = false;
	fault(made_event(OP_SOCKET, 3, -1, 0), EMFILE);
	assert_int_equal(only_row(OP_SOCKET)->last_words, 1);
	assert_words(row_of_call(OP_SOCKET), "ended without exit");
	assert_true(has_finding("last-words"));
}

static void test_a_call_that_spins(void **state)
{
	(void)state;
	for (int i = 0; i < 150; i++)
		fault(made_event(OP_SOCKET, CLIENT, -1, 0), ENOBUFS);
	made_socket(CLIENT, 5);
	only_row(OP_SOCKET);
	assert_true(has_finding("call-spin"));
}

/* Perhaps by many who do not know of each other. */
static void test_a_few_at_once_are_no_spin(void **state)
{
	(void)state;
	for (int i = 0; i < 80; i++)
		fault(made_event(OP_SOCKET, CLIENT, -1, 0), ENOBUFS);
	only_row(OP_SOCKET);
	assert_false(has_finding("call-spin"));
}

/* Who looks for the highest limit that he may have asks often. */
static void test_limits_are_asked_for(void **state)
{
	struct event event = made_event(OP_LIMIT, CLIENT, -1, 0);

	(void)state;
	event.verdict = VERDICT_LIMITED;
	for (int i = 0; i < 600; i++)
		made_error(event, EPERM);
	audit_finish(audit);
	assert_null(audit->recovery.rows);
}

static void resolve(int result)
{
	struct event event = made_event(OP_RESOLVE, CLIENT, -1, 0);

	event.text = "db.test";
	event.text_len = strlen(event.text);
	event.result = result;
	event.verdict = result ? VERDICT_FAILED : VERDICT_PASSED;
	made_play(event);
}

static void test_names(void **state)
{
	const struct trouble *row;

	(void)state;
	resolve(-3);
	resolve(0);
	row = only_row(OP_RESOLVE);
	assert_int_equal(row->recovered, 1);
	assert_string_equal(trouble_error(audit, row), "EAI_AGAIN");
	assert_string_equal(trouble_place(row), "db.test");
}

/* However many there are, no more rows than that. */
static void test_rows_are_bounded(void **state)
{
	struct event event = made_event(OP_CONNECT, CLIENT, 5, 0);
	uint64_t failures = 0;

	(void)state;
	for (uint32_t i = 0; i < RECOVERY_ROWS_MAX + 100; i++) {
		struct endpoint end = made_end((uint8_t)(i >> 12), (uint16_t)(1 + i % 4096));

		made_ends(&event, NULL, &end);
		fault(event, ETIMEDOUT);
	}
	assert_int_equal(HASH_COUNT(audit->recovery.rows), RECOVERY_ROWS_MAX + 1);
	for (const struct trouble *row = audit->recovery.rows; row; row = row->hh.next)
		failures += row->failures;
	assert_int_equal(failures, RECOVERY_ROWS_MAX + 100);
}

/* ---- pauses ---- */

static void test_median(void **state)
{
	struct pauses pauses = {.count = 0};

	(void)state;
	assert_int_equal(pauses_median(&pauses), 0);
	for (uint64_t ns = 1; ns < UINT64_C(1) << 60; ns *= 2) {
		pauses = (struct pauses){.count = 0};
		pauses_add(&pauses, 0);
		pauses_add(&pauses, ns);
		pauses_add(&pauses, ns);
		pauses_add(&pauses, UINT64_MAX);
		if (ns >= 4000 && ns < UINT64_C(1) << 40)
			assert_in_range(pauses_median(&pauses), ns - ns / 8, ns + ns / 8);
	}
	assert_int_equal(pauses.longest_ns, UINT64_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
	        TEST(test_what_succeeds_is_no_trouble),
	        TEST(test_accept_spins_then_serves),
	        TEST(test_accept_pauses),
	        TEST(test_accept_stops),
	        TEST(test_connect_backs_off),
	        TEST(test_connect_gives_up),
	        TEST(test_rows),
	        TEST(test_connect_that_does_not_wait),
	        TEST(test_accept_tells_how_it_went),
	        TEST(test_send_fails_and_a_new_connection_is_made),
	        TEST(test_delays_make_no_connections),
	        TEST(test_a_failed_close_has_closed),
	        TEST(test_a_bad_close_has_not),
	        TEST(test_last_words),
	        TEST(test_a_call_that_spins),
	        TEST(test_a_few_at_once_are_no_spin),
	        TEST(test_limits_are_asked_for),
	        TEST(test_names),
	        TEST(test_rows_are_bounded),
	        cmocka_unit_test(test_median),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
