/* SPDX-License-Identifier: MIT */
/* sweep_faults.c - see sweep_faults.h. */
#include "tools/sweep_faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/memory.h"
#include "tools/source.h"

enum { FRAMED_MAX = 1 << 20 };

/* What the calls of a program really meet, one error for each way to go on: nothing left
 * here, refused, unreachable, reset. A close of a socket does not fail on Linux. */
static const char *const usual[] = {
        "socket error EMFILE",         "bind error EADDRINUSE",
        "listen error EADDRINUSE",     "connect tcp error ECONNREFUSED",
        "connect tcp error ETIMEDOUT", "connect tcp error EADDRNOTAVAIL",
        "accept error EMFILE",         "accept tcp error ECONNABORTED",
        "send tcp error ECONNRESET",   "recv tcp error ECONNRESET",
        "getaddrinfo error EAI_AGAIN",
};

/* ---- from words to a fault ---- */

static char *print_rule(const struct rules *rules, const struct rule *rule)
{
	char buf[2 * RULE_TEXT_MAX];
	size_t len = rule_print(buf, sizeof(buf), rules, rule);

	return memory_copy(buf, len < sizeof(buf) ? len : sizeof(buf) - 1);
}

/* The rule without its error: faults with the same one share a probe. */
static char *key_of(const struct rules *rules)
{
	struct rule rule;

	memcpy(&rule, &rules->rule[0], sizeof(rule));
	rule.error = 0;
	rule.flags &= (uint16_t) ~(RULE_ERROR | RULE_INSIST);
	return print_rule(rules, &rule);
}

static unsigned round_for(const struct sweep_faults *faults, uint32_t calls)
{
	for (unsigned round = 0;; round++) {
		bool is_free = true;

		for (size_t i = 0; i < faults->probes && is_free; i++)
			is_free = faults->probe[i].round != round ||
			          !(faults->probe[i].calls & calls);
		if (is_free)
			return round;
	}
}

static uint32_t probe_for(struct sweep_faults *faults, const struct rules *rules)
{
	char *key = key_of(rules);
	struct sweep_probe *probe;
	uint32_t i = 0;

	while (i < faults->probes && strcmp(faults->probe[i].key, key) != 0)
		i++;
	if (i < faults->probes) {
		free(key);
		return i;
	}
	faults->probe =
	        grow(faults->probe, faults->probes, &faults->probe_room, sizeof(*faults->probe));
	probe = &faults->probe[faults->probes];
	*probe = (struct sweep_probe){
	        .key = key, .fault = (uint32_t)faults->count, .calls = rules->rule[0].calls};
	probe->round = round_for(faults, probe->calls);
	if (faults->rounds <= probe->round)
		faults->rounds = probe->round + 1;
	faults->probes++;
	return i;
}

static void add_rule(struct sweep_faults *faults, const struct rules *rules)
{
	struct sweep_fault fault = {.probe = probe_for(faults, rules),
	                            .text = print_rule(rules, &rules->rule[0])};

	faults->fault = grow(faults->fault, faults->count, &faults->room, sizeof(*faults->fault));
	faults->fault[faults->count++] = fault;
}

/* One rule, and the sweep is to say when. */
static const char *complaint(const struct rules *rules)
{
	const unsigned turns = RULE_WHEN | RULE_PROBABILITY | RULE_AFTER | RULE_FOR | RULE_WHILE;

	if (rules->count != 1)
		return "one fault is needed, such as 'connect error ETIMEDOUT'";
	if (rules->rule[0].action != ACTION_FAIL)
		return "only faults of 'fail' can be tried";
	if (rules->rule[0].flags & turns)
		return "it is the sweep that says when: leave that out";
	return NULL;
}

int sweep_faults_add(struct sweep_faults *faults, const struct command *command, const char *words)
{
	struct rules_input input = {.command = command, .sources = 1};
	bool has_action = strncmp(words, "fail ", 5) == 0;
	const char *problem = "";
	struct rules *rules;
	char *text;

	if (asprintf(&text, "%s%s", has_action ? "" : "fail ", words) < 0)
		memory_gone();
	input.text[0] = text;
	input.source[0] =
	        (struct rules_source){.name = "--fail", .text = text, .len = strlen(text)};
	rules = rules_input_compile(&input);
	rules_input_print(&input);
	if (rules)
		problem = complaint(rules);
	if (rules && !problem)
		add_rule(faults, rules);
	else if (rules)
		command_fail(command, "--fail '%s': %s", words, problem);
	free(rules);
	rules_input_free(&input);
	return problem ? EXIT_TCPSHIM : 0;
}

void sweep_faults_default(struct sweep_faults *faults, const struct command *command)
{
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		sweep_faults_add(faults, command, usual[i]);
}

void sweep_faults_free(struct sweep_faults *faults)
{
	for (size_t i = 0; i < faults->count; i++)
		free(faults->fault[i].text);
	for (size_t i = 0; i < faults->probes; i++) {
		for (size_t turn = 0; turn < faults->probe[i].framed; turn++)
			free(faults->probe[i].frames[turn]);
		free(faults->probe[i].frames);
		free(faults->probe[i].key);
	}
	free(faults->fault);
	free(faults->probe);
}

/* ---- where calls came from ---- */

void sweep_probe_frames(struct sweep_probe *probe, uint64_t turn, const char *frames, size_t len)
{
	if (turn == 0 || turn > FRAMED_MAX)
		return;
	while (probe->framed < turn) {
		probe->frames = grow(probe->frames, probe->framed, &probe->frame_room,
		                     sizeof(*probe->frames));
		probe->frames[probe->framed++] = NULL;
	}
	free(probe->frames[turn - 1]);
	probe->frames[turn - 1] = len > 0 ? memory_copy(frames, len) : NULL;
}

const char *sweep_probe_at(const struct sweep_probe *probe, uint64_t turn)
{
	return turn >= 1 && turn <= probe->framed ? probe->frames[turn - 1] : NULL;
}

/* ---- rules ---- */

struct rules *sweep_rules(const struct rules_input *base, const char *text)
{
	struct rules_input *input = memory_new(sizeof(*input));
	struct rules *rules = NULL;

	input->command = base->command;
	input->sources = base->sources;
	memcpy(input->source, base->source, sizeof(input->source));
	if (input->sources < RULES_SOURCES_MAX) {
		input->source[input->sources++] =
		        (struct rules_source){.name = "sweep", .text = text, .len = strlen(text)};
		rules = rules_input_compile(input);
	}
	input->sources = 0; /* the texts are not ours */
	rules_input_free(input);
	free(input);
	return rules;
}

/* FNV-1a, of 64 bits. */
uint64_t sweep_hash(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;

	hash ^= UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash ^ UINT64_C(0xcbf29ce484222325);
}
