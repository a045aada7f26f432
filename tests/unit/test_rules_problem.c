/* SPDX-License-Identifier: MIT */
/* test_rules_problem.c - what is said about rules that are wrong, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/compile_rules.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Rules, and all that is said. */
static const struct {
	const char *text, *said;
} wholes[] = {
        {"alow bind tcp :80", "web.rules:1:1: error: unknown action 'alow'\n"
                              "    1 | alow bind tcp :80\n"
                              "      | ^~~~ did you mean 'allow'?\n"
                              "      = expected allow, deny, move, assign, limit, fail or delay\n"},
        {"alow any\r\n", "web.rules:1:1: error: unknown action 'alow'\n"
                         "    1 | alow any\n"
                         "      | ^~~~ did you mean 'allow'?\n"
                         "      = expected allow, deny, move, assign, limit, fail or delay\n"},
        {"deny connect tpc :80",
         "web.rules:1:14: error: 'tpc' makes no sense here\n"
         "    1 | deny connect tpc :80\n"
         "      |              ^~~ did you mean 'tcp'?\n"
         "      = expected tcp, udp, unix, any, local, remote, in, error or an endpoint\n"},
        {"DENY any", "web.rules:1:1: error: unknown action 'DENY'\n"
                     "    1 | DENY any\n"
                     "      | ^~~~ did you mean 'deny'?\n"
                     "      = expected allow, deny, move, assign, limit, fail or delay\n"},
        {"deny conect", "web.rules:1:6: error: unknown call 'conect'\n"
                        "    1 | deny conect\n"
                        "      |      ^~~~~~ did you mean 'connect'?\n"
                        "      = expected socket, bind, listen, connect, accept, send or any\n"},
        {"deny bind local", "web.rules:1:16: error: 'local' needs an endpoint\n"
                            "    1 | deny bind local\n"
                            "      |                ^\n"
                            "      = expected one such as 10.0.0.0/8:80 or :1-1023\n"},
        {"deny shutdown", "web.rules:1:6: error: deny has no rules for 'shutdown'\n"
                          "    1 | deny shutdown\n"
                          "      |      ^~~~~~~~\n"
                          "      = expected socket, bind, listen, connect, accept, send or any\n"},
        {"deny", "web.rules:1:5: error: deny needs a call\n"
                 "    1 | deny\n"
                 "      |     ^\n"
                 "      = expected socket, bind, listen, connect, accept, send or any\n"},
        {"limit", "web.rules:1:6: error: limit what?\n"
                  "    1 | limit\n"
                  "      |      ^\n"
                  "      = expected fds, sockets, ports, connections, backlog or memory\n"},
        {"limit prots 5", "web.rules:1:7: error: nothing named 'prots' can be limited\n"
                          "    1 | limit prots 5\n"
                          "      |       ^~~~~ did you mean 'ports'?\n"
                          "      = expected fds, sockets, ports, connections, backlog or memory\n"},
        {"deny connect error ECONREFUSED",
         "web.rules:1:20: error: unknown error 'ECONREFUSED'\n"
         "    1 | deny connect error ECONREFUSED\n"
         "      |                    ^~~~~~~~~~~ did you mean 'ECONNREFUSED'?\n"
         "      = expected the name of an errno, such as ECONNREFUSED or EMFILE\n"},
        {"fail getaddrinfo error EAI_AGAN",
         "web.rules:1:24: error: unknown error 'EAI_AGAN'\n"
         "    1 | fail getaddrinfo error EAI_AGAN\n"
         "      |                        ^~~~~~~~ did you mean 'EAI_AGAIN'?\n"
         "      = expected a name such as EAI_AGAIN or EAI_NONAME\n"},
        {"deny socket :80", "web.rules:1:13: error: deny socket has no endpoint\n"
                            "    1 | deny socket :80\n"
                            "      |             ^~~\n"},
        {"deny bind remote :80",
         "web.rules:1:11: error: 'remote' does not go with deny bind\n"
         "    1 | deny bind remote :80\n"
         "      |           ^~~~~~\n"
         "      = expected tcp, udp, unix, any, local, in, error or an endpoint\n"},
        {"allow accept error EMFILE",
         "web.rules:1:14: error: 'error' does not go with allow accept\n"
         "    1 | allow accept error EMFILE\n"
         "      |              ^~~~~\n"
         "      = expected tcp, udp, unix, any, local, remote, in or an endpoint\n"},
        {"deny connect in x 10.0.0.1",
         "web.rules:1:19: error: the endpoint '10.0.0.1' is at a wrong place\n"
         "    1 | deny connect in x 10.0.0.1\n"
         "      |                   ^~~~~~~~\n"
         "      = expected it, once, right behind call and protocol; others follow 'local' or "
         "'remote'\n"},
        {"deny bind tcp :80 udp", "web.rules:1:19: error: the protocol 'udp' is at a wrong place\n"
                                  "    1 | deny bind tcp :80 udp\n"
                                  "      |                   ^~~\n"
                                  "      = expected it, once, right behind the call\n"},
        {"fail accept 10.0.0.0/8 error EMFILE",
         "web.rules:1:13: error: fail accept comes before the peer is known\n"
         "    1 | fail accept 10.0.0.0/8 error EMFILE\n"
         "      |             ^~~~~~~~~~\n"
         "      = expected 'local' and an endpoint of the listener; deny accept '10.0.0.0/8' "
         "error EMFILE knows the peer\n"},
        {"deny connect error EMFILE",
         "web.rules:1:20: warning: connect never returns EMFILE on Linux\n"
         "    1 | deny connect error EMFILE\n"
         "      |                    ^~~~~~\n"
         "      = 'error! EMFILE' insists\n"},
        {"deny any 10.0.0.5/8:80", "web.rules:1:10: warning: '10.0.0.5/8': host bits are ignored\n"
                                   "    1 | deny any 10.0.0.5/8:80\n"
                                   "      |          ^~~~~~~~~~\n"},
        {"move connect 10.0.0.1 to [::1]", "web.rules:1:26: warning: an IPv4 socket cannot reach "
                                           "[::1]: such calls are refused with EAFNOSUPPORT\n"
                                           "    1 | move connect 10.0.0.1 to [::1]\n"
                                           "      |                          ^~~~~\n"},
        {"deny connect \"10.0.0.1\"",
         "web.rules:1:14: warning: '10.0.0.1' in quotes is a unix path, not an address\n"
         "    1 | deny connect \"10.0.0.1\"\n"
         "      |              ^~~~~~~~~~\n"},
        {"assign bind :80 from 20000", "web.rules:1:13: error: assign gives a port to bind(port "
                                       "0); to change a fixed port use move\n"
                                       "    1 | assign bind :80 from 20000\n"
                                       "      |             ^~~\n"
                                       "      = expected :0\n"},
        {"limit ports 70000-80000", "web.rules:1:13: error: '70000' is not a port\n"
                                    "    1 | limit ports 70000-80000\n"
                                    "      |             ^~~~~\n"
                                    "      = expected a number from 1 to 65535\n"},
        {"deny bind :90-80", "web.rules:1:12: error: the range '90-80' runs backwards\n"
                             "    1 | deny bind :90-80\n"
                             "      |            ^~~~~\n"
                             "      = expected the lower port first\n"},
        {"deny bind tcp /foo",
         "web.rules:1:15: error: '/foo' is a unix path, but the protocol is not unix\n"
         "    1 | deny bind tcp /foo\n"
         "      |               ^~~~\n"
         "      = expected an endpoint such as 10.0.0.1:80 or :80\n"},
        {"deny connect in \"a b", "web.rules:1:17: error: the quote is not closed\n"
                                  "    1 | deny connect in \"a b\n"
                                  "      |                 ^~~~\n"
                                  "      = expected another \" on this line\n"},
        {"\tdeny connect in\té 日本 x", "web.rules:1:20: error: '日本' makes no sense here\n"
                                        "    1 |  deny connect in é 日本 x\n"
                                        "      |                    ^~\n"
                                        "      = expected local, remote or error\n"},
        {"deny\tany\ttcp\ttpc", "web.rules:1:14: error: 'tpc' makes no sense here\n"
                                "    1 | deny any tcp tpc\n"
                                "      |              ^~~\n"
                                "      = expected local, remote, in, error or an endpoint\n"},
};

/* Rules, and column and message of the one problem that each has. */
static const struct {
	const char *text, *said;
} briefs[] = {
        {"deny any in", "12: error: 'in' needs the name of a process"},
        {"deny any in \"\"", "13: error: the name is empty"},
        {"deny bind [::1:80", "11: error: the bracket of '[::1:80' is not closed"},
        {"deny bind fe80::1%eth0",
         "11: error: 'fe80::1%eth0' has a scope, which rules cannot match"},
        {"deny bind localhost:80", "11: error: 'localhost' is not an address"},
        {"deny bind 80", "11: error: '80' is not an address"},
        {"deny bind 1.2.3.400", "11: error: '1.2.3.400' is not an address"},
        {"deny bind 1.2.3.4/33", "18: error: '/33' is not a prefix"},
        {"deny bind ::1/129", "14: error: '/129' is not a prefix"},
        {"deny bind 1.2.3.4/", "18: error: '/' is not a prefix"},
        {"deny bind 10.0.0.0/8/9", "11: error: '10.0.0.0/8/9' is not an endpoint"},
        {"deny bind 2001:db8::/32:80", "11: error: IPv6 with a port needs brackets"},
        {"deny bind *foo", "11: error: '*foo' is not an endpoint"},
        {"deny bind []:80", "11: error: '[]:80' is not an endpoint"},
        {"deny bind :", "11: error: a port is missing"},
        {"deny bind :http", "12: error: 'http' is not a port"},
        {"deny bind :1-", "11: error: a port is missing"},
        {"deny bind :1-2-3", "12: error: '1-2-3' is not a range of ports"},
        {"deny bind :65536", "12: error: '65536' is not a port"},
        {"deny bind \"\"", "11: error: the path is empty"},
        {"deny bind unix :80", "16: error: ':80' is not an endpoint of unix"},
        {"deny connect 10.0.0.1 local /x",
         "29: error: the unix path '/x' cannot meet an IP endpoint"},
        {"deny bind 1.2.3.4 local :80", "25: error: ':80' is a second endpoint of the same side"},
        {"deny any :1 remote :2", "20: error: 'remote' and the endpoint that 'any' names are one"},
        {"deny connect :1 remote :2", "24: error: ':2' is a second endpoint of the same side"},
        {"deny connect in x in y", "19: error: 'in' is given twice"},
        {"deny getaddrinfo", "6: error: deny has no rules for 'getaddrinfo'"},
        {"fail getaddrinfo tcp error EAI_AGAIN", "18: error: getaddrinfo has no protocol"},
        {"fail connect error EAI_AGAIN", "20: error: 'EAI_AGAIN' is a result of getaddrinfo alone"},
        {"fail connect", "13: error: this fail does not say with which error"},
        {"fail connect error", "19: error: 'error' needs the name of an error"},
        {"fail connect error 111", "20: error: unknown error '111'"},
        {"fail connect error \"EINTR\"", "20: error: unknown error 'EINTR'"},
        {"fail any error EL2HLT", "16: warning: none of these calls returns EL2HLT on Linux"},
        {"fail connect error EINTR jitter 1s", "26: error: 'jitter' does not go with fail connect"},
        {"fail connect error EINTR when", "30: error: 'when' needs a turn"},
        {"fail connect error EINTR when 0", "31: error: '0' is not a turn"},
        {"fail connect error EINTR when 3..", "31: error: '3..' is not a turn"},
        {"fail connect error EINTR when 3+0", "31: error: '3+0' is not a turn"},
        {"fail connect error EINTR when 4294967295", "31: error: '4294967295' is not a turn"},
        {"fail connect error EINTR when 3..2", "31: error: the turns '3..2' run backwards"},
        {"fail connect error EINTR probability 5", "38: error: '5' is more than always"},
        {"fail connect error EINTR probability 101%", "38: error: '101%' is more than always"},
        {"fail connect error EINTR probability often", "38: error: 'often' is no probability"},
        {"fail connect error EINTR probability 0.00001%",
         "38: error: '0.00001%' is finer than one in a million"},
        {"fail connect error EINTR after 5", "32: error: '5' is not a duration"},
        {"fail connect error EINTR for 0.1ns", "30: error: '0.1ns' is finer than a nanosecond"},
        {"fail connect error EINTR for 3000000h", "30: error: '3000000h' is too long"},
        {"fail connect error EINTR for 1.2.3s", "30: error: '1.2.3s' is not a duration"},
        {"fail connect error EINTR while 0", "32: error: the number is too small"},
        {"delay connect", "14: error: this delay does not say how long"},
        {"delay connect by", "17: error: 'by' needs a duration"},
        {"delay connect by 5sec", "18: error: '5sec' is not a duration"},
        {"move connect 10.0.0.1", "22: error: this move does not say where to"},
        {"move bind to", "13: error: 'to' needs an endpoint"},
        {"move bind to 10.0.0.1/8", "14: error: a target has no prefix"},
        {"move bind to /x", "14: error: a unix path cannot be a target"},
        {"move bind to *:80", "14: error: '*:80' is not a target"},
        {"move bind to nowhere", "14: error: 'nowhere' is not a target"},
        {"move bind /x to :80", "11: error: unix sockets have no port to move"},
        {"move bind unix to :80", "11: error: unix sockets have no port to move"},
        {"move connect to auto", "17: error: connect needs a port that is known, not 'auto'"},
        {"move connect to :80-90", "18: error: connect cannot go to a range of ports"},
        {"move connect to :0", "18: error: '0' is not a port"},
        {"move any to 10.0.0.1:auto", "22: error: any needs a port that is known, not 'auto'"},
        {"move listen to :80", "6: error: move has no rules for 'listen'"},
        {"assign bind", "12: error: this assign does not say which ports"},
        {"assign bind from", "17: error: 'from' needs ports"},
        {"assign bind from 0", "18: error: '0' is not a port"},
        {"assign bind from any", "18: error: 'any' is not a port"},
        {"assign bind from \"5\"", "18: error: '5' is not a port"},
        {"assign connect local :80 from 5", "22: error: assign gives a port to a socket that has "
                                            "none; to change a fixed port use move"},
        {"assign connect unix from 5", "16: error: unix sockets have no port to assign"},
        {"limit fds", "10: error: the limit needs a number"},
        {"limit fds many", "11: error: 'many' is not a number"},
        {"limit fds -1", "11: error: '-1' is not a number"},
        {"limit fds 4294967295", "11: error: '4294967295' is too large"},
        {"limit fds 18446744073709551617", "11: error: '18446744073709551617' is too large"},
        {"limit ports 0", "13: error: the number is too small"},
        {"limit ports 65536", "13: error: there are not so many ports"},
        {"limit ports 0-5", "13: error: '0' is not a port"},
        {"limit fds 5 tree", "13: error: 'tree' does not go with limit fds"},
        {"limit memory 5", "14: error: '5' makes no sense here"},
        {"limit memory error EMFILE", "20: error: lack of memory is not 'EMFILE'"},
        {"limit connections 5 to /x", "24: error: connections are of TCP or UDP, not unix"},
        {"limit connections 5 error EXDEV",
         "27: warning: neither connect nor accept returns EXDEV on Linux"},
        {"fail connect error EINTR probability 0%",
         "38: warning: with probability '0%' it never happens"},
        {"fail connect error EINTR for 0s", "30: warning: for '0s' it never happens"},
        {"delay connect by 0ms", "18: warning: this delay is none"},
        {"delay connect jitter 0s by 0ms when 2", "28: warning: this delay is none"},
        {"delay accept remote :1 by 1s", "21: error: delay accept comes before the peer is known"},
        {"fail accept tcp 10.0.0.1 local :80 error EMFILE",
         "17: error: fail accept comes before the peer is known"},
        {"fail accept unix /x error EMFILE",
         "18: error: fail accept comes before the peer is known"},
        {"limit fds 5 tcp", "13: error: 'tcp' makes no sense here"},
        {"deny any in a\"b", "14: error: a quote inside a word"},
        {"deny any in \"a\\n\"", "15: error: in quotes a backslash stands before \" or \\ only"},
        {"deny any in \"a\"b", "16: error: a word ends with its closing quote"},
};

static void check_said(const char *text, const char *said)
{
	struct made *made = make_rules(text);

	if (strcmp(made->said, said) != 0)
		fail_msg("%s\nsaid:\n%s\nbut should:\n%s", text, made->said, said);
	free_rules(made);
}

static void says_what_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wholes); i++)
		check_said(wholes[i].text, wholes[i].said);
}

static void says_where(void **state)
{
	static const char place[] = "web.rules:1:";

	(void)state;
	for (size_t i = 0; i < COUNT(briefs); i++) {
		struct made *made = make_rules(briefs[i].text);

		made->said[strcspn(made->said, "\n")] = '\0';
		assert_int_equal(made->problems, 1);
		assert_memory_equal(made->said, place, sizeof(place) - 1);
		assert_string_equal(made->said + sizeof(place) - 1, briefs[i].said);
		free_rules(made);
	}
}

/* Leave out what is indented. */
static void keep_first_lines(char *said)
{
	char *out = said;

	for (char *line = said; *line;) {
		size_t len = strcspn(line, "\n") + 1;

		if (*line != ' ') {
			memmove(out, line, len);
			out += len;
		}
		line += len;
	}
	*out = '\0';
}

/* All errors of all sources, in their order, and the warnings between. */
static void says_everything_at_once(void **state)
{
	static const char one[] = "alow any\ndeny bind tcp :80\n\ndeny bind 1.2.3.4/8; deny; x";
	static const char two[] = "limit fds";
	struct rules_source sources[] = {{"one", one, sizeof(one) - 1},
	                                 {"-r", two, sizeof(two) - 1}};
	struct made *made = make_set(sources, 2);

	(void)state;
	assert_int_equal(made->errors, 4);
	assert_int_equal(made->problems, 5);
	keep_first_lines(made->said);
	assert_string_equal(made->said, "one:1:1: error: unknown action 'alow'\n"
	                                "one:4:11: warning: '1.2.3.4/8': host bits are ignored\n"
	                                "one:4:26: error: deny needs a call\n"
	                                "one:4:28: error: unknown action 'x'\n"
	                                "-r:1:10: error: the limit needs a number\n");
	free_rules(made);
}

/* A text with its length, for one that may hold NUL bytes. */
#define BYTES(text) text, sizeof(text) - 1

/* A text is told as one problem. */
static void check_bytes(const char *text, size_t len, const char *said)
{
	struct rules_source source = {"x", text, len};
	struct made *made = make_set(&source, 1);

	assert_string_equal(made->said, said);
	assert_int_equal(made->errors, 1);
	free_rules(made);
}

static void says_what_is_no_text(void **state)
{
	(void)state;
	check_bytes(BYTES("deny any\n# a\0b; c\ndeny any"),
	            "x:2:4: error: a NUL byte: this is not text\n"
	            "    2 | # a\\x00b; c\n"
	            "      |    ^~~~\n");
	check_bytes(BYTES("deny in\0x any"), "x:1:8: error: a NUL byte: this is not text\n"
	                                     "    1 | deny in\\x00x any\n"
	                                     "      |        ^~~~\n");
	check_bytes(BYTES("deny any in \"\xff\"; deny any"),
	            "x:1:14: error: a byte that is not UTF-8: this is not text\n"
	            "    1 | deny any in \"\\xff\"; deny any\n"
	            "      |              ^~~~\n");
	check_bytes(BYTES("deny any in a\033[2J"), "x:1:14: error: a control character in a word\n"
	                                           "    1 | deny any in a\\x1b[2J\n"
	                                           "      |              ^~~~\n");
	check_bytes(BYTES("deny any in \xc3"),
	            "x:1:13: error: a byte that is not UTF-8: this is not text\n"
	            "    1 | deny any in \\xc3\n"
	            "      |             ^~~~\n");
}

/* Long lines and long words are cut, at characters. */
static void cuts_what_is_long(void **state)
{
	char text[4096];
	struct made *made;

	(void)state;
	memset(text, ' ', 200);
	memcpy(text, "deny any", 8);
	for (size_t i = 200; i < 2000; i += 2)
		memcpy(text + i, "\xc3\xa9", 3);
	made = make_rules(text);
	assert_string_equal(
	        made->said,
	        "web.rules:1:201: error: 'éééééééééééééééééééé...' makes no sense here\n"
	        "    1 | ...                                                            "
	        "éééééééééééééééééééééééééééééé...\n"
	        "      |                                                                "
	        "^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
	        "      = expected tcp, udp, unix, any, local, remote, in, error or an endpoint\n");
	free_rules(made);
	check_said("deny any in /0123456789 errr EIO # 23456789 123456789 123456789 123456789 "
	           "123456789!?\ndeny any",
	           "web.rules:1:25: error: 'errr' makes no sense here\n"
	           "    1 | deny any in /0123456789 errr EIO # 23456789 123456789 123456789 "
	           "123456789 123456789!...\n"
	           "      |                         ^~~~ did you mean 'error'?\n"
	           "      = expected local, remote or error\n");
}

/* Names of sources are anybody's too; a small buffer is filled and ended. */
static void shows_names_safely(void **state)
{
	static const struct rules_source source = {"a\033\nb", "x", 1};
	const struct rules_problem problem = {
	        .source = &source, .line = 123456, .column = 7, .len = 1, .what = "w\033"};
	char buf[256], small[10];
	size_t len;

	(void)state;
	len = rules_print_problem(buf, sizeof(buf), &problem);
	assert_int_equal(len, strlen(buf));
	assert_string_equal(buf, "a\\x1b\\nb:123456:7: error: w\\x1b\n"
	                         "123456 | x\n"
	                         "      | ^\n");
	assert_int_equal(rules_print_problem(small, sizeof(small), &problem), 9);
	assert_string_equal(small, "a\\x1b\\nb:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(says_what_is_wrong),      cmocka_unit_test(says_where),
	        cmocka_unit_test(says_everything_at_once), cmocka_unit_test(says_what_is_no_text),
	        cmocka_unit_test(cuts_what_is_long),       cmocka_unit_test(shows_names_safely),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
