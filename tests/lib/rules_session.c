/* SPDX-License-Identifier: MIT */
/* rules_session.c - prints nothing; makes a session under two sets of rules, with
 * events of each kind that a rule can cause.
 * rules_session PATH [MORE]: so many rules more that never matched */
#include <errno.h>

#include "tests/unit/make_session.h"

static struct made made;
static session_cursor cursor = SESSION_CURSOR_EMPTY;
static uint64_t now = 1000000;

enum { FIRST_PORT = 10000, SECOND = 1000000000, PORTS = 5 };

static struct line *put(int fd, int result, enum verdict_kind verdict, uint16_t rule)
{
	struct line *line = made_line(&made, &cursor, fd, result);

	line->kind = made_kind(FAMILY_INET, PROTO_TCP, verdict);
	line->rule = rule;
	line->sock = (uint32_t)fd;
	return line;
}

static void local(struct line *line, struct ip ip, uint16_t port)
{
	line->flags |= LINE_LOCAL;
	line->local = ip;
	line->local_port = port;
}

static void remote(struct line *line, struct ip ip, uint16_t port)
{
	line->flags |= LINE_REMOTE;
	line->remote = ip;
	line->remote_port = port;
}

static void done(struct line *line, enum op_kind kind)
{
	made_publish(line, kind, now, 1000);
	now += 1000000;
}

static struct line *moved(int fd, uint16_t rule, struct endpoint asked)
{
	struct line *line = session_take_lines(made.header, &cursor, 2);

	assert(line);
	line->fd = fd;
	line->sock = (uint32_t)fd;
	line->rule = rule;
	line->kind = made_kind(FAMILY_INET, PROTO_TCP, VERDICT_MOVED);
	line->flags = 1 << LINE_TEXT_SHIFT;
	memcpy(line + 1, &asked, sizeof(asked));
	return line;
}

static void put_socket(int fd)
{
	struct line *line = put(-1, fd, VERDICT_PASSED, 0);

	line->sock = (uint32_t)fd;
	done(line, OP_SOCKET);
}

static struct rules *compile(const char *text)
{
	struct rules_source source = {"web.rules", text, strlen(text)};
	size_t size = rules_room(&source, 1);
	struct rules *rules = aligned_alloc(SESSION_LINE, size);

	assert(rules && size % SESSION_LINE == 0);
	memset(rules, 0, size);
	assert(rules_compile(rules, size, &source, 1, NULL, NULL) == 0);
	return rules;
}

static void put_rules(int more)
{
	static char text[1 << 20] = "deny connect tcp 192.0.2.0/24:443\n"
	                            "move connect tcp 10.0.0.5:5432 to 127.0.0.1:15432\n"
	                            "deny connect tcp :25\n\n"
	                            "assign bind tcp :0 from 30000-30999\n"
	                            "allow bind tcp :8080\n"
	                            "deny connect unix /tmp/a\\b\n";
	size_t len = strlen(text);
	struct rules *rules = compile("deny bind tcp :1-79\nmove bind tcp :80 to 127.0.0.1:8080\n");

	rules->rule[0].matched = rules->rule[1].matched = 1;
	made_enforce(&made, rules, 0);
	for (int i = 0; i < more; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "allow bind tcp :%d\n",
		                        FIRST_PORT + i);
	rules = compile(text);
	rules->rule[1].matched = 1;
	rules->rule[2].matched = 3;
	rules->rule[3].matched = PORTS;
	rules->rule[4].matched = 1234;
	made_enforce(&made, rules, SECOND);
}

static void put_binds(void)
{
	struct ip loopback = made_ip(127, 0, 0, 1), any = made_ip(0, 0, 0, 0);
	struct line *line;

	put_socket(3);
	line = put(3, -EACCES, VERDICT_DENIED, 1);
	local(line, any, 22);
	done(line, OP_BIND);
	line = moved(3, 2, (struct endpoint){any, 80});
	local(line, loopback, 8080);
	done(line, OP_BIND);
	line = put(3, 0, VERDICT_PASSED, 0);
	local(line, loopback, 8080);
	line->remote_port = 5;
	done(line, OP_LISTEN);
	for (uint16_t i = 0; i < 2; i++) {
		line = put(3, -EACCES, VERDICT_DENIED, 1);
		local(line, loopback, 8080);
		remote(line, made_ip(10, 0, 0, 7), (uint16_t)(50000 + i));
		done(line, OP_ACCEPT);
	}
	line = put(-1, -EACCES, VERDICT_DENIED, 1);
	line->sock = 0;
	done(line, OP_SOCKET);
}

static void put_connects(void)
{
	struct ip loopback = made_ip(127, 0, 0, 1), any = made_ip(0, 0, 0, 0);
	struct line *line;

	now = SECOND;
	put_socket(4);
	line = moved(4, 2, (struct endpoint){made_ip(10, 0, 0, 5), 5432});
	local(line, loopback, 40000);
	remote(line, loopback, 15432);
	done(line, OP_CONNECT);
	for (int i = 0; i < 3; i++) {
		put_socket(5 + i);
		line = put(5 + i, -EACCES, VERDICT_DENIED, 3);
		remote(line, made_ip(10, 0, 0, 9), 25);
		done(line, OP_CONNECT);
	}
	for (int i = 0; i < PORTS; i++) {
		put_socket(8 + i);
		line = put(8 + i, i == PORTS - 1 ? -EADDRINUSE : 0, VERDICT_ASSIGNED, 4);
		local(line, any, (uint16_t)(i == PORTS - 1 ? 0 : 30000 + 3 * i));
		done(line, OP_BIND);
	}
}

int main(int argc, char **argv)
{
	uint32_t slot;

	made = made_open(65536);
	slot = made_process(&made, ORIGIN_ROOT, 812, "nginx", 0);
	put_rules(argc > 2 ? atoi(argv[2]) : 0);
	made_chunk(&made, &cursor, 2, slot, 812);
	put_binds();
	put_connects();
	made_exit(&made, slot, now, 0);
	return argc < 2 || rename(made.path, argv[1]) != 0;
}
