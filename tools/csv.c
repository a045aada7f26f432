/* SPDX-License-Identifier: MIT */
/* csv.c - see csv.h. */
#include "tools/csv.h"

#include <string.h>

#include "core/names.h"
#include "core/text.h"

const char csv_head[] = "time,time_ns,took_ns,pid,tid,process,program,call,fd,sock,family,"
                        "proto,local,remote,result,error,verdict,rule,arg,text,asked,set\n";

/* A field that the program had a hand in: always quoted. */
static void put_foreign(struct text *text, const char *bytes, size_t len)
{
	char visible[4 * EVENT_TEXT_MAX + 1];
	struct text shown = text_on(visible, sizeof(visible));

	text_visible(&shown, bytes, len);
	text_char(text, '"');
	for (size_t i = 0; i < shown.len; i++) {
		if (visible[i] == '"')
			text_char(text, '"');
		text_char(text, visible[i]);
	}
	text_put(text, "\",");
}

/* A number, or nothing if it is unknown. */
static void put_known(struct text *text, bool is_known, int64_t value)
{
	if (is_known)
		text_signed(text, value);
	text_char(text, ',');
}

static void put_word(struct text *text, const char *word)
{
	text_put(text, word);
	text_char(text, ',');
}

static void put_end(struct text *text, bool is_known, const struct endpoint *end)
{
	char printed[ADDR_TEXT_MAX] = "";

	if (is_known)
		addr_print_endpoint(printed, end);
	put_word(text, printed);
}

/* An address that getaddrinfo gave has no port. */
static void put_remote(struct text *text, const struct event *event)
{
	char printed[ADDR_TEXT_MAX];

	if (event->kind != OP_RESOLVE || !event->has_remote) {
		put_end(text, event->has_remote, &event->remote);
		return;
	}
	addr_print(printed, &event->remote.ip);
	put_word(text, printed);
}

static void put_process(struct text *text, const struct event *event)
{
	put_known(text, event->pid, event->pid);
	put_known(text, event->tid, event->tid);
	put_known(text, event->process, event->process);
	if (event->program)
		put_foreign(text, event->program, strlen(event->program));
	else
		text_char(text, ',');
}

static void put_socket(struct text *text, const struct event *event)
{
	put_known(text, event->fd >= 0, event->fd);
	put_known(text, event->sock, event->sock);
	put_word(text, event->family == FAMILY_OTHER ? "" : name_family(event->family));
	put_word(text, event->proto == PROTO_OTHER ? "" : name_proto(event->proto));
	put_end(text, event->has_local, &event->local);
	put_remote(text, event);
}

static void put_result(struct text *text, const struct event *event)
{
	const char *name = event_failed(event) ? event_error_name(event) : "";

	put_known(text, event->kind != OP_EXIT || event->result >= 0, event->result);
	if (name)
		put_word(text, name);
	else
		put_known(text, true, event->error ? event->error : event->result);
	put_word(text, name_verdict(event->verdict));
	put_known(text, event->rule, event->rule);
	put_known(text, event->arg >= 0, event->arg);
}

/* Of a site, the frames. */
static void put_text(struct text *text, const struct event *event)
{
	struct session_site site;
	const char *frames = "";

	if (event_site(event, &site, &frames))
		put_foreign(text, frames, site.len);
	else if (event->text_len && event->kind != OP_SITE)
		put_foreign(text, event->text, event->text_len);
	else
		text_char(text, ',');
}

size_t csv_line(char *buf, const struct event *event)
{
	struct text text = text_on(buf, CSV_LINE_MAX);

	text_time(&text, event->time_ns);
	text_char(&text, ',');
	put_known(&text, true, (int64_t)event->time_ns);
	put_known(&text, true, (int64_t)event->took_ns);
	put_process(&text, event);
	put_word(&text, name_op(event->kind));
	put_socket(&text, event);
	put_result(&text, event);
	put_text(&text, event);
	put_end(&text, event->has_asked, &event->asked);
	put_known(&text, event->rule && event->set, event->set);
	text.buf[text.len - 1] = '\n'; /* for the comma behind the last field */
	return text.len;
}
