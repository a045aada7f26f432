/* SPDX-License-Identifier: MIT */
/* grant.h - what a policy must allow for a session to be possible again: its deeds,
 * folded, each with the evidence for it. What the three forms of suggest print. */
#ifndef TOOLS_GRANT_H
#define TOOLS_GRANT_H

#include "tools/fold.h"
#include "tools/usage.h"

enum grant_proto { GRANT_TCP, GRANT_UDP, GRANT_UNIX };

struct grant {
	/* BIND; LISTEN: at what was bound before; CONNECT; SEND; ACCEPT and RECV: from whom,
	 * whatever the port */
	enum op_kind call;
	enum grant_proto proto;
	struct span span;              /* TCP, UDP; BIND of low 0: the kernel chooses the port */
	char *path;                    /* UNIX: a pattern, "" unnamed */
	const struct program *program; /* the only one; NULL: programs tells them */

	struct programs programs;
	uint64_t count;
	struct errors failed;
	uint64_t first_ns;
	bool is_answer; /* SEND: packets came from there; answers are not recorded */
	uint16_t chosen_low, chosen_high; /* BIND of low 0: ports that were chosen */
	const struct endpoint *moved;     /* where to, NULL: nowhere */
	const struct resolved *names;     /* of its address, NULL: not looked up */
};

struct grants {
	struct grant *list; /* in order of call, protocol, address, port, path, program */
	size_t count, room;
};

/* The grants of a session. per_program: one each for every program. is_real: of moved
 * calls where they went, not what was asked for. For grants_free(). */
struct grants grants_of(const struct usage *usage, bool per_program, bool is_real);
void grants_free(struct grants *grants);

/* Add another's evidence to a grant. */
void grant_merge(struct grant *grant, const struct grant *other);

/* Print the address of a span as ADDR or ADDR/PREFIX, to ADDR_TEXT_MAX bytes. */
void grant_address(char *text, const struct span *span);

/* A unix path as a pattern: in directories of temporary files, parts that look random become
 * '*'. to has UNIX_PATH_MAX + 1 bytes. Returns if it is folded. */
bool grant_path(char *to, const char *path);

#endif
