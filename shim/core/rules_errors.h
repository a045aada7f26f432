/* SPDX-License-Identifier: MIT */
/* rules_errors.h - which errors which call can return. */
#ifndef CORE_RULES_ERRORS_H
#define CORE_RULES_ERRORS_H

#include "core/op.h"

/* Can a call that rules speak of return this errno (or RULE_EAI)? */
bool call_can_return(enum op_kind call, int error);

/* The number of an errno, or, for getaddrinfo, RULE_EAI and that of its result.
 * 0: there is no such name. */
int rule_error_of(const char *name, size_t len);

/* The name of such a number; "?" if it has none. */
const char *rule_error_name(int error);

#endif
