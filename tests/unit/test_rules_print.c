/* SPDX-License-Identifier: MIT */
/* test_rules_print.c - whatever is printed parses to the same rule, for rules made by
 * chance out of all that the language has. The seed is fixed: a failure comes again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/text.h"
#include "tests/unit/compile_rules.h"

enum { ROUNDS = 20000, ONE_TEXT = 2048 };

/* xorshift64 */
static uint64_t seed = 20260401;

static unsigned chance(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 32) % n;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ONE_OF(list) (list)[chance((unsigned)COUNT(list))]

static struct text rule_text;

static void word(const char *string)
{
	text_char(&rule_text, ' ');
	text_put(&rule_text, string);
}

static void number(unsigned value)
{
	text_unsigned(&rule_text, value);
}

/* LOW or LOW-HIGH, from least on. */
static void ports(unsigned least)
{
	unsigned low = least + chance(65536 - least);

	number(low);
	if (chance(2)) {
		text_char(&rule_text, '-');
		number(low + chance(65536 - low));
	}
}

static void address(void)
{
	static const char *const addresses[] = {
	        "127.0.0.1", "0.0.0.0",           "10.200.3.44",     "[::]",
	        "[::1]",     "[2001:db8:0:1::5]", "[::ffff:1.2.3.4]"};

	text_put(&rule_text, ONE_OF(addresses));
}

/* Host bits may be set: that is a warning. */
static void ip_endpoint(void)
{
	static const char *const v6[] = {"2001:db8::7/48", "::/0", "fe80::1", "::1/128"};

	text_char(&rule_text, ' ');
	switch (chance(5)) {
	case 0:
		text_put(&rule_text, ONE_OF(v6));
		return;
	case 1:
		text_put(&rule_text, "10.77.1.99/");
		number(chance(33));
		break;
	case 2:
		text_put(&rule_text, "[2001:db8:ffff:ffff::1]/");
		number(chance(129));
		break;
	case 3:
		address();
		break;
	default:
		text_put(&rule_text, chance(2) ? "*:" : ":");
		ports(0);
		return;
	}
	if (chance(2)) {
		text_char(&rule_text, ':');
		ports(0);
	}
}

static void endpoint(bool is_unix)
{
	static const char *const paths[] = {"/run/x.sock",    "./x*",    "@name?", "\"/a b;c\"",
	                                    "\"@\\\"q\\\\\"", "\"app\"", "/a\\b#", "\"10.0.0.1 \""};

	if (chance(10) == 0)
		word("*");
	else if (is_unix)
		word(ONE_OF(paths));
	else
		ip_endpoint();
}

static void duration(const char *name)
{
	static const char *const units[] = {"us", "ms", "s", "m", "h"};

	word(name);
	text_char(&rule_text, ' ');
	number(chance(2000));
	if (chance(3) == 0) {
		text_char(&rule_text, '.');
		text_digits(&rule_text, chance(1000), 3);
	}
	text_put(&rule_text, ONE_OF(units));
}

static void program(void)
{
	static const char *const names[] = {"nginx", "/usr/bin/*", "\"a b\"", "\"#x\"",
	                                    "to",    "\"\\\\\"",   "a\\b",    "\xc3\xa4?"};

	if (chance(3) == 0) {
		word("in ");
		text_put(&rule_text, ONE_OF(names));
	}
}

static void turns(void)
{
	unsigned from = 1 + chance(50);

	if (chance(3) == 0) {
		word("when ");
		number(from);
		if (chance(2)) {
			text_put(&rule_text, "..");
			number(from + chance(9));
		}
		if (chance(2)) {
			text_char(&rule_text, '+');
			number(1 + chance(3));
		}
	}
	if (chance(3) == 0) {
		word("probability ");
		number(chance(100));
		text_char(&rule_text, '.');
		text_digits(&rule_text, chance(10000), 4);
		text_char(&rule_text, '%');
	}
	if (chance(3) == 0)
		duration("after");
	if (chance(3) == 0)
		duration("for");
	if (chance(3) == 0) {
		word("while ");
		number(1 + chance(1000));
	}
}

static void error(bool must)
{
	static const char *const errors[] = {"ECONNREFUSED", "EMFILE", "EINTR", "ENOMEM",
	                                     "ENOTSUP"};

	if (!must && chance(2))
		return;
	word(chance(2) ? "error " : "error! ");
	text_put(&rule_text, ONE_OF(errors));
}

/* Protocol, and endpoints as the call has them. */
static void match(const char *call, bool has_unix)
{
	static const char *const protos[] = {"tcp", "udp", "any", ""};
	bool is_local = strcmp(call, "bind") == 0 || strcmp(call, "listen") == 0;
	bool is_unix = has_unix && chance(5) == 0, has_named;

	if (strcmp(call, "getaddrinfo") == 0)
		return;
	word(is_unix ? "unix" : ONE_OF(protos));
	if (strcmp(call, "socket") == 0 || strcmp(call, "close") == 0)
		return;
	has_named = chance(2);
	if (has_named)
		endpoint(is_unix);
	if (!(has_named && is_local) && chance(3) == 0) {
		word("local");
		endpoint(is_unix);
	}
	if (!is_local && !has_named && chance(3) == 0) {
		word("remote");
		endpoint(is_unix);
	}
}

/* Before the peer of an accept is known. */
static void match_listener(void)
{
	if (chance(2))
		word("tcp");
	if (chance(2)) {
		word("local");
		endpoint(false);
	}
}

static void policy(void)
{
	static const char *const calls[] = {"socket", "bind", "listen", "connect",
	                                    "accept", "send", "any"};
	const char *call = ONE_OF(calls);
	bool is_deny = chance(2);

	text_put(&rule_text, is_deny ? "deny " : "allow ");
	text_put(&rule_text, call);
	match(call, true);
	program();
	if (is_deny)
		error(false);
}

static void move(void)
{
	static const char *const calls[] = {"bind", "connect", "send", "any"};
	const char *call = ONE_OF(calls);
	bool is_bind = strcmp(call, "bind") == 0;

	text_put(&rule_text, "move ");
	text_put(&rule_text, call);
	match(call, false);
	word("to ");
	if (is_bind && chance(5) == 0) {
		text_put(&rule_text, "auto");
	} else if (chance(2)) {
		address();
	} else {
		if (chance(2))
			address();
		text_char(&rule_text, ':');
		if (is_bind)
			ports(0);
		else
			number(1 + chance(65535));
	}
	program();
}

/* Without a local port other than 0. */
static void assign(void)
{
	static const char *const rules[] = {"assign bind tcp :0",
	                                    "assign bind",
	                                    "assign listen udp",
	                                    "assign connect any :443",
	                                    "assign any",
	                                    "assign bind 10.0.0.1:0",
	                                    "assign any any 1.2.3.4:5",
	                                    "assign send udp remote :53 local 10.0.0.1"};

	text_put(&rule_text, ONE_OF(rules));
	program();
	word("from ");
	if (chance(3))
		ports(1);
	else
		text_put(&rule_text, "auto");
}

static void limit(void)
{
	static const char *const kinds[] = {"fds", "sockets", "backlog", "connections"};
	const char *kind = ONE_OF(kinds);

	text_put(&rule_text, "limit ");
	switch (chance(3)) {
	case 0:
		text_put(&rule_text, "memory");
		text_put(&rule_text, chance(2) ? " error ENOMEM" : chance(2) ? " error! EIO" : "");
		if (chance(2)) {
			word("when ");
			number(1 + chance(5));
			text_put(&rule_text, chance(2) ? "" : chance(2) ? "+" : "..9+2");
		}
		break;
	case 1:
		text_put(&rule_text, "ports ");
		ports(1);
		break;
	default:
		text_put(&rule_text, kind);
		text_char(&rule_text, ' ');
		number(chance(100000));
		if (strcmp(kind, "sockets") == 0 && chance(2))
			word("tree");
		if (strcmp(kind, "connections") == 0 && chance(2)) {
			word("to");
			ip_endpoint();
			error(false);
		}
	}
	program();
}

static void fault(void)
{
	static const char *const calls[] = {"socket", "bind", "listen", "connect", "accept",
	                                    "send",   "recv", "any",    "close",   "getaddrinfo"};
	const char *call = ONE_OF(calls);
	bool is_delay = chance(2);

	text_put(&rule_text, is_delay ? "delay " : "fail ");
	text_put(&rule_text, call);
	if (strcmp(call, "accept") == 0)
		match_listener();
	else
		match(call, true);
	program();
	if (is_delay)
		duration("by");
	else
		error(true);
	if (is_delay && chance(2))
		duration("jitter");
	turns();
}

static void make_rule(char *buf)
{
	static void (*const makers[])(void) = {policy, policy, move, assign, limit, fault, fault};

	rule_text = text_on(buf, ONE_TEXT);
	ONE_OF(makers)();
	assert_false(rule_text.cut);
}

/* Parse what was printed: it is the same rule, and is printed the same. */
static void check_again(const struct rules *rules, const char *printed)
{
	char again[RULE_TEXT_MAX];
	struct made *made = make_rules(printed);

	if (made->errors || !is_same_rule(rules, rules->rule, made->rules, made->rules->rule))
		fail_msg("not the same: %s\n%s", printed, made->said);
	rule_print(again, sizeof(again), made->rules, made->rules->rule);
	assert_string_equal(again, printed);
	free_rules(made);
}

static void prints_what_it_parses(void **state)
{
	char text[ONE_TEXT], printed[RULE_TEXT_MAX];

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct made *made;

		make_rule(text);
		made = make_rules(text);
		if (made->errors)
			fail_msg("%s\n%s", text, made->said);
		rule_print(printed, sizeof(printed), made->rules, made->rules->rule);
		check_again(made->rules, printed);
		free_rules(made);
	}
}

/* The same rules, all in one set: their strings do not mix. */
static void prints_whole_sets(void **state)
{
	static char text[400 * ONE_TEXT], printed[400 * RULE_TEXT_MAX];
	struct made *made, *again;
	size_t len = 0;

	(void)state;
	for (unsigned i = 0; i < 400; i++) {
		make_rule(text + len);
		len += rule_text.len;
		text[len++] = i % 2 ? '\n' : ';';
	}
	text[len] = '\0';
	made = make_rules(text);
	assert_int_equal(made->errors, 0);
	assert_int_equal(made->rules->count, 400);
	len = 0;
	for (unsigned i = 0; i < 400; i++) {
		len += rule_print(printed + len, sizeof(printed) - len, made->rules,
		                  &made->rules->rule[i]);
		printed[len++] = '\n';
	}
	printed[len] = '\0';
	again = make_rules(printed);
	assert_int_equal(again->errors, 0);
	for (unsigned i = 0; i < 400; i++)
		assert_true(is_same_rule(made->rules, &made->rules->rule[i], again->rules,
		                         &again->rules->rule[i]));
	free_rules(made);
	free_rules(again);
}

static void cuts_what_has_no_room(void **state)
{
	struct made *made = make_rules("deny connect tcp 10.0.0.1:80 in name");
	char buf[12];

	(void)state;
	assert_int_equal(rule_print(buf, sizeof(buf), made->rules, made->rules->rule), 11);
	assert_string_equal(buf, "deny connec");
	free_rules(made);
}

/* Any bytes may stand in a session: nothing outside of the set is read. */
static void survives_damage(void **state)
{
	struct made *made = make_rules("deny connect in name");
	char buf[RULE_TEXT_MAX];
	struct rule damaged;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		for (size_t k = 0; k < sizeof(damaged); k++)
			((unsigned char *)&damaged)[k] = (unsigned char)chance(256);
		if (i % 2)
			damaged.action = (uint8_t)(i / 2 % ACTIONS);
		assert_in_range(rule_print(buf, sizeof(buf), made->rules, &damaged), 1,
		                sizeof(buf) - 1);
	}
	free_rules(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(prints_what_it_parses),
	        cmocka_unit_test(prints_whole_sets),
	        cmocka_unit_test(cuts_what_has_no_room),
	        cmocka_unit_test(survives_damage),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
