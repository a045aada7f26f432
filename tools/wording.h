/* SPDX-License-Identifier: MIT */
/* wording.h - how numbers, times, addresses and names look to people.
 * Each function returns a string that stays good for the next WORDING_KEPT calls
 * of any of them: enough for the arguments of one printf. What comes from a
 * program is escaped. */
#ifndef TOOLS_WORDING_H
#define TOOLS_WORDING_H

#include "tools/coverage.h"
#include "tools/ledger.h"
#include "tools/verdicts.h"

enum { WORDING_KEPT = 16 };

/* 28,232 */
const char *word_number(uint64_t number);

/* "1 port", "2 ports", "3 processes" */
const char *word_count(uint64_t number, const char *thing);

/* 850 us, 1.2 ms, 34 s, 12 min */
const char *word_duration(uint64_t ns);

/* 99.6 %: of whole; <0.1 % and >99.9 % where it is not quite none or all */
const char *word_percent(uint64_t part, uint64_t whole);

/* 127.0.0.1:8080, [::1]:80, unix:/run/x.sock */
const char *word_endpoint(const struct endpoint *end);
const char *word_place(const struct place *place);

/* The same for a listener, which may have many ports. */
const char *word_listener(const struct listener *listener);

/* 127.0.0.1:8080 (asked for :80): a place, and what was asked for instead; NULL: nothing */
const char *word_moved(const char *place, const struct move *move);

/* rule 3 of set 2; set 0: rule 3 */
const char *word_rule(uint32_t rule, uint32_t set);

/* nginx[812] */
const char *word_process(const char *name, uint32_t pid);

/* ./a[812] and 2 alike */
const char *word_unseen(const struct unseen *unseen);

/* curl, wget and others */
const char *word_programs(const struct programs *programs);

/* Bytes of a program's, escaped. */
const char *word_text(const char *bytes, size_t len);

/* ECONNREFUSED 3, ETIMEDOUT 1 */
const char *word_errors(const struct errors *errors);

/* tcp, udp, unix, other */
const char *word_proto(const struct place *place);

#endif
