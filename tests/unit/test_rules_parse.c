/* SPDX-License-Identifier: MIT */
/* test_rules_parse.c - what the rules of the language are read as. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/compile_rules.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Rules, and the form in which they are printed; NULL: as they stand. */
static const struct {
	const char *text, *printed;
} forms[] = {
        {"allow any", "allow any any"},
        {"allow bind tcp 127.0.0.1:8080", NULL},
        {"  deny\tbind   tcp  :1-1023 error EACCES  # why\r", "deny bind tcp :1-1023 error EACCES"},
        {"deny bind :80", "deny bind any :80"},
        {"deny bind *:80", "deny bind any :80"},
        {"deny bind *", "deny bind any"},
        {"deny bind local :80", "deny bind any :80"},
        {"deny connect remote :80 local 10.0.0.1", "deny connect any :80 local 10.0.0.1"},
        {"deny accept udp 10.0.0.0/8 local :53-54", NULL},
        {"deny listen tcp [::1]:80", NULL},
        {"deny send udp 2001:DB8::/32", "deny send udp [2001:db8::]/32"},
        {"deny send udp [2001:db8::]/32:7", NULL},
        {"deny bind ::1", "deny bind any [::1]"},
        {"deny bind ::", "deny bind any [::]"},
        {"deny bind [::ffff:10.0.0.0]/104", "deny bind any 10.0.0.0/8"},
        {"deny bind 0.0.0.0/0", "deny bind any 0.0.0.0/0"},
        {"deny bind [::]/0:1", "deny bind any [::]/0:1"},
        {"deny bind :0-65535", "deny bind any :0-65535"},
        {"deny bind :0080", "deny bind any :80"},
        {"deny any 10.0.0.0/8:80", "deny any any 10.0.0.0/8:80"},
        {"deny any udp :1 local :2", NULL},
        {"deny any tcp local :2 remote :1", NULL},
        {"deny any any *", "deny any any"},
        {"deny socket unix", NULL},
        {"deny socket in a*b?", "deny socket any in a*b?"},
        {"deny connect error! EMFILE in x", "deny connect any in x error! EMFILE"},
        {"deny connect error EWOULDBLOCK", "deny connect any error EAGAIN"},
        {"deny connect in \"a b\"", "deny connect any in \"a b\""},
        {"deny connect in \"a\\\"\\\\b\"", "deny connect any in \"a\\\"\\\\b\""},
        {"deny connect in \"plain\"", "deny connect any in plain"},
        {"deny connect in \"#a\"", "deny connect any in \"#a\""},
        {"deny connect in a#b", "deny connect any in a#b"},
        {"deny connect in a\\b", "deny connect any in a\\b"},
        {"deny connect in \"x;y\"", "deny connect any in \"x;y\""},
        {"deny connect in to", "deny connect any in to"},
        {"deny connect in \xc3\xa9", "deny connect any in \xc3\xa9"},
        {"deny bind /run/x.sock", "deny bind unix /run/x.sock"},
        {"deny bind ./x", "deny bind unix ./x"},
        {"deny bind unix \"./a b\"", NULL},
        {"deny bind unix \"app.sock\"", NULL},
        {"deny bind unix \"*\"", NULL},
        {"deny any @name*", "deny any unix @name*"},
        {"deny connect unix @", NULL},
        {"move bind tcp :80 to 127.0.0.1:8080", NULL},
        {"move bind tcp :80 to :8000-8010 in x", "move bind tcp :80 in x to :8000-8010"},
        {"move bind tcp :80 to ::1", "move bind tcp :80 to [::1]"},
        {"move bind tcp :80 to [::1]:0", NULL},
        {"move bind tcp to auto", NULL},
        {"move bind tcp to :auto", "move bind tcp to auto"},
        {"move bind tcp to 127.0.0.1:auto", NULL},
        {"move connect to 10.0.0.1", "move connect any to 10.0.0.1"},
        {"move any 10.0.0.1 to :99", "move any any 10.0.0.1 to :99"},
        {"move send udp [::1]:1 to 10.0.0.1:2", NULL},
        {"assign bind tcp :0 from 20000-20999", NULL},
        {"assign bind tcp from 20000", "assign bind tcp :0 from 20000"},
        {"assign listen tcp from auto", NULL},
        {"assign connect udp 10.0.0.0/8 from 1-65535", NULL},
        {"assign any any 10.0.0.0/8:80 from 5", NULL},
        {"limit fds 256", NULL},
        {"limit fds 0 in x", NULL},
        {"limit sockets 64 tree", NULL},
        {"limit sockets 64 tree in a", "limit sockets 64 in a tree"},
        {"limit ports 16", NULL},
        {"limit ports 40000-40015", NULL},
        {"limit ports 7-7", NULL},
        {"limit connections 100", NULL},
        {"limit connections 100 error ETIMEDOUT to 10.0.0.5:5432",
         "limit connections 100 to 10.0.0.5:5432 error ETIMEDOUT"},
        {"limit backlog 4294967294", NULL},
        {"limit memory", NULL},
        {"limit memory error ENOMEM when 3", NULL},
        {"limit memory error! EIO", NULL},
        {"limit memory error ENOBUFS when 2+3 in x", "limit memory in x error ENOBUFS when 2+3"},
        {"limit connections 3 to :80 error EMFILE in x",
         "limit connections 3 in x to :80 error EMFILE"},
        {"fail accept tcp local :80 error EMFILE", NULL},
        {"delay accept local 10.0.0.1 by 1s", "delay accept any local 10.0.0.1 by 1s"},
        {"fail any tcp :80 error EINTR", NULL},
        {"fail any tcp local :1 remote :80 error EINTR", NULL},
        {"fail recv tcp 10.0.0.1 error ECONNRESET", NULL},
        {"fail recv udp error ECONNREFUSED", NULL},
        {"fail close any error EIO", NULL},
        {"fail getaddrinfo error EAI_AGAIN", NULL},
        {"fail getaddrinfo error EMFILE", NULL},
        {"fail any error EINTR", "fail any any error EINTR"},
        {"fail connect tcp error ETIMEDOUT when 3", NULL},
        {"fail connect tcp error ETIMEDOUT when 3+", NULL},
        {"fail connect tcp error ETIMEDOUT when 3+1", "fail connect tcp error ETIMEDOUT when 3+"},
        {"fail connect tcp error ETIMEDOUT when 1..3", NULL},
        {"fail connect tcp error ETIMEDOUT when 2+2", NULL},
        {"fail connect tcp error ETIMEDOUT when 2..10+4", NULL},
        {"fail connect tcp error ETIMEDOUT when 2..2+4", "fail connect tcp error ETIMEDOUT when 2"},
        {"fail connect tcp error ETIMEDOUT probability 5%", NULL},
        {"fail connect tcp error ETIMEDOUT probability 0.05",
         "fail connect tcp error ETIMEDOUT probability 5%"},
        {"fail connect tcp error ETIMEDOUT probability 0.0001%", NULL},
        {"fail connect tcp error ETIMEDOUT probability 12.50%",
         "fail connect tcp error ETIMEDOUT probability 12.5%"},
        {"fail connect tcp error ETIMEDOUT probability 1",
         "fail connect tcp error ETIMEDOUT probability 100%"},
        {"fail socket tcp after 5s for 10s error ENOBUFS",
         "fail socket tcp error ENOBUFS after 5s for 10s"},
        {"fail socket tcp error ENOBUFS when 2 probability 1% after 1ns for 1h while 50", NULL},
        {"delay connect tcp :443 by 200ms jitter 50ms", NULL},
        {"delay connect tcp by 1.5s", "delay connect tcp by 1500ms"},
        {"delay connect tcp by 1.000000001s", "delay connect tcp by 1000000001ns"},
        {"delay connect tcp by 60s", "delay connect tcp by 1m"},
        {"delay connect tcp by 0h jitter 1m", "delay connect tcp by 0s jitter 1m"},
        {"delay connect tcp by 0.5us", "delay connect tcp by 500ns"},
        {"delay any by 1s when 1", "delay any any by 1s when 1"},
};

static void reads_all_forms(void **state)
{
	char buf[RULE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct made *made = make_rules(forms[i].text);

		if (made->problems)
			print_message("%s\n", made->said);
		assert_int_equal(made->problems, 0);
		assert_int_equal(made->rules->count, 1);
		rule_print(buf, sizeof(buf), made->rules, &made->rules->rule[0]);
		assert_string_equal(buf, forms[i].printed ? forms[i].printed : forms[i].text);
		free_rules(made);
	}
}

/* The first rule of a text; the set is freed by the next call, and by the last, of NULL. */
static const struct rule *first(const char *text)
{
	static struct made *made;

	if (made)
		free_rules(made);
	made = text ? make_rules(text) : NULL;
	if (!made)
		return NULL;
	assert_int_equal(made->errors, 0);
	return &made->rules->rule[0];
}

static void narrows_any(void **state)
{
	const uint32_t policy = RULE_CALL(OP_SOCKET) | RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) |
	                        RULE_CALL(OP_CONNECT) | RULE_CALL(OP_ACCEPT) | RULE_CALL(OP_SEND);
	const uint32_t remote = RULE_CALL(OP_CONNECT) | RULE_CALL(OP_ACCEPT) | RULE_CALL(OP_SEND);
	const struct rule *rule;

	(void)state;
	assert_int_equal(first("deny any")->calls, policy);
	assert_int_equal(first("deny any")->protos, RULE_ANY_PROTO);
	rule = first("deny any :80");
	assert_int_equal(rule->calls, policy & ~RULE_CALL(OP_SOCKET));
	assert_int_equal(rule->protos, RULE_TCP | RULE_UDP | RULE_OTHER);
	assert_int_equal(rule->flags, RULE_NAMED);
	assert_int_equal(rule->remote.flags, PATTERN_PORT);
	assert_int_equal(rule->local.flags, 0);
	rule = first("deny any remote :80");
	assert_int_equal(rule->calls, remote);
	assert_int_equal(rule->flags, 0);
	assert_int_equal(first("deny any local :80")->calls, policy & ~RULE_CALL(OP_SOCKET));
	assert_int_equal(first("deny any /x")->protos, RULE_UNIX);
	assert_int_equal(first("deny any *")->flags, 0);
	assert_int_equal(first("move any to :1")->calls,
	                 RULE_CALL(OP_BIND) | RULE_CALL(OP_CONNECT) | RULE_CALL(OP_SEND));
	assert_int_equal(first("move any to :1")->protos, RULE_TCP | RULE_UDP | RULE_OTHER);
	assert_int_equal(first("assign any :80 from 5")->calls,
	                 RULE_CALL(OP_CONNECT) | RULE_CALL(OP_SEND));
	assert_int_equal(first("fail any :80 error EINTR")->calls,
	                 RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) | RULE_CALL(OP_CONNECT) |
	                         RULE_CALL(OP_SEND) | RULE_CALL(OP_RECV));
	assert_int_equal(first("delay any remote :80 by 1s")->calls,
	                 RULE_CALL(OP_CONNECT) | RULE_CALL(OP_SEND) | RULE_CALL(OP_RECV));
	assert_true(first("fail any local :80 error EINTR")->calls & RULE_CALL(OP_ACCEPT));
	assert_true(first("fail any error EINTR")->calls & RULE_CALL(OP_RESOLVE));
	assert_false(first("fail any tcp error EINTR")->calls & RULE_CALL(OP_RESOLVE));
	first(NULL);
}

static void keeps_patterns(void **state)
{
	const struct rule *rule = first("deny bind 10.1.2.0/24:5-6");
	struct ip ip;

	(void)state;
	assert_true(addr_parse(&ip, "10.1.2.0", 8));
	assert_true(addr_equal(&rule->local.ip, &ip));
	assert_int_equal(rule->local.bits, 120);
	assert_int_equal(rule->local.port_low, 5);
	assert_int_equal(rule->local.port_high, 6);
	assert_int_equal(rule->local.flags, PATTERN_ADDR | PATTERN_PORT);
	assert_int_equal(first("deny bind 0.0.0.0/0")->local.bits, 96);
	assert_int_equal(first("deny bind ::/0")->local.bits, 0);
	assert_int_equal(first("deny bind ::1")->local.bits, 128);
	rule = first("deny bind 10.1.2.3/24");
	assert_true(addr_equal(&rule->local.ip, &ip));
	first(NULL);
}

static void keeps_what_happens(void **state)
{
	const struct rule *rule = first("deny connect");

	(void)state;
	assert_int_equal(rule->error, EACCES);
	assert_int_equal(rule->flags, 0);
	assert_int_equal(first("deny connect error EPERM")->error, EPERM);
	assert_int_equal(first("limit sockets 5")->error, EMFILE);
	assert_int_equal(first("limit sockets 5 tree")->error, ENFILE);
	assert_int_equal(first("fail getaddrinfo error EAI_AGAIN")->error, RULE_EAI + 3);
	rule = first("move bind to [::1]:80");
	assert_int_equal(rule->flags, RULE_TO_ADDR | RULE_TO_PORT);
	assert_int_equal(rule->to.port, 80);
	assert_int_equal(rule->low, 80);
	assert_int_equal(rule->high, 80);
	rule = first("move bind to :1-2");
	assert_int_equal(rule->flags, RULE_TO_PORT);
	assert_int_equal(rule->to.port, 0);
	assert_int_equal(first("move bind to auto")->flags, RULE_AUTO);
	assert_int_equal(first("limit ports 5-9")->amount, 5);
	rule = first("fail connect error EINTR when 2+3 probability 0.5% after 1.5s while 7");
	assert_int_equal(rule->first, 2);
	assert_int_equal(rule->last, UINT32_MAX);
	assert_int_equal(rule->step, 3);
	assert_int_equal(rule->probability, 5000);
	assert_int_equal(rule->after_ns, 1500000000);
	assert_int_equal(rule->amount, 7);
	first(NULL);
}

static void tells_where_rules_stand(void **state)
{
	struct rules_source sources[] = {{"a", "\n# c; deny any\ndeny any; ;allow any", 36},
	                                 {"b", "\xef\xbb\xbflimit fds 1 in x\r\n;\n", 23},
	                                 {"c", "", 0}};
	struct made *made;
	size_t len;

	(void)state;
	sources[0].len = strlen(sources[0].text);
	sources[1].len = strlen(sources[1].text);
	made = make_set(sources, 3);
	assert_int_equal(made->problems, 0);
	assert_int_equal(made->rules->count, 3);
	assert_int_equal(made->rules->rule[0].line, 3);
	assert_int_equal(made->rules->rule[1].line, 3);
	assert_int_equal(made->rules->rule[1].action, ACTION_ALLOW);
	assert_int_equal(made->rules->rule[2].line, 1);
	assert_int_equal(made->rules->rule[2].source, 1);
	assert_int_equal(made->rules->sources, 3);
	assert_memory_equal(rules_text(made->rules, made->rules->source[1], &len), "b", 1);
	assert_int_equal(len, 1);
	assert_memory_equal(rules_text(made->rules, made->rules->rule[2].program, &len), "x", 1);
	assert_true(rules_are_sound(made->rules, made->rules->bytes));
	free_rules(made);
}

static void stores_a_string_once(void **state)
{
	struct made *made = make_rules("deny any in prog\nallow any in prog\ndeny any in \"prog\"\n"
	                               "deny any in pro");
	const struct rule *rule = made->rules->rule;

	(void)state;
	assert_int_equal(made->errors, 0);
	assert_int_equal(rule[1].program.at, rule[0].program.at);
	assert_int_equal(rule[2].program.at, rule[0].program.at);
	assert_int_equal(rule[3].program.len, 3);
	assert_int_equal(made->rules->texts_bytes, strlen("web.rules") + strlen("prog") + 3);
	free_rules(made);
}

/* Sources that leave no room to spare. */
static void has_room(void **state)
{
	static const char *const texts[] = {"",
	                                    ";",
	                                    "\n\n\n",
	                                    "deny any",
	                                    "deny any;deny any",
	                                    "deny any;deny any;deny any\n",
	                                    "deny any in /a"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct made *made = make_rules(texts[i]);

		assert_int_equal(made->errors, 0);
		free_rules(made);
	}
}

/* A name that is longer than all the rest. */
static void has_room_for_names(void **state)
{
	enum { LONG = 100000 };
	char *text = malloc(LONG);
	struct rules_source source = {"x", text, LONG};
	struct made *made;

	(void)state;
	memset(text, 'a', LONG);
	memcpy(text, "deny any in ", 12);
	made = make_set(&source, 1);
	assert_int_equal(made->errors, 0);
	assert_int_equal(made->rules->rule[0].program.len, LONG - 12);
	assert_true(made->rules->bytes <= rules_room(&source, 1));
	free_rules(made);
	free(text);
}

static void wants_its_room(void **state)
{
	struct rules_source source = {"x", "deny any", 8};
	struct made *made = make_rules("deny any");

	(void)state;
	assert_int_equal(rules_compile(made->rules, rules_room(&source, 1) - 64, &source, 1,
	                               made_report, made),
	                 1);
	assert_string_equal(made->said, "x:1:1: error: the rules are larger than their room\n"
	                                "    1 | deny any\n"
	                                "      | ^\n");
	free_rules(made);
}

static void has_a_limit_of_rules(void **state)
{
	static const char rule[] = "deny any\n";
	size_t len = sizeof(rule) - 1, count = RULES_MAX + 1;
	char *text = malloc(count * len);
	struct rules_source source = {"many", text, (count - 1) * len};
	struct made *made;

	(void)state;
	for (size_t i = 0; i < count; i++)
		memcpy(text + i * len, rule, len);
	made = make_set(&source, 1);
	assert_int_equal(made->problems, 0);
	assert_int_equal(made->rules->count, RULES_MAX);
	free_rules(made);
	source.len += len;
	made = make_set(&source, 1);
	assert_int_equal(made->errors, 1);
	assert_string_equal(made->said, "many:65536:6: error: more rules than a set can have\n"
	                                "65536 | deny any\n"
	                                "      |      ^~~\n"
	                                "      = expected at most 65535\n");
	free_rules(made);
	free(text);
}

static void has_a_limit_of_sources(void **state)
{
	struct rules_source sources[RULES_SOURCES_MAX + 1];
	struct made *made;

	(void)state;
	for (size_t i = 0; i < COUNT(sources); i++)
		sources[i] = (struct rules_source){"s", "deny any\n", 9};
	made = make_set(sources, RULES_SOURCES_MAX);
	assert_int_equal(made->errors, 0);
	assert_int_equal(made->rules->count, RULES_SOURCES_MAX);
	free_rules(made);
	made = make_set(sources, RULES_SOURCES_MAX + 1);
	assert_int_equal(made->errors, 1);
	assert_non_null(strstr(made->said, "more sources than a set can have"));
	free_rules(made);
}

static void has_names(void **state)
{
	(void)state;
	assert_string_equal(name_action(ACTION_ASSIGN), "assign");
	assert_string_equal(name_action(ACTIONS), "?");
	assert_string_equal(name_limit(LIMIT_BACKLOG), "backlog");
	assert_string_equal(name_limit((enum limit_kind)99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_all_forms),
	        cmocka_unit_test(narrows_any),
	        cmocka_unit_test(keeps_patterns),
	        cmocka_unit_test(keeps_what_happens),
	        cmocka_unit_test(tells_where_rules_stand),
	        cmocka_unit_test(stores_a_string_once),
	        cmocka_unit_test(has_room),
	        cmocka_unit_test(has_room_for_names),
	        cmocka_unit_test(wants_its_room),
	        cmocka_unit_test(has_a_limit_of_rules),
	        cmocka_unit_test(has_a_limit_of_sources),
	        cmocka_unit_test(has_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
