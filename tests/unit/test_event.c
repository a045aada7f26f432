/* SPDX-License-Identifier: MIT */
/* test_event.c - lines of the session as events, and events as JSON. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "core/event.h"
#include "tests/unit/make_session.h"

static struct line line_of(enum op_kind kind, int fd, int result)
{
	struct line line = {.fd = fd, .result = result, .sock = 5};

	session_publish(&line, kind, 0);
	line.kind = made_kind(FAMILY_INET, PROTO_TCP, VERDICT_PASSED);
	return line;
}

static struct event unpack(const struct line *line, const char *text, size_t text_len)
{
	struct event event = {.time_ns = MADE_REAL_NS, .pid = 812, .program = "nginx"};

	assert_true(event_unpack(&event, line, text, text_len));
	return event;
}

static bool is_valid(const struct line *line, size_t text_len)
{
	static const char text[EVENT_TEXT_MAX];
	struct event event = {.pid = 0};

	return event_unpack(&event, line, text, text_len);
}

/* The JSON of an event must be its head, this, and a newline. */
static void assert_json(const struct event *event, const char *expected)
{
	static const char head[] = "{\"time\":\"2026-11-22T12:00:00.000000000Z\","
	                           "\"time_ns\":1795348800000000000,\"took_ns\":0,"
	                           "\"pid\":812,\"program\":\"nginx\",";
	char buf[EVENT_JSON_MAX];
	size_t len = event_json(buf, sizeof(buf), event);

	assert_int_equal(len, strlen(buf));
	assert_int_equal(buf[len - 1], '\n');
	buf[len - 1] = '\0';
	assert_memory_equal(buf, head, strlen(head));
	assert_string_equal(buf + strlen(head), expected);
}

static void unpacks_an_accept(void **state)
{
	struct line line = line_of(OP_ACCEPT, 6, 9);
	struct event event;

	(void)state;
	line.flags = LINE_LOCAL | LINE_REMOTE | LINE_CLOEXEC;
	line.local = line.remote = made_ip(127, 0, 0, 1);
	line.local_port = 8080;
	line.remote_port = 40112;
	event = unpack(&line, NULL, 0);
	assert_int_equal(event.result, 9);
	assert_false(event_failed(&event));
	assert_json(&event, "\"call\":\"accept\",\"fd\":6,\"sock\":5,\"family\":\"inet\","
	                    "\"proto\":\"tcp\",\"local\":\"127.0.0.1:8080\","
	                    "\"remote\":\"127.0.0.1:40112\",\"result\":9,"
	                    "\"verdict\":\"passed\",\"cloexec\":true}");
}

static void unpacks_a_failure(void **state)
{
	struct line line = line_of(OP_CONNECT, 7, -ECONNREFUSED);
	struct event event;

	(void)state;
	line.kind = made_kind(FAMILY_INET6, PROTO_TCP, VERDICT_FAILED);
	line.rule = 3;
	line.flags = LINE_REMOTE | LINE_NO_PORT | LINE_REUSEADDR;
	line.remote = made_ip(1, 2, 3, 4);
	line.remote_port = 443;
	event = unpack(&line, NULL, 0);
	assert_int_equal(event.error, ECONNREFUSED);
	assert_int_equal(event.result, -1);
	assert_string_equal(event_error_name(&event), "ECONNREFUSED");
	assert_json(&event, "\"call\":\"connect\",\"fd\":7,\"sock\":5,\"family\":\"inet6\","
	                    "\"proto\":\"tcp\",\"remote\":\"1.2.3.4:443\",\"result\":-1,"
	                    "\"errno\":\"ECONNREFUSED\",\"verdict\":\"failed\",\"rule\":3,"
	                    "\"reuseaddr\":true,\"no_port\":true}");
	line.result = -4000; /* not an errno of ours: the number */
	event = unpack(&line, NULL, 0);
	assert_null(event_error_name(&event));
	assert_true(event_failed(&event));
}

static void unpacks_what_is_in_the_union(void **state)
{
	struct line line = line_of(OP_LISTEN, 3, 0);
	struct event event;

	(void)state;
	line.flags = LINE_LOCAL | LINE_REMOTE;
	line.remote_port = 511;
	event = unpack(&line, NULL, 0);
	assert_true(event.has_local);
	assert_false(event.has_remote);
	assert_int_equal(event.arg, 511);

	line = line_of(OP_SHUTDOWN, 3, 0);
	line.flags = LINE_LOCAL; /* cannot be: there is arg */
	line.arg = 1;
	event = unpack(&line, NULL, 0);
	assert_false(event.has_local);
	assert_json(&event, "\"call\":\"shutdown\",\"fd\":3,\"sock\":5,\"family\":\"inet\","
	                    "\"proto\":\"tcp\",\"result\":0,\"verdict\":\"passed\","
	                    "\"how\":\"SHUT_WR\"}");

	line = line_of(OP_LIMIT, -1, 0);
	line.kind = 0;
	line.sock = 0;
	line.arg = 256;
	event = unpack(&line, NULL, 0);
	assert_json(&event, "\"call\":\"setrlimit\",\"result\":0,\"verdict\":\"passed\","
	                    "\"limit\":256}");

	line = line_of(OP_PASS, 3, 0);
	line.cookie = 0xdeadbeef;
	event = unpack(&line, NULL, 0);
	assert_int_equal(event.arg, -1);
	assert_json(&event, "\"call\":\"pass\",\"fd\":3,\"sock\":5,\"family\":\"inet\","
	                    "\"proto\":\"tcp\",\"result\":0,\"verdict\":\"passed\","
	                    "\"cookie\":\"deadbeef\"}");
}

static void unpacks_a_bind_to_any_port(void **state)
{
	struct line line = line_of(OP_BIND, 3, 0);
	struct event event;

	(void)state;
	line.flags = LINE_LOCAL;
	line.local_port = 40000;
	line.remote_port = 1;
	event = unpack(&line, NULL, 0);
	assert_int_equal(event.arg, 1);
	assert_json(&event, "\"call\":\"bind\",\"fd\":3,\"sock\":5,\"family\":\"inet\","
	                    "\"proto\":\"tcp\",\"local\":\"[::]:40000\",\"result\":0,"
	                    "\"verdict\":\"passed\",\"any_port\":true}");
	line.remote_port = 0;
	assert_int_equal(unpack(&line, NULL, 0).arg, -1);
	line.remote_port = 1;
	line.flags |= LINE_REMOTE; /* of a socket that has a peer: the port is not the peer's */
	event = unpack(&line, NULL, 0);
	assert_int_equal(event.arg, 1);
	assert_false(event.has_remote);
}

static void unpacks_text(void **state)
{
	static const char path[SESSION_LINE] = "/run/\x1b[2Jx\"";
	struct line line = line_of(OP_BIND, 4, 0);
	struct event event;

	(void)state;
	line.kind = made_kind(FAMILY_UNIX, PROTO_STREAM, VERDICT_PASSED);
	line.flags = 1 << LINE_TEXT_SHIFT;
	event = unpack(&line, path, sizeof(path));
	assert_int_equal(event.text_len, strlen(path)); /* the padding is gone */
	assert_json(&event, "\"call\":\"bind\",\"fd\":4,\"sock\":5,\"family\":\"unix\","
	                    "\"proto\":\"stream\",\"result\":0,\"verdict\":\"passed\","
	                    "\"path\":\"/run/\\u001b[2Jx\\\"\"}");
	event = unpack(&line, path, 5); /* as long as it is, without padding */
	assert_int_equal(event.text_len, 5);
}

static void unpacks_getaddrinfo(void **state)
{
	static const char name[SESSION_LINE] = "example.org";
	struct line line = line_of(OP_RESOLVE, -1, 0);
	struct event event;

	(void)state;
	line.sock = line.kind = 0;
	line.flags = LINE_REMOTE | 1 << LINE_TEXT_SHIFT;
	line.remote = made_ip(93, 184, 216, 34);
	event = unpack(&line, name, sizeof(name));
	assert_json(&event, "\"call\":\"getaddrinfo\",\"address\":\"93.184.216.34\","
	                    "\"result\":0,\"verdict\":\"passed\",\"name\":\"example.org\"}");
	line.result = -2;
	line.flags = 1 << LINE_TEXT_SHIFT;
	event = unpack(&line, name, sizeof(name));
	assert_int_equal(event.error, 0);
	assert_true(event_failed(&event));
	assert_json(&event, "\"call\":\"getaddrinfo\",\"result\":-2,\"error\":\"EAI_NONAME\","
	                    "\"verdict\":\"passed\",\"name\":\"example.org\"}");
}

static void unpacks_adopt(void **state)
{
	uint64_t cookie[SESSION_LINE / 8] = {0x1234};
	struct line line = line_of(OP_ADOPT, 3, 0);
	struct event event;

	(void)state;
	line.flags = LINE_LOCAL | 1 << LINE_TEXT_SHIFT;
	event = unpack(&line, (const char *)cookie, sizeof(cookie));
	assert_int_equal(event.cookie, 0x1234);
	assert_int_equal(event.text_len, 0);
	assert_true(event.has_local);
	line.flags = 0;
	assert_int_equal(unpack(&line, NULL, 0).cookie, 0);
}

static void unpacks_what_a_moved_call_asked_for(void **state)
{
	struct endpoint asked[SESSION_LINE / sizeof(struct endpoint) + 1] = {
	        {made_ip(10, 0, 0, 5), 5432}};
	struct line line = line_of(OP_CONNECT, 3, 0);
	struct event event;

	(void)state;
	line.kind = made_kind(FAMILY_INET, PROTO_TCP, VERDICT_MOVED);
	line.rule = 3;
	line.flags = LINE_REMOTE | 1 << LINE_TEXT_SHIFT;
	line.remote = made_ip(127, 0, 0, 1);
	line.remote_port = 15432;
	event = unpack(&line, (const char *)asked, SESSION_LINE);
	assert_true(event.has_asked);
	assert_int_equal(event.asked.port, 5432);
	assert_int_equal(event.text_len, 0);
	assert_null(event.text);
	assert_json(&event, "\"call\":\"connect\",\"fd\":3,\"sock\":5,\"family\":\"inet\","
	                    "\"proto\":\"tcp\",\"asked\":\"10.0.0.5:5432\","
	                    "\"remote\":\"127.0.0.1:15432\",\"result\":0,"
	                    "\"verdict\":\"moved\",\"rule\":3}");
	event.set = 2;
	assert_json(&event, "\"call\":\"connect\",\"fd\":3,\"sock\":5,\"family\":\"inet\","
	                    "\"proto\":\"tcp\",\"asked\":\"10.0.0.5:5432\","
	                    "\"remote\":\"127.0.0.1:15432\",\"result\":0,"
	                    "\"verdict\":\"moved\",\"rule\":3,\"set\":2}");
}

/* Too short, too long, of calls that have none: no address, and no text either. */
static void takes_no_address_from_damaged_moves(void **state)
{
	char bytes[EVENT_TEXT_MAX];
	struct line line = line_of(OP_BIND, 3, 0);
	struct event event;

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	line.kind = made_kind(FAMILY_UNIX, PROTO_STREAM, VERDICT_MOVED);
	event = unpack(&line, NULL, 0);
	assert_false(event.has_asked);
	line.flags = 1 << LINE_TEXT_SHIFT;
	event = unpack(&line, bytes, sizeof(struct endpoint) - 1);
	assert_false(event.has_asked);
	assert_int_equal(event.text_len, 0);
	line.flags = (uint8_t)(LINE_TEXT_MAX << LINE_TEXT_SHIFT);
	event = unpack(&line, bytes, sizeof(bytes));
	assert_true(event.has_asked);
	assert_int_equal(event.text_len, 0);
	line.kind = made_kind(FAMILY_UNIX, PROTO_STREAM, VERDICT_PASSED);
	event = unpack(&line, bytes, sizeof(bytes));
	assert_false(event.has_asked);
	assert_int_equal(event.text_len, sizeof(bytes));
	line = line_of(OP_PASS, 3, 0);
	line.kind = made_kind(FAMILY_INET, PROTO_TCP, VERDICT_MOVED);
	line.flags = 1 << LINE_TEXT_SHIFT;
	assert_false(unpack(&line, bytes, SESSION_LINE).has_asked);
}

static void leaves_out_what_is_unknown(void **state)
{
	struct event event = {.kind = OP_EXIT, .fd = -1, .result = -1, .arg = -1};
	char buf[EVENT_JSON_MAX];

	(void)state;
	event_json(buf, sizeof(buf), &event);
	assert_string_equal(buf, "{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"time_ns\":0,"
	                         "\"took_ns\":0,\"call\":\"exit\",\"verdict\":\"passed\"}\n");
	event.result = 7;
	event_json(buf, sizeof(buf), &event);
	assert_non_null(strstr(buf, "\"result\":7"));
	event.kind = OP_SOCKET; /* of a family that we do not know: say so */
	event_json(buf, sizeof(buf), &event);
	assert_non_null(strstr(buf, "\"family\":\"other\",\"proto\":\"other\""));
}

static void refuses_nonsense(void **state)
{
	struct line line = line_of(OP_NONE, 0, 0);

	(void)state;
	assert_false(is_valid(&line, 0));
	line = line_of(OP_KINDS, 0, 0);
	assert_false(is_valid(&line, 0));
	line = line_of((enum op_kind)255, 0, 0);
	assert_false(is_valid(&line, 0));
	line = line_of(OP_CLOSE, 0, -4096);
	assert_false(is_valid(&line, 0));
	line = line_of(OP_RESOLVE, 0, INT32_MIN);
	assert_false(is_valid(&line, 0));
	line = line_of(OP_CLOSE, 0, 0);
	assert_true(is_valid(&line, 0));
	line.kind = made_kind(FAMILY_INET, PROTO_TCP, (enum verdict_kind)(VERDICT_DELAYED + 1));
	assert_false(is_valid(&line, 0));
	line.kind = 0;
	line.flags = 3 << LINE_TEXT_SHIFT;
	assert_false(is_valid(&line, 2 * SESSION_LINE));
	assert_true(is_valid(&line, 2 * SESSION_LINE + 1));
}

/* The longest that can be: it fits, and in less room only the text is cut. */
static void always_writes_whole_objects(void **state)
{
	char text[EVENT_TEXT_MAX], buf[EVENT_JSON_MAX], program[64];
	struct event event = {.kind = OP_BIND,
	                      .time_ns = UINT64_MAX,
	                      .took_ns = UINT64_MAX,
	                      .pid = UINT32_MAX,
	                      .tid = UINT32_MAX,
	                      .process = UINT32_MAX,
	                      .fd = INT32_MAX,
	                      .result = -1,
	                      .error = ENOTRECOVERABLE,
	                      .family = FAMILY_INET6,
	                      .verdict = VERDICT_ASSIGNED,
	                      .rule = UINT16_MAX,
	                      .set = UINT32_MAX,
	                      .has_asked = true,
	                      .flags = 31,
	                      .has_local = true,
	                      .has_remote = true,
	                      .cookie = UINT64_MAX};
	size_t whole, len;

	(void)state;
	memset(text, 1, sizeof(text));
	memset(program, 1, sizeof(program));
	program[sizeof(program) - 1] = '\0';
	memset(&event.local, 0xff, sizeof(event.local));
	event.remote = event.asked = event.local;
	event.program = program;
	event.text = text;
	event.text_len = sizeof(text);
	whole = event_json(buf, sizeof(buf), &event);
	assert_true(whole > 6 * sizeof(text) && whole < sizeof(buf));
	for (size_t size = 1; size < whole; size++) {
		buf[size] = '#';
		len = event_json(buf, size, &event);
		assert_int_equal(buf[size], '#');
		assert_int_equal(len, strlen(buf));
		if (len > 0) {
			cJSON *json = cJSON_Parse(buf);

			assert_non_null(json);
			assert_true(cJSON_HasObjectItem(json, "path"));
			cJSON_Delete(json);
		}
	}
	assert_true(event_json(buf, whole - 6, &event) > 0);
}

/* Whatever a line holds, it is refused or becomes one line of valid JSON. */
static void takes_any_line(void **state)
{
	char text[EVENT_TEXT_MAX], buf[EVENT_JSON_MAX];
	unsigned valid = 0;

	(void)state;
	srand(4);
	for (int i = 0; i < 50000; i++) {
		struct event event = {.time_ns = (uint64_t)rand() << 32, .program = text};
		struct line line;
		cJSON *json;

		for (size_t k = 0; k < sizeof(line); k++)
			((char *)&line)[k] = (char)rand();
		for (size_t k = 0; k < sizeof(text); k++)
			text[k] = (char)rand();
		text[40] = '\0';
		if (i % 2) {
			session_publish(&line, (enum op_kind)(1 + rand() % (OP_KINDS - 1)), 0);
			line.result = rand() % 200 - 100;
			line.kind &= 0x6f;
		}
		if (!event_unpack(&event, &line, text, (size_t)rand() % (sizeof(text) + 1)))
			continue;
		valid++;
		assert_true(event_json(buf, sizeof(buf), &event) > 0);
		assert_ptr_equal(strchr(buf, '\n'), buf + strlen(buf) - 1);
		json = cJSON_Parse(buf);
		assert_non_null(json);
		cJSON_Delete(json);
	}
	assert_true(valid > 5000); /* or the test says little */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(unpacks_an_accept),
	        cmocka_unit_test(unpacks_a_failure),
	        cmocka_unit_test(unpacks_what_is_in_the_union),
	        cmocka_unit_test(unpacks_a_bind_to_any_port),
	        cmocka_unit_test(unpacks_text),
	        cmocka_unit_test(unpacks_getaddrinfo),
	        cmocka_unit_test(unpacks_adopt),
	        cmocka_unit_test(unpacks_what_a_moved_call_asked_for),
	        cmocka_unit_test(takes_no_address_from_damaged_moves),
	        cmocka_unit_test(leaves_out_what_is_unknown),
	        cmocka_unit_test(refuses_nonsense),
	        cmocka_unit_test(always_writes_whole_objects),
	        cmocka_unit_test(takes_any_line),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
