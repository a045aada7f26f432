/* SPDX-License-Identifier: MIT */
/* test_shortage.c - why ports ran out, from made-up events. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/make_events.h"
#include "tests/unit/make_sets.h"
#include "tools/findings.h"

#define SECOND_NS ((uint64_t)1000000000)

static bool has_finding(const char *id)
{
	struct findings findings = findings_of(audit);
	bool found = false;

	for (size_t i = 0; i < findings.count; i++)
		found |= strcmp(findings.list[i].kind->id, id) == 0;
	findings_free(&findings);
	return found;
}

static void close_first(int count)
{
	for (int i = 0; i < count; i++) {
		uint32_t sock = made_socket(CLIENT, 5);

		made_connect(CLIENT, 5, sock, made_end(2, (uint16_t)(40000 + i)), server, 0);
		made_close(CLIENT, 5, sock);
	}
}

static const struct finding *finding_of(const struct findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->list[i].kind->id, id) == 0)
			return &findings->list[i];
	fail_msg("there is no %s", id);
	return NULL;
}

static void run_out(enum verdict_kind verdict)
{
	struct event event = made_event(OP_CONNECT, CLIENT, 5, made_socket(CLIENT, 5));

	made_ends(&event, NULL, &server);
	event.verdict = verdict;
	event.rule = verdict == VERDICT_PASSED ? 0 : 1;
	event.set = 1;
	made_error(event, EADDRNOTAVAIL);
	audit_finish(audit);
}

/* A range of 16 ports by a rule, all of them resting. */
static void test_churn_under_a_limit(void **state)
{
	struct rules *rules = made_rules(1);
	struct ruleset set = {.rules = rules, .number = 1};
	struct rulesets sets = {.set = &set, .count = 1};
	struct findings findings;
	const char *evidence;

	(void)state;
	rules->rule[0].action = ACTION_LIMIT;
	rules->rule[0].limit = LIMIT_PORTS;
	rules->rule[0].amount = 16;
	rules->rule[0].ports = UINT32_C(40000) << 16 | 40015;
	rules->rule[0].matched = 1;
	audit->rules = &sets;
	close_first(16);
	made_pause(2 * SECOND_NS);
	run_out(VERDICT_LIMITED);
	findings = findings_of(audit);
	evidence = finding_of(&findings, "ports-limited")->evidence;
	assert_non_null(strstr(evidence, "1 call failed with EADDRNOTAVAIL; at the first of them "
	                                 "this session had 0 open to it, of 16 ports "
	                                 "(40000-40015, rule 1), and had closed 16 within 60 s"));
	assert_false(has_finding("ports-exhausted"));
	assert_false(has_finding("ports-churned"));
	findings_free(&findings);
	free(rules);
}

/* What was closed more than a minute before rests no more. */
static void test_rest_is_over(void **state)
{
	(void)state;
	audit->port_low = 40000;
	audit->port_high = 40015;
	close_first(15);
	made_pause(61 * SECOND_NS);
	run_out(VERDICT_PASSED);
	assert_int_equal(made_destination_row(HTTP)->shortage.closed_unknown, 0);
	assert_true(has_finding("ports-exhausted"));
}

static void test_churn_of_the_host(void **state)
{
	(void)state;
	audit->port_low = 40000;
	audit->port_high = 40015;
	close_first(15);
	run_out(VERDICT_PASSED);
	assert_int_equal(made_destination_row(HTTP)->shortage.closed_unknown, 15);
	assert_true(has_finding("ports-churned"));
}

static void test_a_fault_is_no_shortage(void **state)
{
	(void)state;
	close_first(15);
	run_out(VERDICT_FAILED);
	assert_int_equal(made_destination_row(HTTP)->shortage.count, 0);
	assert_false(has_finding("ports-exhausted"));
}

static void test_bind_finds_no_port(void **state)
{
	struct event event = made_event(OP_BIND, CLIENT, 5, made_socket(CLIENT, 5));
	struct endpoint any = made_end(2, 0);

	(void)state;
	made_ends(&event, &any, NULL);
	event.arg = 1;
	made_error(event, EADDRINUSE);
	any.port = 8080; /* that one is taken: no shortage */
	made_ends(&event, &any, NULL);
	event.arg = -1;
	made_error(event, EADDRINUSE);
	audit_finish(audit);
	assert_int_equal(audit->bind_short.count, 1);
	assert_true(has_finding("binds-exhausted"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
	        TEST(test_churn_under_a_limit), TEST(test_rest_is_over),
	        TEST(test_churn_of_the_host),   TEST(test_a_fault_is_no_shortage),
	        TEST(test_bind_finds_no_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
