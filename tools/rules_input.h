/* SPDX-License-Identifier: MIT */
/* rules_input.h - the rules that a command was given: by the environment, by files
 * (-f) and by words (-r). Reads them in this order, compiles them to one set, and
 * keeps what there is to say about them.
 *
 * Zero it, set command, ask for what the command line names, load, free. */
#ifndef TOOLS_RULES_INPUT_H
#define TOOLS_RULES_INPUT_H

#include "core/rules.h"
#include "tools/cmd.h"

enum rules_kind { RULES_FILE, RULES_WORDS, RULES_VARIABLE /* words of the environment */ };

struct rules_input {
	const struct command *command;
	bool is_quiet; /* errors only */

	struct rules_asked {
		enum rules_kind kind;
		const char *word; /* the caller's */
	} * asked;
	size_t asked_count, asked_room;

	struct rules_source source[RULES_SOURCES_MAX];
	char *text[RULES_SOURCES_MAX]; /* of the sources, ours */
	unsigned sources;

	struct rules_kept {
		struct rules_problem problem;
		char *what, *expected, *instead; /* its strings, ours */
	} * problem;
	size_t problems, problem_room;
	size_t errors, warnings;
};

/* One more place that rules come from; FILE "-" is stdin. Its word stays the caller's. */
void rules_input_ask(struct rules_input *input, enum rules_kind kind, const char *word);

/* Put what TCPSHIM_RULES_FILE and TCPSHIM_RULES of the environment ask for before
 * the rest. */
void rules_input_ask_environment(struct rules_input *input);

/* Read everything asked for. Returns 0 or EXIT_TCPSHIM, said. */
int rules_input_read(struct rules_input *input);

/* Compile what was read. Returns the set, for free(), or NULL if there are errors: they
 * are among the problems, and nothing is printed. */
struct rules *rules_input_compile(struct rules_input *input);

/* Add a warning about a rule of the compiled set; strings are copied, note may be NULL. */
void rules_input_warn(struct rules_input *input, const struct rules *rules, uint32_t index,
                      const char *what, const char *note);

/* Print the problems to stderr. */
void rules_input_print(const struct rules_input *input);

/* All of that: read, compile, print. Returns 0 with *rules, NULL if nothing was asked
 * for; or EXIT_TCPSHIM, said. */
int rules_input_load(struct rules_input *input, struct rules **rules);

void rules_input_free(struct rules_input *input);

#endif
