/* SPDX-License-Identifier: MIT */
/* sweep_words.c - what every report of a sweep says in the same words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "tools/memory.h"
#include "tools/sweep_faults.h"
#include "tools/wording.h"

enum { STORY_MAX = 1024 };

static const struct {
	const char *name;
	bool is_bad;
} dids[] = {
#define X(name, text, is_bad) [SWEEP_##name] = {text, is_bad},
        SWEEP_DID_LIST(X)
#undef X
};

const char *sweep_did_name(enum sweep_did did)
{
	return (unsigned)did < SWEEP_DIDS ? dids[did].name : "?";
}

bool sweep_did_badly(enum sweep_did did)
{
	return (unsigned)did < SWEEP_DIDS && dids[did].is_bad;
}

const char *sweep_fault_text(const struct sweep_report *report, const struct sweep_trial *trial)
{
	return report->faults->fault[trial->fault].text + strlen("fail ");
}

const char *sweep_when(const struct sweep_trial *trial)
{
	static char buf[32];

	snprintf(buf, sizeof(buf), "when %u%s", trial->turn, trial->is_on ? "+" : "");
	return buf;
}

static void put_signal(struct text *text, const struct sweep_result *result)
{
	const char *name = result->signal ? sigabbrev_np(result->signal) : NULL;

	if (!result->signal)
		return;
	text_put(text, name ? "SIG" : "signal ");
	if (name)
		text_put(text, name);
	else
		text_signed(text, result->signal);
	if (result->status >= 0)
		text_put(text, " of a process of it");
}

static void put_vanished(struct text *text, const struct sweep_result *result)
{
	if (!result->vanished)
		return;
	text_put(text, text->len ? "; " : "");
	text_put(text, word_count(result->vanished, "process"));
	text_put(text, " of it died without a word");
}

static void put_said(struct text *text, const struct sweep_result *result)
{
	if (!result->said[0])
		return;
	text_put(text, ": ");
	text_visible(text, result->said, strlen(result->said));
}

static void put_status(struct text *text, const struct sweep_result *result)
{
	text_put(text, "exit status ");
	text_signed(text, result->status);
	put_said(text, result);
}

static void put_spin(struct text *text, const struct sweep_result *result)
{
	if (result->rate) {
		text_put(text, word_number(result->rate));
		text_put(text, " failing calls a second");
	} else {
		text_put(text, "still running, and busy, after ");
		text_put(text, word_duration(result->took_ns));
	}
}

static void put_story(struct text *text, const struct sweep_result *result)
{
	switch (result->did) {
	case SWEEP_CRASH:
		put_signal(text, result);
		put_vanished(text, result);
		put_said(text, result);
		break;
	case SWEEP_SPIN:
		put_spin(text, result);
		break;
	case SWEEP_HANG:
		text_put(text, "still running after ");
		text_put(text, word_duration(result->took_ns));
		break;
	case SWEEP_LEAK:
		text_put(text, word_count(result->leaks, "socket"));
		text_put(text, " more than without the fault open at the end");
		break;
	case SWEEP_STATUS:
	case SWEEP_ERROR:
		put_status(text, result);
		put_vanished(text, result);
		break;
	case SWEEP_UNFIRED:
		text_put(text, "it made fewer such calls than before");
		break;
	case SWEEP_OUTPUT:
	case SWEEP_SAME:
	case SWEEP_DIDS:
		text_put(text, sweep_did_name(result->did));
		break;
	}
}

const char *sweep_story(const struct sweep_result *result)
{
	static char buf[STORY_MAX];
	struct text text = text_on(buf, sizeof(buf));

	put_story(&text, result);
	return buf;
}

static bool is_printable(const char *word)
{
	while (*word >= ' ' && *word <= '~')
		word++;
	return *word == '\0';
}

/* A word for a shell, printable whatever is in it; where it takes that, as bash(1) knows it. */
static void put_word(FILE *out, const char *word)
{
	bool is_plain = is_printable(word);

	if (word[0] && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                                 "0123456789_-./:=,+@%")] == '\0') {
		fputs(word, out);
		return;
	}
	fputs(is_plain ? "'" : "$'", out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs(is_plain ? "'\\''" : "\\'", out);
		else if (is_plain || (*word >= ' ' && *word <= '~' && *word != '\\'))
			fputc(*word, out);
		else
			fprintf(out, "\\%03o", (unsigned char)*word);
	}
	fputc('\'', out);
}

char *sweep_quote(const char *word)
{
	char *quoted = NULL;
	size_t len;
	FILE *out = open_memstream(&quoted, &len);

	if (!out)
		memory_gone();
	put_word(out, word);
	if (fclose(out) != 0)
		memory_gone();
	return quoted;
}

char *sweep_command(const struct sweep_report *report, const struct sweep_trial *trial)
{
	char *command = NULL, rule[3 * RULE_TEXT_MAX];
	size_t len;
	FILE *out = open_memstream(&command, &len);

	if (!out)
		memory_gone();
	snprintf(rule, sizeof(rule), "%s %s", report->faults->fault[trial->fault].text,
	         sweep_when(trial));
	fprintf(out, "tcpshim run --seed 0x%llx%s -r ", (unsigned long long)report->seed,
	        report->how);
	put_word(out, rule);
	fputs(" --", out);
	for (char **word = report->argv; *word; word++) {
		fputc(' ', out);
		put_word(out, *word);
	}
	if (fclose(out) != 0)
		memory_gone();
	return command;
}

size_t sweep_count(const struct sweep_report *report, enum sweep_did did)
{
	size_t count = 0;

	for (size_t i = 0; i < report->trials; i++)
		count += report->trial[i].is_done && report->trial[i].result.did == did;
	return count;
}

size_t sweep_count_bad(const struct sweep_report *report)
{
	size_t count = 0;

	for (int did = 0; did < SWEEP_DIDS; did++)
		if (sweep_did_badly((enum sweep_did)did))
			count += sweep_count(report, (enum sweep_did)did);
	return count;
}
