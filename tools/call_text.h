/* SPDX-License-Identifier: MIT */
/* call_text.h - a call described in words: "connect tcp 10.0.0.5:5432 local 10.1.1.1:0". */
#ifndef TOOLS_CALL_TEXT_H
#define TOOLS_CALL_TEXT_H

#include "core/engine.h"

struct call_text {
	struct call call; /* for engine_before(); its path lies in the text */
	char error[256];  /* what is wrong, a sentence */
};

/* Read it. text must stay. Returns false, with the error, if it makes no sense. */
bool call_text_read(struct call_text *call_text, const char *text);

#endif
