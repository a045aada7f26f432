/* SPDX-License-Identifier: MIT */
/* fault.h - limits and faults of a call that no policy has refused. */
#ifndef PRELOAD_FAULT_H
#define PRELOAD_FAULT_H

#include "preload/carry.h"

/* Ask the engine, wait out what it delays, and prepare what it fails. Returns false if the call
 * is not to be made: verdict.error is its errno. True with a verdict.error: the call is to be
 * made, and fails. aim: the address, copied; NULL if the call names none. */
bool fault_may_go(struct call *call, enum op_kind kind, struct aim *aim);

#endif
