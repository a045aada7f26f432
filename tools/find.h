/* SPDX-License-Identifier: MIT */
/* find.h - is a recorded process still running? */
#ifndef TOOLS_FIND_H
#define TOOLS_FIND_H

#include <stdbool.h>
#include <stdint.h>

/* Does the process with this pid, which was there at real_ns, still run? Not
 * so if it is a zombie, or began later and only has the same number. */
bool find_is_running(uint32_t pid, uint64_t real_ns);

#endif
