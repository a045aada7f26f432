/* SPDX-License-Identifier: MIT */
/* show.c - see show.h. */
#include "tools/show.h"

#include <netdb.h>
#include <string.h>
#include <time.h>

#include "core/names.h"
#include "core/text.h"

#define COLOUR_DIM    "\033[2m"
#define COLOUR_BOLD   "\033[1m"
#define COLOUR_RED    "\033[31m"
#define COLOUR_YELLOW "\033[33m"
#define COLOUR_END    "\033[0m"

static void colour(struct text *text, const struct show *show, const char *code)
{
	if (show->has_colours)
		text_put(text, code);
}

static void put_clock(struct text *text, struct show *show, uint64_t real_ns)
{
	uint64_t second = real_ns / 1000000000;
	time_t seconds = (time_t)second;
	struct tm local;

	if (second != show->second || !show->clock[0]) {
		localtime_r(&seconds, &local);
		strftime(show->clock, sizeof(show->clock), "%H:%M:%S", &local);
		show->second = second;
	}
	colour(text, show, COLOUR_DIM);
	text_put(text, show->clock);
	text_char(text, '.');
	text_digits(text, real_ns / 1000 % 1000000, 6);
	colour(text, show, COLOUR_END);
}

static void put_process(struct text *text, const struct event *event)
{
	if (event->program)
		text_visible(text, event->program, strlen(event->program));
	else
		text_char(text, '?');
	text_char(text, '[');
	text_unsigned(text, event->pid);
	if (event->tid && event->tid != event->pid) {
		text_char(text, '/');
		text_unsigned(text, event->tid);
	}
	text_char(text, ']');
}

static void put_quoted(struct text *text, const struct event *event)
{
	text_char(text, '"');
	text_visible(text, event->text, event->text_len);
	text_char(text, '"');
}

static void put_fd(struct text *text, const struct event *event)
{
	if (event->fd >= 0)
		text_signed(text, event->fd);
	else
		text_char(text, '?');
}

static void put_how(struct text *text, const struct event *event)
{
	const char *name = name_shutdown((int)event->arg);

	text_put(text, ", ");
	if (name)
		text_put(text, name);
	else
		text_signed(text, event->arg);
}

/* Which turn of which rule the call behind it is. */
static void put_turn(struct text *text, const struct event *event)
{
	struct session_site site;
	const char *frames;

	if (!event_site(event, &site, &frames))
		return;
	text_put(text, "rule ");
	text_unsigned(text, site.rule);
	text_put(text, ", turn ");
	text_unsigned(text, site.turn);
}

static void put_arguments(struct text *text, const struct event *event)
{
	switch (event->kind) {
	case OP_SOCKET:
	case OP_SOCKETPAIR:
		text_put(text, name_family(event->family));
		text_put(text, ", ");
		text_put(text, name_proto(event->proto));
		break;
	case OP_LISTEN:
		put_fd(text, event);
		text_put(text, ", ");
		text_signed(text, event->arg);
		break;
	case OP_SHUTDOWN:
		put_fd(text, event);
		put_how(text, event);
		break;
	case OP_LIMIT:
		text_put(text, "RLIMIT_NOFILE, ");
		text_signed(text, event->arg);
		break;
	case OP_EXIT:
		if (event->result >= 0)
			text_signed(text, event->result);
		else
			text_char(text, '?');
		break;
	case OP_RESOLVE:
	case OP_START:
	case OP_EXEC:
	case OP_BLIND:
		put_quoted(text, event);
		break;
	case OP_BIND:
	case OP_CONNECT:
	case OP_ACCEPT:
	case OP_CLOSE:
	case OP_DUP:
	case OP_SEND:
	case OP_RECV:
	case OP_ADOPT:
	case OP_PASS:
		put_fd(text, event);
		break;
	case OP_SITE:
		put_turn(text, event);
		break;
	case OP_NONE:
	case OP_FORK:
	case OP_KINDS:
		break;
	}
}

/* Is the result of a success worth a word? */
static bool has_result(enum op_kind kind)
{
	return kind != OP_START && kind != OP_EXIT && kind != OP_BLIND && kind != OP_ADOPT &&
	       kind != OP_EXEC && kind != OP_PASS && kind != OP_SITE;
}

static void put_failure(struct text *text, const struct event *event, const struct show *show)
{
	const char *name = event_error_name(event);

	colour(text, show, COLOUR_RED);
	text_put(text, " = ");
	text_signed(text, event->result);
	text_char(text, ' ');
	if (name)
		text_put(text, name);
	else
		text_signed(text, event->error);
	text_put(text, " (");
	text_put(text, event->error ? strerror(event->error) : gai_strerror(event->result));
	text_char(text, ')');
	colour(text, show, COLOUR_END);
}

static void put_result(struct text *text, const struct event *event, const struct show *show)
{
	if (event_failed(event)) {
		put_failure(text, event, show);
		return;
	}
	if (!has_result(event->kind))
		return;
	text_put(text, " = ");
	text_signed(text, event->result);
}

static const char *arrow(enum op_kind kind)
{
	if (kind == OP_ACCEPT || kind == OP_RECV)
		return "<- ";
	return kind == OP_CONNECT || kind == OP_SEND ? "-> " : "<-> ";
}

static void put_end(struct text *text, const char *before, const struct endpoint *end)
{
	char printed[ADDR_TEXT_MAX];

	addr_print_endpoint(printed, end);
	text_char(text, ' ');
	text_put(text, before);
	text_put(text, printed);
}

/* A moved call has both: what was asked for, and where it went. */
static void put_ends(struct text *text, const struct event *event)
{
	bool moves_local = event->has_asked && event->kind == OP_BIND;
	char printed[ADDR_TEXT_MAX];

	if (moves_local)
		put_end(text, "", &event->asked);
	if (event->has_local)
		put_end(text, moves_local ? "-> " : "", &event->local);
	if (event->has_asked && !moves_local)
		put_end(text, arrow(event->kind), &event->asked);
	if (event->has_remote && event->kind != OP_RESOLVE) {
		put_end(text, arrow(event->kind), &event->remote);
	} else if (event->has_remote) {
		addr_print(printed, &event->remote.ip);
		text_char(text, ' ');
		text_put(text, printed);
	}
}

static void put_path(struct text *text, const struct event *event)
{
	if (event->family != FAMILY_UNIX || event->text_len == 0)
		return;
	text_put(text, " unix:");
	text_visible(text, event->text, event->text_len);
}

/* Where the call came from, from the inside out. */
static void put_frames(struct text *text, const struct event *event)
{
	struct session_site site;
	const char *frames, *end;

	if (!event_site(event, &site, &frames))
		return;
	for (uint32_t at = 0; at < site.len; at = (uint32_t)(end - frames) + 1) {
		end = memchr(frames + at, '\n', site.len - at);
		end = end ? end : frames + site.len;
		text_put(text, at ? " < " : " ");
		text_visible(text, frames + at, (size_t)(end - frames) - at);
	}
}

static void put_verdict(struct text *text, const struct event *event, const struct show *show)
{
	if (event->verdict == VERDICT_PASSED)
		return;
	colour(text, show, COLOUR_YELLOW);
	text_put(text, " [");
	text_put(text, name_verdict(event->verdict));
	if (event->rule) {
		text_put(text, " by rule ");
		text_unsigned(text, event->rule);
	}
	if (event->rule && event->set > 1) {
		text_put(text, " of set ");
		text_unsigned(text, event->set);
	}
	text_char(text, ']');
	colour(text, show, COLOUR_END);
}

size_t show_line(char *buf, const struct event *event, struct show *show)
{
	struct text text = text_on(buf, SHOW_LINE_MAX);

	put_clock(&text, show, event->time_ns);
	text_char(&text, ' ');
	put_process(&text, event);
	text_char(&text, ' ');
	colour(&text, show, COLOUR_BOLD);
	text_put(&text, name_op(event->kind));
	colour(&text, show, COLOUR_END);
	text_char(&text, '(');
	put_arguments(&text, event);
	text_char(&text, ')');
	put_result(&text, event, show);
	put_ends(&text, event);
	put_path(&text, event);
	put_frames(&text, event);
	put_verdict(&text, event, show);
	text_char(&text, '\n');
	return text.len;
}
