/* SPDX-License-Identifier: MIT */
/* event.c - see event.h. */
#include "core/event.h"

#include <string.h>

#include "core/names.h"
#include "core/text.h"

enum { ERRNO_MAX = 4095, PROGRAM_MAX = 32 };

/* What stands behind a moved event is copied as it is. */
_Static_assert(sizeof(struct endpoint) == 18, "16 bytes and a port");

/* Which member of the line's union counts. */
static bool has_endpoints(enum op_kind kind)
{
	return kind != OP_PASS && kind != OP_SHUTDOWN && kind != OP_LIMIT;
}

static bool is_birth(enum op_kind kind)
{
	return kind == OP_SOCKET || kind == OP_SOCKETPAIR || kind == OP_ACCEPT || kind == OP_ADOPT;
}

static bool unpack_kind(struct event *event, const struct line *line)
{
	uint64_t head = atomic_load_explicit(&line->head, memory_order_relaxed);
	unsigned kind = (unsigned)(head >> 56), verdict = line->kind >> 4;

	if (kind == OP_NONE || kind >= OP_KINDS || verdict > VERDICT_DELAYED)
		return false;
	event->kind = (enum op_kind)kind;
	event->family = (enum family)(line->kind & 3);
	event->proto = (enum proto)(line->kind >> 2 & 3);
	event->verdict = (enum verdict_kind)verdict;
	return true;
}

static bool unpack_result(struct event *event, int32_t result)
{
	bool is_errno = result < 0 && event->kind != OP_RESOLVE;

	if (result < -ERRNO_MAX)
		return false;
	event->error = is_errno ? -result : 0;
	event->result = is_errno ? -1 : result;
	return true;
}

static void unpack_ends(struct event *event, const struct line *line)
{
	bool has_ends = has_endpoints(event->kind);

	event->has_local = has_ends && line->flags & LINE_LOCAL;
	event->has_remote = has_ends && line->flags & LINE_REMOTE && event->kind != OP_LISTEN &&
	                    event->kind != OP_BIND;
	event->local = event->remote = (struct endpoint){.port = 0};
	if (event->has_local)
		event->local = (struct endpoint){line->local, line->local_port};
	if (event->has_remote)
		event->remote = (struct endpoint){line->remote, line->remote_port};
	event->arg = -1;
	if (event->kind == OP_LISTEN)
		event->arg = line->remote_port;
	if (event->kind == OP_BIND && line->remote_port == 1)
		event->arg = 1;
	if (event->kind == OP_SHUTDOWN || event->kind == OP_LIMIT)
		event->arg = line->arg;
	event->cookie = event->kind == OP_PASS ? line->cookie : 0;
}

/* Behind some events stands no text: take what it is. Returns whether it was that. */
static bool unpack_other(struct event *event, const char *bytes, size_t len)
{
	if (event->kind == OP_ADOPT) {
		if (len >= sizeof(event->cookie))
			memcpy(&event->cookie, bytes, sizeof(event->cookie));
		return true;
	}
	if (event->verdict != VERDICT_MOVED)
		return false;
	event->has_asked = has_endpoints(event->kind) && len >= sizeof(event->asked);
	if (event->has_asked)
		memcpy(&event->asked, bytes, sizeof(event->asked));
	return true;
}

static bool unpack_text(struct event *event, const struct line *line, const char *text,
                        size_t text_len)
{
	size_t lines = line->flags >> LINE_TEXT_SHIFT, most = lines * SESSION_LINE;

	if ((text_len + SESSION_LINE - 1) / SESSION_LINE < lines)
		return false;
	if (text_len > most)
		text_len = most;
	event->has_asked = false;
	event->asked = (struct endpoint){.port = 0};
	if (unpack_other(event, text, text_len))
		text_len = 0;
	while (text_len > 0 && text[text_len - 1] == '\0')
		text_len--;
	event->text = text_len > 0 ? text : NULL;
	event->text_len = text_len;
	return true;
}

bool event_unpack(struct event *event, const struct line *line, const char *text, size_t text_len)
{
	if (!unpack_kind(event, line) || !unpack_result(event, line->result))
		return false;
	event->fd = line->fd < 0 ? -1 : line->fd;
	event->sock = line->sock;
	event->rule = line->rule;
	event->flags = line->flags & ((1 << LINE_TEXT_SHIFT) - 1);
	unpack_ends(event, line);
	return unpack_text(event, line, text, text_len);
}

bool event_site(const struct event *event, struct session_site *site, const char **frames)
{
	size_t room;

	if (event->kind != OP_SITE || event->text_len <= sizeof(*site))
		return false;
	room = event->text_len - sizeof(*site);
	memcpy(site, event->text, sizeof(*site));
	if (site->len > room)
		site->len = (uint32_t)room;
	*frames = event->text + sizeof(*site);
	return true;
}

bool event_failed(const struct event *event)
{
	return event->error != 0 || (event->kind == OP_RESOLVE && event->result < 0);
}

const char *event_error_name(const struct event *event)
{
	if (event->kind == OP_RESOLVE && event->error == 0)
		return name_eai(event->result);
	return name_errno(event->error);
}

/* A member's name with what stands around it. */
#define KEY(name) ",\"" name "\":"

static void put_number(struct text *text, const char *key, uint64_t value)
{
	text_put(text, key);
	text_unsigned(text, value);
}

/* A string of ours, which needs no escapes. */
static void put_string(struct text *text, const char *key, const char *value)
{
	text_put(text, key);
	text_char(text, '"');
	text_put(text, value);
	text_char(text, '"');
}

static void put_endpoint(struct text *text, const char *key, const struct endpoint *end)
{
	char printed[ADDR_TEXT_MAX];

	addr_print_endpoint(printed, end);
	put_string(text, key, printed);
}

static void put_moment(struct text *text, const struct event *event)
{
	text_put(text, "{\"time\":\"");
	text_time(text, event->time_ns);
	text_char(text, '"');
	put_number(text, KEY("time_ns"), event->time_ns);
	put_number(text, KEY("took_ns"), event->took_ns);
}

static void put_process(struct text *text, const struct event *event)
{
	if (event->pid)
		put_number(text, KEY("pid"), event->pid);
	if (event->tid)
		put_number(text, KEY("tid"), event->tid);
	if (event->process)
		put_number(text, KEY("process"), event->process);
	if (!event->program)
		return;
	text_put(text, KEY("program"));
	text_json(text, event->program, strnlen(event->program, PROGRAM_MAX), 0);
}

static void put_socket(struct text *text, const struct event *event)
{
	bool is_new = is_birth(event->kind);

	if (event->fd >= 0)
		put_number(text, KEY("fd"), (uint64_t)event->fd);
	if (event->sock)
		put_number(text, KEY("sock"), event->sock);
	if (event->family != FAMILY_OTHER || is_new)
		put_string(text, KEY("family"), name_family(event->family));
	if (event->proto != PROTO_OTHER || is_new)
		put_string(text, KEY("proto"), name_proto(event->proto));
}

static void put_ends(struct text *text, const struct event *event)
{
	char printed[ADDR_TEXT_MAX];

	if (event->has_local)
		put_endpoint(text, KEY("local"), &event->local);
	if (event->has_asked)
		put_endpoint(text, KEY("asked"), &event->asked);
	if (!event->has_remote)
		return;
	if (event->kind != OP_RESOLVE) {
		put_endpoint(text, KEY("remote"), &event->remote);
		return;
	}
	addr_print(printed, &event->remote.ip);
	put_string(text, KEY("address"), printed);
}

static void put_result(struct text *text, const struct event *event)
{
	char number[24];
	const char *name = event_error_name(event);
	struct text digits = text_on(number, sizeof(number));

	if (event->kind == OP_EXIT && event->result < 0)
		return;
	text_put(text, KEY("result"));
	text_signed(text, event->result);
	if (!event_failed(event))
		return;
	text_signed(&digits, event->error ? event->error : event->result);
	put_string(text, event->error ? KEY("errno") : KEY("error"), name ? name : number);
}

static void put_verdict(struct text *text, const struct event *event)
{
	put_string(text, KEY("verdict"), name_verdict(event->verdict));
	if (event->rule)
		put_number(text, KEY("rule"), event->rule);
	if (event->rule && event->set > 1)
		put_number(text, KEY("set"), event->set);
}

static void put_how(struct text *text, int64_t how)
{
	char number[24];
	const char *name = name_shutdown((int)how);
	struct text digits = text_on(number, sizeof(number));

	text_signed(&digits, how);
	put_string(text, KEY("how"), name ? name : number);
}

static void put_details(struct text *text, const struct event *event)
{
	if (event->kind == OP_LISTEN && event->arg >= 0)
		put_number(text, KEY("backlog"), (uint64_t)event->arg);
	if (event->kind == OP_SHUTDOWN)
		put_how(text, event->arg);
	if (event->kind == OP_LIMIT && event->arg >= 0)
		put_number(text, KEY("limit"), (uint64_t)event->arg);
	if (event->cookie) {
		text_put(text, KEY("cookie"));
		text_char(text, '"');
		text_hex(text, event->cookie);
		text_char(text, '"');
	}
}

static void put_flags(struct text *text, const struct event *event)
{
	bool is_connect = event->kind == OP_BIND || event->kind == OP_CONNECT;

	if (event->flags & LINE_REUSEADDR && (is_connect || event->kind == OP_LISTEN))
		text_put(text, KEY("reuseaddr") "true");
	if (event->flags & LINE_NO_PORT && is_connect)
		text_put(text, KEY("no_port") "true");
	if (event->kind == OP_BIND && event->arg == 1)
		text_put(text, KEY("any_port") "true");
	if (event->flags & LINE_CLOEXEC && (is_birth(event->kind) || event->kind == OP_DUP))
		text_put(text, KEY("cloexec") "true");
}

static const char *text_key(enum op_kind kind)
{
	if (kind == OP_RESOLVE)
		return KEY("name");
	return kind == OP_BLIND ? KEY("text") : KEY("path");
}

/* An array, the innermost frame first. */
static void put_site(struct text *text, const struct event *event)
{
	struct session_site site;
	const char *frames, *end;

	if (!event_site(event, &site, &frames))
		return;
	if (!event->rule)
		put_number(text, KEY("rule"), site.rule);
	put_number(text, KEY("turn"), site.turn);
	text_put(text, KEY("frames"));
	text_char(text, '[');
	for (uint32_t at = 0; at < site.len; at = (uint32_t)(end - frames) + 1) {
		end = memchr(frames + at, '\n', site.len - at);
		end = end ? end : frames + site.len;
		text_put(text, at ? "," : "");
		text_json(text, frames + at, (size_t)(end - frames) - at, strlen("]}\n"));
	}
	text_char(text, ']');
}

static void put_text(struct text *text, const struct event *event)
{
	if (event->kind == OP_SITE)
		put_site(text, event);
	if (event->text_len == 0 || event->kind == OP_SITE)
		return;
	text_put(text, text_key(event->kind));
	text_json(text, event->text, event->text_len, strlen("}\n"));
}

size_t event_json(char *buf, size_t size, const struct event *event)
{
	struct text text = text_on(buf, size);

	put_moment(&text, event);
	put_process(&text, event);
	put_string(&text, KEY("call"), name_op(event->kind));
	put_socket(&text, event);
	put_ends(&text, event);
	put_result(&text, event);
	put_verdict(&text, event);
	put_details(&text, event);
	put_flags(&text, event);
	put_text(&text, event); /* last: the only one that may be cut */
	text_put(&text, "}\n");
	if (!text.cut)
		return text.len;
	buf[0] = '\0';
	return 0;
}
