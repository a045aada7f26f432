/* SPDX-License-Identifier: MIT */
/* rules_session.c - prints nothing; makes a session under two sets of rules, with
 * events of each kind that a rule can cause.
 * rules_session PATH [RULES]: so many rules in the second set, at least 5 */
#include "tests/unit/make_rules.h"

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

/* deny :1-79, move :80, assign; at :443 nothing happens. */
static void put_rules(uint32_t more)
{
	struct rules *rules = made_rules(2);

	made_port(&rules->rule[0], ACTION_DENY, 1, 79)->matched = 1;
	made_target(made_port(&rules->rule[1], ACTION_MOVE, 80, 80), 8080)->matched = 1;
	made_enforce(&made, rules, 0);
	rules = made_rules(5 + more);
	made_port(&rules->rule[0], ACTION_DENY, 443, 443);
	made_target(made_port(&rules->rule[1], ACTION_MOVE, 5432, 5432), 15432)->matched = 1;
	made_port(&rules->rule[2], ACTION_DENY, 25, 25)->matched = 3;
	made_port(&rules->rule[3], ACTION_ASSIGN, 0, 0)->matched = PORTS;
	rules->rule[3].low = 30000;
	rules->rule[3].high = 30999;
	rules->rule[1].remote = rules->rule[1].local;
	rules->rule[2].remote = rules->rule[2].local;
	rules->rule[1].local.flags = rules->rule[2].local.flags = 0;
	rules->rule[1].calls = rules->rule[2].calls = RULE_CALL(OP_CONNECT);
	for (uint32_t i = 4; i < 5 + more; i++)
		made_port(&rules->rule[i], ACTION_ALLOW, (uint16_t)(FIRST_PORT + i),
		          (uint16_t)(FIRST_PORT + i));
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
	put_rules(argc > 2 ? (uint32_t)atoi(argv[2]) - 5 : 0);
	made_chunk(&made, &cursor, 2, slot, 812);
	put_binds();
	put_connects();
	made_exit(&made, slot, now, 0);
	return argc < 2 || rename(made.path, argv[1]) != 0;
}
