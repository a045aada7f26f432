/* SPDX-License-Identifier: MIT */
/* rules_warn.h - what `tcpshim check` warns of, besides the language: rules that can never
 * match, and what this host does not let them do. */
#ifndef TOOLS_RULES_WARN_H
#define TOOLS_RULES_WARN_H

#include "tools/host.h"
#include "tools/rules_input.h"

/* Add the warnings about a compiled set to the input's. */
void rules_warn(struct rules_input *input, const struct rules *rules, const struct host *host);

#endif
