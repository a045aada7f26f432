/* SPDX-License-Identifier: MIT */
/* check_json.h - what `tcpshim check` has to say, as one JSON object. */
#ifndef TOOLS_CHECK_JSON_H
#define TOOLS_CHECK_JSON_H

#include <stdio.h>

#include "tools/host.h"
#include "tools/rules_input.h"

/* rules: NULL if they have errors. */
void check_json(const struct rules_input *input, const struct rules *rules, const struct host *host,
                FILE *out);

#endif
