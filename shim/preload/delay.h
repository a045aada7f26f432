/* SPDX-License-Identifier: MIT */
/* delay.h - makes a call late. */
#ifndef PRELOAD_DELAY_H
#define PRELOAD_DELAY_H

#include "preload/carry.h"

/* Let verdict.delay_ns pass before the call. Returns false if the call ends with that, with
 * verdict.error: interrupted by a signal, or on a non-blocking socket, which becomes ready
 * later. */
bool delay_call(struct call *call, enum op_kind kind, struct aim *aim);

#endif
