/* SPDX-License-Identifier: MIT */
/* summary.h - what `tcpshim run` says when the program has ended. To stderr. */
#ifndef TOOLS_SUMMARY_H
#define TOOLS_SUMMARY_H

#include "tools/report.h"

/* A few lines; session: where it is recorded. */
void summary_print(const struct report *report, const char *session);

/* What --strict says, in a line. is_missing: the program itself was not seen; report:
 * NULL if nothing could be read. Returns the exit status. */
int summary_judge(const struct report *report, bool is_missing, int status);

#endif
