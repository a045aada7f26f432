/* SPDX-License-Identifier: MIT */
/* recovery_words.h - how a program took a failure, in words. What comes from a program is
 * escaped; strings stay good as those of wording.h do, or in the buffer given. */
#ifndef TOOLS_RECOVERY_WORDS_H
#define TOOLS_RECOVERY_WORDS_H

#include "tools/audit.h"

enum { RECOVERY_WORDS_MAX = 512 };

/* "EMFILE", "EAI_AGAIN". */
const char *trouble_error(const struct audit *audit, const struct trouble *row);

/* The rule that was behind it, and its set; 0: none. What the kernel enforces for a rule,
 * it does not name. */
uint32_t trouble_rule(const struct audit *audit, const struct trouble *row, uint32_t *set);

/* Where: "10.0.0.5:5432", "example.org"; "-" if the call has no place. */
const char *trouble_place(const struct trouble *row);

/* What followed, to a buffer of RECOVERY_WORDS_MAX bytes, which is returned: "tried again 3
 * times, after 100 ms to 400 ms (median 200 ms); then connected". */
const char *trouble_words(char *buf, const struct trouble *row);

/* Was it tried again and again without a pause? */
bool trouble_spins(const struct trouble *row);

/* "86,000 calls a second": so many within a time. */
const char *word_rate(uint64_t count, uint64_t ns);

#endif
