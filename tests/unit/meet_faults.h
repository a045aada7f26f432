/* SPDX-License-Identifier: MIT */
/* meet_faults.h - calls that meet fault rules, for tests. */
#ifndef UNIT_MEET_FAULTS_H
#define UNIT_MEET_FAULTS_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/unit/compile_rules.h"

#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static struct engine engine;
static struct made *made;

static inline void rules(const char *text)
{
	if (made)
		free_rules(made);
	made = make_rules(text);
	if (made->errors)
		fail_msg("%s", made->said);
	engine_set_rules(&engine, made->rules);
}

static inline int setup(void **state)
{
	(void)state;
	memset(&engine, 0, sizeof(engine));
	engine.name = "app";
	engine.program = "/usr/bin/app";
	engine.seed = 1;
	made = NULL;
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	if (made)
		free_rules(made);
	return 0;
}

static inline struct rule *rule(unsigned number)
{
	return &made->rules->rule[number - 1];
}

static inline uint64_t turns(unsigned number)
{
	return atomic_load(&rule(number)->turns);
}

static inline uint64_t matched(unsigned number)
{
	return atomic_load(&rule(number)->matched);
}

/* A call of a TCP socket, at some time after the session began, with so many sockets open. */
static inline struct verdict meet_at(enum op_kind kind, uint64_t since_ns, uint32_t sockets)
{
	struct call call = {
	        .op = {.kind = kind, .fd = -1, .family = FAMILY_INET, .proto = PROTO_TCP},
	};

	call.sock.word = sock_word(7, FAMILY_INET, PROTO_TCP, 0);
	call.op.since_ns = since_ns;
	call.op.sockets = sockets;
	engine_faults(&engine, kind, &call);
	return call.verdict;
}

static inline struct verdict meet(enum op_kind kind)
{
	return meet_at(kind, 0, 0);
}

#endif
