/* SPDX-License-Identifier: MIT */
/* recovery_words.c - see recovery_words.h. */
#include "tools/recovery_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/names.h"
#include "tools/port_range.h"
#include "tools/wording.h"

enum { SPIN_MIN = 5 };

/* What a sentence is made of: parts, with something between them. */
struct sentence {
	char *buf;
	size_t len;
};

__attribute__((format(printf, 3, 4))) static void say(struct sentence *sentence,
                                                      const char *between, const char *format, ...)
{
	size_t room = RECOVERY_WORDS_MAX - sentence->len;
	va_list args;
	int len;

	len = snprintf(sentence->buf + sentence->len, room, "%s", sentence->len ? between : "");
	sentence->len += (size_t)len < room ? (size_t)len : room - 1;
	room = RECOVERY_WORDS_MAX - sentence->len;
	va_start(args, format);
	len = vsnprintf(sentence->buf + sentence->len, room, format, args);
	va_end(args);
	sentence->len += (size_t)len < room ? (size_t)len : room - 1;
}

static const struct rule *rule_of(const struct audit *audit, const struct trouble *row)
{
	const struct rulesets *sets = audit->rules;

	for (size_t i = 0; sets && i < sets->count; i++)
		if (sets->set[i].number == row->key.set)
			return ruleset_rule(&sets->set[i], row->key.rule);
	return NULL;
}

const char *trouble_error(const struct audit *audit, const struct trouble *row)
{
	const struct rule *rule = row->key.error ? NULL : rule_of(audit, row);
	int error = rule ? rule->error : row->key.error;
	const char *name = error < 0 ? name_eai(error) : name_errno(error);

	return name ? name : error ? word_number((uint64_t)(error < 0 ? -error : error)) : "?";
}

uint32_t trouble_rule(const struct audit *audit, const struct trouble *row, uint32_t *set)
{
	*set = row->key.set;
	if (row->key.rule || row->key.error != EMFILE)
		return row->key.rule;
	return port_range_fds_rule(audit, row->key.program, set);
}

const char *trouble_place(const struct trouble *row)
{
	const struct place *place = &row->key.place;
	static const struct place nowhere;

	if (row->key.is_elsewhere)
		return "elsewhere";
	if (place->path[0])
		return word_text(place->path, strlen(place->path));
	if (memcmp(&place->end, &nowhere.end, sizeof(place->end)) == 0)
		return "-";
	return word_endpoint(&place->end);
}

bool trouble_spins(const struct trouble *row)
{
	return row->spin >= SPIN_MIN;
}

const char *word_rate(uint64_t count, uint64_t ns)
{
	double seconds = (double)(ns ? ns : 1) / 1e9;
	double rate = (double)count / seconds;

	return word_count(rate < 1e12 ? (uint64_t)rate : (uint64_t)1e12, "call");
}

/* ---- what followed ---- */

static void say_tries(struct sentence *sentence, const struct trouble *row)
{
	const struct pauses *pauses = &row->pauses;

	if (row->key.call == OP_CLOSE) {
		say(sentence, "", "the descriptor was closed all the same");
		return;
	}
	if (row->key.call == OP_SEND || row->key.call == OP_RECV) {
		if (row->tries)
			say(sentence, "", "called again %s, at the soonest after %s",
			    word_count(row->tries, "time"), word_duration(pauses->shortest_ns));
		return;
	}
	if (row->tries == 0)
		say(sentence, "", "not tried again");
	else if (row->tries == 1)
		say(sentence, "", "tried again after %s", word_duration(pauses->shortest_ns));
	else
		say(sentence, "", "tried again %s, after %s to %s (median %s)",
		    word_count(row->tries, "time"), word_duration(pauses->shortest_ns),
		    word_duration(pauses->longest_ns), word_duration(pauses_median(pauses)));
	if (trouble_spins(row))
		say(sentence, ", ", "%s in a row without a pause (%s a second)",
		    word_number(row->spin), word_rate(row->spin, row->spin_ns));
}

/* "twice", where it came to that in only some of several episodes: " (2 of 3 times)". */
static const char *of_all(const struct trouble *row, uint64_t count)
{
	static char text[2][64];
	static unsigned next;
	char *buf = text[next++ % 2];

	buf[0] = '\0';
	if (row->episodes > 1 && count < row->episodes)
		snprintf(buf, sizeof(text[0]), " (%s of %s)", word_number(count),
		         word_count(row->episodes, "time"));
	else if (row->episodes > 1)
		snprintf(buf, sizeof(text[0]), " (each of %s)", word_count(row->episodes, "time"));
	return buf;
}

static const char *success_of(const struct trouble *row)
{
	switch (row->key.call) {
	case OP_ACCEPT:
		return "then accepted";
	case OP_CONNECT:
		return "then connected";
	case OP_CLOSE:
		return "went on";
	default:
		return "then succeeded";
	}
}

static void say_end(struct sentence *sentence, const struct trouble *row)
{
	char status[48] = "";

	if (row->exited && row->status >= 0)
		snprintf(status, sizeof(status), " with status %d", row->status);
	if (row->exited)
		say(sentence, "; ", "the process exited%s, %s after it%s", status,
		    word_duration(row->exit_ns), of_all(row, row->exited));
	if (row->died)
		say(sentence, "; ", "the process ended without exit%s%s", of_all(row, row->died),
		    row->last_words ? ", and this is the last that was seen of it" : "");
}

static void say_outcomes(struct sentence *sentence, const struct trouble *row)
{
	if (row->recovered && row->key.call == OP_CLOSE)
		say(sentence, "; ", "%s", success_of(row));
	else if (row->recovered)
		say(sentence, "; ", "%s%s, at the latest after %s", success_of(row),
		    of_all(row, row->recovered), word_duration(row->recovery_ns));
	if (row->idle)
		say(sentence, "; ", "then nobody was waiting%s", of_all(row, row->idle));
	if (row->pending)
		say(sentence, "; ", "how the last try went is not known%s",
		    of_all(row, row->pending));
	if (row->closed)
		say(sentence, "; ", "the socket was closed%s", of_all(row, row->closed));
	if (row->reconnected)
		say(sentence, "; ", "connected anew");
	say_end(sentence, row);
	if (row->open)
		say(sentence, "; ", "%s for %s, until the end of the record%s",
		    row->key.call == OP_CLOSE ? "nothing more" : "not got over",
		    word_duration(row->idle_ns), of_all(row, row->open));
}

const char *trouble_words(char *buf, const struct trouble *row)
{
	struct sentence sentence = {.buf = buf};

	buf[0] = '\0';
	say_tries(&sentence, row);
	say_outcomes(&sentence, row);
	return buf;
}
