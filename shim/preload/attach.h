/* SPDX-License-Identifier: MIT */
/* attach.h - finds, makes or joins the session file and maps it.
 * The only part of the library that knows where sessions are. Keeps no
 * descriptor; after attach_session() the mapping is all there is. */
#ifndef PRELOAD_ATTACH_H
#define PRELOAD_ATTACH_H

#include "core/session.h"

struct attached {
	struct session_header *session; /* NULL: there is none */
	uint64_t bytes;                 /* mapped */
	const char *problem;            /* why there is none, NULL: it was switched off */
	int error;                      /* errno of the problem, 0: none */
};

/* Attach to the session of settings.session, else to the parent's, else to a new
 * one. settings.session becomes its path. */
struct attached attach_session(const char *program_name);

#endif
