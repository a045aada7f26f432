/* SPDX-License-Identifier: MIT */
/* wording.c - see wording.h. */
#include "tools/wording.h"

#include <stdio.h>
#include <string.h>

#include "core/names.h"
#include "core/text.h"

enum { WORDING_MAX = 512 };

static struct text next_text(void)
{
	static char ring[WORDING_KEPT][WORDING_MAX];
	static unsigned next;

	return text_on(ring[next++ % WORDING_KEPT], WORDING_MAX);
}

static void put_number(struct text *text, uint64_t number)
{
	if (number >= 1000) {
		put_number(text, number / 1000);
		text_char(text, ',');
		text_digits(text, number % 1000, 3);
	} else {
		text_unsigned(text, number);
	}
}

const char *word_number(uint64_t number)
{
	struct text text = next_text();

	put_number(&text, number);
	return text.buf;
}

const char *word_count(uint64_t number, const char *thing)
{
	struct text text = next_text();

	put_number(&text, number);
	text_char(&text, ' ');
	text_put(&text, thing);
	if (number != 1)
		text_put(&text, thing[strlen(thing) - 1] == 's' ? "es" : "s");
	return text.buf;
}

const char *word_duration(uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
	        {1, "ns"},
	        {1000, "us"},
	        {1000000, "ms"},
	        {1000000000, "s"},
	        {60 * UINT64_C(1000000000), "min"},
	        {3600 * UINT64_C(1000000000), "h"},
	};
	struct text text = next_text();
	size_t i = sizeof(units) / sizeof(units[0]) - 1;
	uint64_t tenths;

	while (i > 0 && (ns < units[i].ns || (i == 4 && ns < 2 * units[i].ns)))
		i--;
	tenths = ns / (units[i].ns / (i ? 10 : 1));
	put_number(&text, i ? tenths / 10 : tenths);
	if (i && tenths < 100 && tenths % 10) {
		text_char(&text, '.');
		text_unsigned(&text, tenths % 10);
	}
	text_char(&text, ' ');
	text_put(&text, units[i].name);
	return text.buf;
}

const char *word_percent(uint64_t part, uint64_t whole)
{
	struct text text = next_text();
	double percent = whole ? 100.0 * (double)part / (double)whole : 0;
	char digits[32];

	if (part > 0 && percent < 0.1)
		text_put(&text, "<0.1 %");
	else if (part < whole && percent > 99.9)
		text_put(&text, ">99.9 %");
	else {
		snprintf(digits, sizeof(digits), "%.*f %%", percent >= 10 ? 0 : 1, percent);
		if (part < whole && percent > 99)
			snprintf(digits, sizeof(digits), "%.1f %%", percent - 0.05);
		text_put(&text, digits);
	}
	return text.buf;
}

static void put_endpoint(struct text *text, const struct endpoint *end)
{
	char printed[ADDR_TEXT_MAX];

	addr_print_endpoint(printed, end);
	text_put(text, printed);
}

const char *word_endpoint(const struct endpoint *end)
{
	struct text text = next_text();

	put_endpoint(&text, end);
	return text.buf;
}

const char *word_place(const struct place *place)
{
	struct text text = next_text();

	if (place->family != FAMILY_UNIX) {
		put_endpoint(&text, &place->end);
	} else if (place->path[0]) {
		text_visible(&text, place->path, strlen(place->path));
	} else {
		text_put(&text, "(unnamed)");
	}
	return text.buf;
}

const char *word_listener(const struct listener *listener)
{
	struct text text;
	char printed[ADDR_TEXT_MAX];

	if (!listener->any_port)
		return word_place(&listener->key.place);
	text = next_text();
	addr_print(printed, &listener->key.place.end.ip);
	text_put(&text, printed);
	text_put(&text, " ephemeral");
	return text.buf;
}

static void put_asked(struct text *text, const struct endpoint *asked)
{
	if (!addr_is_any(&asked->ip)) {
		put_endpoint(text, asked);
		return;
	}
	text_char(text, ':');
	text_unsigned(text, asked->port);
}

const char *word_moved(const char *place, const struct move *move)
{
	struct text text;

	if (!move)
		return place;
	text = next_text();
	text_put(&text, place);
	for (unsigned i = 0; i < move->askeds; i++) {
		text_put(&text, i ? ", " : " (asked for ");
		put_asked(&text, &move->asked[i]);
	}
	text_put(&text, move->more ? " and others)" : ")");
	return text.buf;
}

const char *word_rule(uint32_t rule, uint32_t set)
{
	struct text text = next_text();

	text_put(&text, "rule ");
	text_unsigned(&text, rule);
	if (set) {
		text_put(&text, " of set ");
		text_unsigned(&text, set);
	}
	return text.buf;
}

const char *word_process(const char *name, uint32_t pid)
{
	struct text text = next_text();

	text_visible(&text, name, strlen(name));
	if (pid) {
		text_char(&text, '[');
		text_unsigned(&text, pid);
		text_char(&text, ']');
	}
	return text.buf;
}

const char *word_unseen(const struct unseen *unseen)
{
	struct text text = next_text();

	text_visible(&text, unseen->program, strlen(unseen->program));
	text_char(&text, '[');
	text_unsigned(&text, unseen->pid);
	text_char(&text, ']');
	if (unseen->count > 1) {
		text_put(&text, " and ");
		put_number(&text, unseen->count - 1);
		text_put(&text, " alike");
	}
	return text.buf;
}

const char *word_programs(const struct programs *programs)
{
	struct text text = next_text();

	for (unsigned i = 0; i < programs->count; i++) {
		const char *name = programs->list[i]->name;

		text_put(&text, i ? ", " : "");
		text_visible(&text, name, strlen(name));
	}
	if (programs->more)
		text_put(&text, " and others");
	return text.buf;
}

const char *word_text(const char *bytes, size_t len)
{
	struct text text = next_text();

	text_visible(&text, bytes, len);
	return text.buf;
}

static void put_error(struct text *text, int error)
{
	const char *name = name_errno(error);

	if (name)
		text_put(text, name);
	else
		text_signed(text, error);
}

const char *word_errors(const struct errors *errors)
{
	struct text text = next_text();

	for (unsigned i = 0; i < errors->kinds; i++) {
		text_put(&text, i ? ", " : "");
		put_error(&text, errors->kind[i].error);
		text_char(&text, ' ');
		put_number(&text, errors->kind[i].count);
	}
	if (errors->other) {
		text_put(&text, ", others ");
		put_number(&text, errors->other);
	}
	return text.buf;
}

const char *word_proto(const struct place *place)
{
	if (place->family == FAMILY_UNIX)
		return "unix";
	return name_proto((enum proto)place->proto);
}
