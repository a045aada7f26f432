/* SPDX-License-Identifier: MIT */
/* test_findings.c - each finding: it is there when it should be, and not else. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/make_events.h"
#include "tests/unit/make_sets.h"
#include "tools/findings.h"

enum { MANY = 500 };

static struct findings findings;

static int end_findings(void **state)
{
	findings_free(&findings);
	return end(state);
}

static const struct finding *find(const char *id)
{
	for (size_t i = 0; i < findings.count; i++)
		if (strcmp(findings.list[i].kind->id, id) == 0)
			return &findings.list[i];
	return NULL;
}

/* Only this one is found; NULL: nothing is. */
static const struct finding *only(const char *id)
{
	audit_finish(audit);
	findings = findings_of(audit);
	assert_int_equal(findings.count, id ? 1 : 0);
	if (id)
		assert_string_equal(findings.list[0].kind->id, id);
	return findings.list;
}

static void call_once(uint16_t port)
{
	uint32_t sock = made_socket(CLIENT, 5);

	made_connect(CLIENT, 5, sock, made_end(2, port), server, 0);
	made_close(CLIENT, 5, sock);
}

static void test_nothing(void **state)
{
	(void)state;
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	call_once(40000);
	only(NULL);
}

static void test_fds_exhausted(void **state)
{
	(void)state;
	made_error(made_event(OP_SOCKET, CLIENT, -1, 0), EMFILE);
	made_error(made_event(OP_SOCKET, CLIENT, -1, 0), ENOBUFS);
	assert_non_null(strstr(only("fds-exhausted")->evidence, "1 call failed"));
}

static void test_ports_exhausted(void **state)
{
	(void)state;
	call_once(40000);
	made_connect(CLIENT, 5, made_socket(CLIENT, 5), client, server, EADDRNOTAVAIL);
	made_connect(CLIENT, 6, made_socket(CLIENT, 6), client, made_end(9, 7), EADDRNOTAVAIL);
	assert_string_equal(only("ports-exhausted")->subject, "client -> 10.0.0.1:80");
}

static void fail_accepts(int count, uint64_t pause_ns)
{
	made_listener(SERVER, 3, server, LINE_REUSEADDR);
	for (int i = 0; i < count; i++) {
		made_error(made_event(OP_ACCEPT, SERVER, 3, 0), EMFILE);
		made_pause(pause_ns);
	}
	audit_finish(audit);
	findings = findings_of(audit);
}

static void test_accept_spins(void **state)
{
	(void)state;
	fail_accepts(10, 0);
	assert_non_null(find("accept-spin"));
	assert_int_equal(find("accept-spin")->weight, 10);
	assert_ptr_equal(find("fds-exhausted"), &findings.list[0]); /* the cause comes first */
}

static void test_accept_waits(void **state)
{
	(void)state;
	fail_accepts(10, 50 * MADE_STEP_NS);
	assert_null(find("accept-spin"));
}

static void test_connect_retries(void **state)
{
	uint32_t sock = made_socket(CLIENT, 5);

	(void)state;
	for (int i = 0; i < 5; i++)
		made_connect(CLIENT, 5, sock, client, server, ECONNREFUSED);
	made_close(CLIENT, 5, sock);
	assert_int_equal(only("connect-retry")->weight, 5);
}

static void test_connect_backs_off(void **state)
{
	uint32_t sock = made_socket(CLIENT, 5);

	(void)state;
	for (int i = 0; i < 20; i++) {
		made_connect(CLIENT, 5, sock, client, server, ECONNREFUSED);
		made_pause(20 * MADE_STEP_NS);
	}
	made_close(CLIENT, 5, sock);
	only(NULL);
}

static void test_many_processes_fail_once(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t slot = 10 + i, sock;

		made_root(slot, 1000 + i, "client");
		sock = made_socket(slot, 5);
		made_connect(slot, 5, sock, client, server, ECONNREFUSED);
		made_close(slot, 5, sock);
	}
	only(NULL);
}

static void bind_and_connect(uint16_t port, unsigned flags)
{
	uint32_t sock = made_socket(CLIENT, 5);

	made_bind(CLIENT, 5, sock, made_end(2, port), flags);
	made_connect(CLIENT, 5, sock, made_end(2, port ? port : 40000), server, 0);
	made_close(CLIENT, 5, sock);
}

static void test_bind_before_connect(void **state)
{
	(void)state;
	bind_and_connect(40001, 0);
	only("bind-before-connect");
}

static void test_bind_that_takes_no_port(void **state)
{
	(void)state;
	bind_and_connect(0, LINE_NO_PORT);
	bind_and_connect(1023, 0); /* a port of its own choice: bind was needed */
	only(NULL);
}

static void test_client_closes_first(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < MANY; i++)
		call_once(40000 + i);
	assert_non_null(strstr(only("client-closes-first")->evidence, "unless the server had"));
}

static void test_client_closes_seldom(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < MANY; i++) {
		call_once(40000 + i);
		made_pause(1000 * (uint64_t)MADE_STEP_NS);
	}
	only(NULL);
}

static void test_never_closed(void **state)
{
	(void)state;
	for (int fd = 5; fd < 8; fd++)
		made_connect(CLIENT, fd, made_socket(CLIENT, fd), client, server, ECONNREFUSED);
	made_exit(CLIENT);
	assert_int_equal(only("never-closed")->weight, 3);
}

static void test_few_fds(void **state)
{
	struct reader_process info = {
	        .slot = CLIENT, .pid = 200, .fd_peak = 90, .fd_limit = 100, .name = "client"};

	(void)state;
	audit_process(audit, &info, false);
	only("fds-low");
}

static void test_few_ports(void **state)
{
	(void)state;
	audit->port_low = 40000;
	audit->port_high = 40004;
	for (uint16_t i = 0; i < 4; i++)
		made_connect(CLIENT, 5 + i, made_socket(CLIENT, 5 + i), made_end(2, 40000 + i),
		             server, 0);
	only("ports-low");
}

static void test_no_reuseaddr(void **state)
{
	(void)state;
	made_listener(SERVER, 3, server, 0);
	made_listener(SERVER, 4, made_end(1, 50000), 0); /* a port that changes anyway */
	assert_non_null(strstr(only("no-reuseaddr")->subject, "server[100] 10.0.0.1:80"));
}

static void test_any_address(void **state)
{
	struct endpoint any = {.ip.byte = {[10] = 0xff, [11] = 0xff}, .port = HTTP};

	(void)state;
	made_listener(SERVER, 3, any, LINE_REUSEADDR);
	assert_non_null(strstr(only("any-address")->subject, "0.0.0.0:80"));
}

static void test_order(void **state)
{
	struct endpoint any = {.port = HTTP};

	(void)state;
	made_listener(SERVER, 3, any, 0);
	bind_and_connect(40001, 0);
	made_error(made_event(OP_SOCKET, CLIENT, -1, 0), EMFILE);
	audit_finish(audit);
	findings = findings_of(audit);
	assert_int_equal(findings.count, 4);
	for (size_t i = 1; i < findings.count; i++)
		assert_true(findings.list[i - 1].kind->severity <= findings.list[i].kind->severity);
	assert_int_equal(findings_count(&findings, SEVERITY_PROBLEM), 1);
	assert_int_equal(findings_count(&findings, SEVERITY_NOTE), 2);
}

static void test_rules_that_never_matched(void **state)
{
	struct rules *rules = made_rules(15);
	struct ruleset set = {.rules = rules, .number = 1};
	struct rulesets sets = {.set = &set, .count = 1};
	const struct finding *finding;

	(void)state;
	rules->rule[0].matched = 1;
	audit->rules = &sets;
	finding = only("rule-never-matched");
	assert_string_equal(finding->subject, "14 rules");
	assert_non_null(strstr(finding->evidence, "rule 2 (web.rules:2), rule 3"));
	assert_non_null(strstr(finding->evidence, "rule 11 (web.rules:11) and 4 others"));
	free(rules);
}

static void test_rules_that_matched(void **state)
{
	struct rules *rules = made_rules(1);
	struct ruleset set[] = {{.rules = made_rules(1)}, {.rules = rules}};
	struct rulesets sets = {.set = set, .count = 2};

	(void)state;
	rules->rule[0].matched = 1; /* what an older set had does not matter */
	audit->rules = &sets;
	only(NULL);
	free(set[0].rules);
	free(rules);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end_findings)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_nothing),
	        TEST(test_fds_exhausted),
	        TEST(test_ports_exhausted),
	        TEST(test_accept_spins),
	        TEST(test_accept_waits),
	        TEST(test_connect_retries),
	        TEST(test_connect_backs_off),
	        TEST(test_many_processes_fail_once),
	        TEST(test_bind_before_connect),
	        TEST(test_bind_that_takes_no_port),
	        TEST(test_client_closes_first),
	        TEST(test_client_closes_seldom),
	        TEST(test_never_closed),
	        TEST(test_few_fds),
	        TEST(test_few_ports),
	        TEST(test_no_reuseaddr),
	        TEST(test_any_address),
	        TEST(test_order),
	        TEST(test_rules_that_never_matched),
	        TEST(test_rules_that_matched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
