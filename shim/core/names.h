/* SPDX-License-Identifier: MIT */
/* names.h - numbers and the names that people use for them.
 * Every name is in one table, here or in op.h and session.h. Constant data
 * only; signal-safe. */
#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include "core/session.h"

/* "EMFILE", or NULL if Linux has no such errno. */
const char *name_errno(int error);

/* "EAI_NONAME" for a result of getaddrinfo, or NULL. */
const char *name_eai(int code);

/* "SHUT_WR" for shutdown's argument, or NULL. */
const char *name_shutdown(int how);

/* The name of a value, never NULL: "?" for one that is out of range. */
const char *name_op(enum op_kind kind);
const char *name_family(enum family family);
const char *name_proto(enum proto proto);
const char *name_verdict(enum verdict_kind kind);
const char *name_coverage(enum coverage coverage);

/* The same as a sentence: "statically linked: the dynamic loader does not run". */
const char *name_coverage_reason(enum coverage coverage);

/* The number of a name of len bytes. 0 (OP_NONE) if there is none. */
int name_to_errno(const char *name, size_t len);
enum op_kind name_to_op(const char *name, size_t len);

/* The same for a verdict. Returns false if there is none of that name. */
bool name_to_verdict(enum verdict_kind *kind, const char *name, size_t len);

#endif
