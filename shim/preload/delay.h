/* SPDX-License-Identifier: MIT */
/* delay.h - makes a call late.
 *
 * One that waits sleeps first, and is interrupted as it would be itself. One on a socket that
 * does not wait is told "later" at once (EAGAIN, EINPROGRESS), and the socket is held back
 * (hold.h) until its time. */
#ifndef PRELOAD_DELAY_H
#define PRELOAD_DELAY_H

#include "preload/carry.h"

/* Is this the call that was told to come later? */
enum delay_return {
	DELAY_NEW,   /* no: a call of its own */
	DELAY_EARLY, /* yes, too early: verdict.error ends it */
	DELAY_BACK,  /* yes, and it goes through; verdict is as it was decided then */
};
enum delay_return delay_return(struct call *call, enum op_kind kind);

/* Let verdict.delay_ns pass before the call. Returns false if the call ends with that, with
 * verdict.error: interrupted by a signal, out of time, or on a socket that does not wait. */
bool delay_call(struct call *call, enum op_kind kind, struct aim *aim);

/* Is a connect under way whose end is held back? */
bool delay_is_connecting(int fd);

/* Then another one waits for that end; or it ends with verdict.error, and false is returned. */
bool delay_connects_again(struct call *call);

/* A connect has returned ret; delay_call() may have spoken of it. Returns ret, with its errno put
 * right. */
long delay_connected(struct call *call, long ret);

#endif
