/* SPDX-License-Identifier: MIT */
/* site.h - where in the program the calls come from that fault rules count. Only with
 * TCPSHIM_SITES: an event of OP_SITE then precedes each of them. */
#ifndef PRELOAD_SITE_H
#define PRELOAD_SITE_H

#include "preload/process.h"

extern bool site_is_wanted;

/* With TCPSHIM_SITES: find what unwinds a stack. Takes memory and opens a library. */
void site_start(void);

void site_record(const struct call *call);

/* The engine has looked at a call's faults: tell where it came from, if one counted it. */
static inline void site_tell(const struct call *call)
{
	if (UNLIKELY(site_is_wanted) && call->verdict.counted)
		site_record(call);
}

#endif
