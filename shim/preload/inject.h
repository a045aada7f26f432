/* SPDX-License-Identifier: MIT */
/* inject.h - makes a call fail as it does in the kernel, with what that leaves behind. */
#ifndef PRELOAD_INJECT_H
#define PRELOAD_INJECT_H

#include "preload/carry.h"

/* The call is to fail with verdict.error. Returns false if it is not to be made; true if it is,
 * and the kernel will fail it. */
bool inject(struct call *call, enum op_kind kind, struct aim *aim);

#endif
