/* SPDX-License-Identifier: MIT */
/* sweep_faults.h - which faults a sweep tries, and the rules for it.
 *
 * A fault is a rule of `fail` without a `when`: that is the sweep's. Faults that differ in
 * their error alone share a probe: a rule that counts their calls in a run without
 * faults. Of two probes that can match one call only one can tell where it came from: such
 * probes are in different rounds. */
#ifndef TOOLS_SWEEP_FAULTS_H
#define TOOLS_SWEEP_FAULTS_H

#include "tools/rules_input.h"
#include "tools/sweep.h"

struct sweep_fault {
	char *text; /* fail connect tcp error ETIMEDOUT */
	uint32_t probe;
};

struct sweep_probe {
	char *key;      /* the rule without its error */
	uint32_t fault; /* the first that it counts for */
	uint32_t calls; /* RULE_CALL bits */
	unsigned round; /* 0.. */
	uint64_t turns; /* calls that a run without faults makes */
	char **frames;  /* of turns, as far as known; NULL: not */
	size_t framed;  /* how many of frames are there */
	size_t frame_room;
};

struct sweep_faults {
	struct sweep_fault *fault;
	size_t count, room;
	struct sweep_probe *probe;
	size_t probes, probe_room;
	unsigned rounds;
};

/* Add a fault of the command line: "connect tcp error ETIMEDOUT". Returns 0, or
 * EXIT_TCPSHIM, said. */
int sweep_faults_add(struct sweep_faults *faults, const struct command *command, const char *words);

/* Add those that are tried if none is given. */
void sweep_faults_default(struct sweep_faults *faults, const struct command *command);

void sweep_faults_free(struct sweep_faults *faults);

/* Remember where call number turn, from 1 on, of a probe came from. */
void sweep_probe_frames(struct sweep_probe *probe, uint64_t turn, const char *frames, size_t len);

/* The same asked: NULL if it is not known. */
const char *sweep_probe_at(const struct sweep_probe *probe, uint64_t turn);

/* The rules of base with those of text behind them; for free(). NULL: there is no room. */
struct rules *sweep_rules(const struct rules_input *base, const char *text);

/* A hash of bytes, to be gone on with: begin with 0. */
uint64_t sweep_hash(uint64_t hash, const void *bytes, size_t len);

#endif
