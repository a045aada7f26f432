/* SPDX-License-Identifier: MIT */
/* fault_wording.c - see fault_wording.h. */
#include "tools/fault_wording.h"

#include <errno.h>

#include "core/rules_errors.h"

/* ---- numbers ---- */

/* In the largest unit of which it is a whole number: 200 ms. */
static void put_duration(struct text *text, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {
	        {UINT64_C(3600000000000), " h"},
	        {UINT64_C(60000000000), " min"},
	        {1000000000, " s"},
	        {1000000, " ms"},
	        {1000, " us"},
	        {1, " ns"},
	};
	unsigned i = ns ? 0 : 2;

	while (ns % units[i].ns)
		i++;
	text_unsigned(text, ns / units[i].ns);
	text_put(text, units[i].name);
}

/* second, third, 4th, 21st */
static void put_ordinal(struct text *text, uint32_t number)
{
	static const char *const words[] = {"", "", "second", "third"};
	static const char *const ends[] = {"th", "st", "nd", "rd"};
	unsigned last = number % 10;

	if (number == 2 || number == 3) {
		text_put(text, words[number]);
		return;
	}
	text_unsigned(text, number);
	text_put(text, ends[last > 3 || number / 10 % 10 == 1 ? 0 : last]);
}

static void put_percent(struct text *text, uint32_t per_million)
{
	unsigned part = per_million % 10000, width = 4;

	text_unsigned(text, per_million / 10000);
	for (; part && part % 10 == 0; part /= 10)
		width--;
	if (part) {
		text_char(text, '.');
		text_digits(text, part, width);
	}
	text_char(text, '%');
}

static void put_count(struct text *text, uint32_t number, const char *thing)
{
	text_unsigned(text, number);
	text_char(text, ' ');
	text_put(text, thing);
	text_put(text, number == 1 ? "" : "s");
}

/* ---- turns ---- */

static void put_when(struct text *text, const struct rule *rule)
{
	bool is_open = rule->last == UINT32_MAX;

	if (!(rule->flags & RULE_WHEN) || (rule->first == 1 && is_open && rule->step == 1)) {
		text_put(text, "every call");
		return;
	}
	if (rule->step > 1) {
		text_put(text, "every ");
		put_ordinal(text, rule->step);
		text_put(text, " call from ");
	} else if (is_open) {
		text_put(text, "from ");
	}
	text_put(text, rule->step > 1 || is_open || rule->first == rule->last ? "call " : "calls ");
	text_unsigned(text, rule->first);
	if (is_open) {
		text_put(text, " on");
	} else if (rule->first != rule->last) {
		text_put(text, " to ");
		text_unsigned(text, rule->last);
	}
}

void fault_put_conditions(struct text *text, const struct rule *rule)
{
	if (rule->flags & RULE_PROBABILITY) {
		text_put(text, ", with a chance of ");
		put_percent(text, rule->probability);
	}
	if (rule->flags & RULE_AFTER) {
		text_put(text, ", once the session is ");
		put_duration(text, rule->after_ns);
		text_put(text, " old");
	}
	if (rule->flags & RULE_FOR) {
		text_put(text, rule->flags & RULE_AFTER ? ", for " : ", in the session's first ");
		put_duration(text, rule->for_ns);
	}
	if (rule->flags & RULE_WHILE) {
		text_put(text, ", while ");
		put_count(text, rule->amount, "socket");
		text_put(text, " or more are open");
	}
}

void fault_put_turns(struct text *text, const struct rule *rule)
{
	put_when(text, rule);
	fault_put_conditions(text, rule);
}

/* ---- effects ---- */

static void put_delay(struct text *text, const struct rule *rule)
{
	uint64_t jitter = rule->flags & RULE_JITTER ? rule->jitter_ns : 0;

	if (jitter) {
		put_duration(text, rule->delay_ns > jitter ? rule->delay_ns - jitter : 0);
		text_put(text, " to ");
	}
	put_duration(text, rule->delay_ns + jitter);
	text_put(text, " late");
}

void fault_put_effect(struct text *text, const struct rule *rule)
{
	if (rule->action == ACTION_DELAY) {
		put_delay(text, rule);
		return;
	}
	text_put(text, rule_error_name(rule->error));
	if (rule->calls == RULE_CALL(OP_CLOSE))
		text_put(text, " (it is closed all the same)");
}

static void put_connections(struct text *text, const struct rule *rule, const char *where)
{
	text_put(text, "at most ");
	put_count(text, rule->amount, "connection");
	text_put(text, where);
	text_put(text, " at once, then ");
	if (rule->flags & RULE_ERROR) {
		text_put(text, rule_error_name(rule->error));
		return;
	}
	text_put(text, "EADDRNOTAVAIL of connect, EMFILE of accept");
}

void limit_put_effect(struct text *text, const struct rule *rule, const char *where)
{
	switch ((enum limit_kind)rule->limit) {
	case LIMIT_FDS:
		text_put(text, "at most ");
		put_count(text, rule->amount, "descriptor");
		text_put(text, " a process, then EMFILE");
		break;
	case LIMIT_SOCKETS:
		text_put(text, "at most ");
		put_count(text, rule->amount, "socket");
		text_put(text, rule->flags & RULE_TREE ? " in all processes, then ENFILE"
		                                       : " a process, then EMFILE");
		break;
	case LIMIT_PORTS:
		text_put(text, "an ephemeral range of ");
		put_count(text, rule->amount, "port");
		text_put(text, where);
		break;
	case LIMIT_CONNECTIONS:
		put_connections(text, rule, where);
		break;
	case LIMIT_BACKLOG:
		text_put(text, "a backlog of at most ");
		text_unsigned(text, rule->amount);
		break;
	case LIMIT_MEMORY:
	case LIMIT_NONE:
		fault_put_effect(text, rule);
		break;
	}
}
