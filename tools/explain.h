/* SPDX-License-Identifier: MIT */
/* explain.h - why a call goes as it goes: the engine's verdict in words. */
#ifndef TOOLS_EXPLAIN_H
#define TOOLS_EXPLAIN_H

#include <stdio.h>

#include "core/engine.h"
#include "tools/host.h"

struct explain {
	struct engine *engine;
	const struct rules *rules; /* those of the engine */
	const struct host *host;
	bool shows_all; /* rules for other calls too */
	FILE *out;
};

/* Ask the engine about a call described by text, and print what it says. Returns true if
 * the call is denied. */
bool explain_call(const struct explain *explain, const char *text, struct call *call);

#endif
