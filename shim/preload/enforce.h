/* SPDX-License-Identifier: MIT */
/* enforce.h - gets the rules into force: those of the environment where a session is
 * made, those of the session where it is joined, new ones when they come.
 * Rules that were asked for and cannot be had end the program before it begins. */
#ifndef PRELOAD_ENFORCE_H
#define PRELOAD_ENFORCE_H

#include "core/session.h"

/* What was asked for cannot be had: say what, of which word or file (or NULL), with errno
 * (or 0), and end the program with status 125. */
__attribute__((noreturn)) void enforce_refuse(const char *what, const char *which, int error);

/* A number for what TCPSHIM_RULES and TCPSHIM_RULES_FILE say; 0: nothing. */
uint64_t enforce_asked(void);

/* Compile what they say. Returns NULL if there is nothing. Ends the program, with
 * status 125 and a message, if it is not right. */
struct rules *enforce_compile(void);

/* The session is attached (or there is none): its rules, or the environment's, count from
 * now on. Ends the program if it asks for rules that the session does not have. */
void enforce_start(void);

/* The library stands aside: with rules, the program is not run. */
void enforce_aside(void);

/* The session's rules have changed. */
void enforce_renewed(void);

#endif
