/* SPDX-License-Identifier: MIT */
/* replace.h - puts a new set of rules into a session that runs. Every process of it
 * uses them from its next call on; until all is written, none sees anything of them. */
#ifndef TOOLS_REPLACE_H
#define TOOLS_REPLACE_H

#include "core/rules.h"

/* Put rules, whose number, before and since are set here, in force in the session at path.
 * Returns true, or false with a sentence in error: then nothing has changed. */
bool replace_rules(const char *path, struct rules *rules, char *error, size_t error_size);

#endif
