/* SPDX-License-Identifier: MIT */
/* sweep_print.h - the report of a sweep, for people and for machines. */
#ifndef TOOLS_SWEEP_PRINT_H
#define TOOLS_SWEEP_PRINT_H

#include <stdio.h>

#include "tools/sweep.h"

/* A table, the worst first, and the commands that repeat what is bad. */
void sweep_print_text(const struct sweep_report *report, FILE *out);

/* TAP 14: a test a run, those that are bad are not ok. */
void sweep_print_tap(const struct sweep_report *report, FILE *out);

/* JUnit XML: a test case a run. */
void sweep_print_junit(const struct sweep_report *report, FILE *out);

#endif
