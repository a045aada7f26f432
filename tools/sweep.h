/* SPDX-License-Identifier: MIT */
/* sweep.h - what the parts of `tcpshim sweep` share: a fault, the runs that try it at one
 * call after another, and what the program then did.
 *
 *   sweep_faults   which faults, and the rules that inject them
 *   sweep_plan     from the calls of a run without faults to the runs that are to be made
 *   sweep_child    one run of the program
 *   sweep_pool     several at once, the clock and Ctrl-C
 *   sweep_look     what the session of a run says
 *   sweep_judge    what the program did, compared with a run without faults
 *   sweep_state    results that outlive an interruption
 *   sweep_text, sweep_tap, sweep_junit   the report */
#ifndef TOOLS_SWEEP_H
#define TOOLS_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a program did, the worst first: name, and whether the sweep has then failed. */
#define SWEEP_DID_LIST(X)                                                                          \
	X(CRASH, "crash", true)                                                                    \
	X(SPIN, "spin", true)                                                                      \
	X(HANG, "hang", true)                                                                      \
	X(LEAK, "leak", false)           /* went on, with sockets that nobody closed */            \
	X(OUTPUT, "other output", false) /* and the expected status */                             \
	X(STATUS, "other status", false) /* above 125, which tells an error of a program not */    \
	X(ERROR, "clean error", false)   /* ended by itself with a status from 1 to 125 */         \
	X(UNFIRED, "not reached", false) /* it made fewer calls than before */                     \
	X(SAME, "same output", false)

/* clang-format off */
enum sweep_did {
#define X(name, text, is_bad) SWEEP_##name,
	SWEEP_DID_LIST(X)
#undef X
	SWEEP_DIDS
};
/* clang-format on */

/* "crash", "clean error"; never NULL. */
const char *sweep_did_name(enum sweep_did did);

/* Does it make the sweep fail? */
bool sweep_did_badly(enum sweep_did did);

enum { SWEEP_SAID_MAX = 160 };

struct sweep_result {
	enum sweep_did did;
	int status;        /* of the program; -1: it was ended by a signal */
	int signal;        /* CRASH: it died by, 0: not known; else 0 */
	uint64_t took_ns;  /* from start to end */
	uint64_t rate;     /* SPIN: failing calls a second; 0: it was told by its use of the CPU */
	uint32_t leaks;    /* sockets open at the end, beyond those of a run without faults */
	uint32_t vanished; /* processes, not the first, that died without a word */
	char said[SWEEP_SAID_MAX + 1]; /* the end of its last line on stderr; any bytes but NUL */
};

/* One run: fault number `fault` at call `turn`, and perhaps all that follow. */
struct sweep_trial {
	uint32_t fault, turn;
	bool is_on; /* from there on */
	bool is_done;
	bool is_repeat;     /* calls before it come from the same place */
	uint32_t alike;     /* calls from the same place, this one included; 0: not known */
	const char *frames; /* where it is made: path+0xoffset a line; NULL: not known */
	struct sweep_result result;
};

/* What a report is made of. */
struct sweep_report {
	char **argv;
	const char *how; /* options to repeat a run with, quoted: -f rules */
	uint64_t seed;
	const struct sweep_faults *faults;
	struct sweep_trial *trial;
	size_t trials, done;
	size_t alike;     /* calls that were left out for their place */
	size_t left_out;  /* runs beyond --max */
	int interrupted;  /* by this signal, 0: not */
	bool is_unstable; /* runs without faults do not print the same */
	struct site_names *sites;
};

/* ---- words for every kind of report (sweep_words.c) ---- */

/* "connect tcp error ETIMEDOUT": the fault; "when 3" or "when 3+" */
const char *sweep_fault_text(const struct sweep_report *report, const struct sweep_trial *trial);
const char *sweep_when(const struct sweep_trial *trial);

/* "exit status 1: connect: Connection refused"; escaped as text_visible() does it */
const char *sweep_story(const struct sweep_result *result);

/* The command that repeats a run, for a shell, printable; to be freed. */
char *sweep_command(const struct sweep_report *report, const struct sweep_trial *trial);

/* A word for a shell, to be taken as it is, printable; to be freed. */
char *sweep_quote(const char *word);

/* How many runs ended so. */
size_t sweep_count(const struct sweep_report *report, enum sweep_did did);
size_t sweep_count_bad(const struct sweep_report *report);

#endif
