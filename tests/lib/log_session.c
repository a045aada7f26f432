/* SPDX-License-Identifier: MIT */
/* log_session.c - prints nothing; makes the session that log.bats reads.
 * log_session PATH */
#include <errno.h>

#include "tests/unit/make_session.h"

static struct made made;

static void tuple(struct line *line, enum proto proto, struct ip local, uint16_t local_port,
                  struct ip remote, uint16_t remote_port)
{
	line->kind = made_kind(FAMILY_INET, proto, VERDICT_PASSED);
	line->flags |= LINE_LOCAL | LINE_REMOTE;
	line->local = local;
	line->remote = remote;
	line->local_port = local_port;
	line->remote_port = remote_port;
}

static void put_server(uint32_t slot)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct ip loopback = made_ip(127, 0, 0, 1), none = made_ip(0, 0, 0, 0);
	struct line *line;

	made_chunk(&made, &cursor, 0, slot, 812);
	line = made_line(&made, &cursor, -1, 6);
	line->kind = made_kind(FAMILY_INET, PROTO_TCP, VERDICT_PASSED);
	made_publish(line, OP_SOCKET, 1000000, 3000);
	line = made_line(&made, &cursor, 6, 0);
	tuple(line, PROTO_TCP, loopback, 8080, none, 0);
	line->flags = LINE_LOCAL;
	made_publish(line, OP_BIND, 2000000, 4000);
	line = made_line(&made, &cursor, 6, 0);
	tuple(line, PROTO_TCP, loopback, 8080, none, 511);
	line->flags = LINE_LOCAL;
	made_publish(line, OP_LISTEN, 3000000, 5000);
	line = made_line(&made, &cursor, 6, 9);
	tuple(line, PROTO_TCP, loopback, 8080, loopback, 40112);
	made_publish(line, OP_ACCEPT, 123456000, 6000);
	line = made_line(&made, &cursor, 9, 0);
	tuple(line, PROTO_TCP, loopback, 8080, loopback, 40112);
	made_publish(line, OP_CLOSE, 200000000, 7000);
	made_publish(made_line(&made, &cursor, 6, -EMFILE), OP_ACCEPT, 300000000, 1000);
}

static void put_client(uint32_t slot)
{
	session_cursor cursor = SESSION_CURSOR_EMPTY;
	struct line *line;

	made_chunk(&made, &cursor, 1, slot, 901);
	line = made_text(&made, &cursor, -1, 0, "example.org");
	line->flags |= LINE_REMOTE;
	line->remote = made_ip(93, 184, 216, 34);
	made_publish(line, OP_RESOLVE, 400000000, 8000);
	line = made_line(&made, &cursor, 3, 0);
	tuple(line, PROTO_TCP, made_ip(10, 1, 2, 3), 40113, made_ip(93, 184, 216, 34), 443);
	made_publish(line, OP_CONNECT, 500000000, 9000);
	line = made_line(&made, &cursor, 4, -ECONNREFUSED);
	tuple(line, PROTO_TCP, made_ip(0, 0, 0, 0), 0, made_ip(10, 9, 9, 9), 81);
	line->kind = made_kind(FAMILY_INET, PROTO_TCP, VERDICT_FAILED);
	line->rule = 2;
	line->flags = LINE_REMOTE;
	made_publish(line, OP_CONNECT, 600000000, 1000);
	line = made_text(&made, &cursor, 5, 0, "/tmp/\x1b]0;\"evil\"\a, \\ \xff\n.sock");
	line->kind = made_kind(FAMILY_UNIX, PROTO_STREAM, VERDICT_PASSED);
	made_publish(line, OP_BIND, 700000000, 1000);
	made_publish(made_text(&made, &cursor, -1, -2, "no.such"), OP_RESOLVE, 800000000, 1000);
	line = made_line(&made, &cursor, 3, 0);
	line->arg = 1;
	made_publish(line, OP_SHUTDOWN, 850000000, 1000);
}

int main(int argc, char **argv)
{
	uint32_t server, client;

	made = made_open(1024);
	server = made_process(&made, ORIGIN_ROOT, 812, "nginx", 0);
	client = made_process(&made, ORIGIN_FORK, 900, "cu\x1b[31mrl", 350000000);
	put_server(server);
	put_client(client);
	made_exit(&made, client, 900000000, 3);
	made.header->events_dropped = 12;
	return argc != 2 || rename(made.path, argv[1]) != 0;
}
