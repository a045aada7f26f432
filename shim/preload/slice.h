/* SPDX-License-Identifier: MIT */
/* slice.h - ports that no other session has.
 * `from auto`: ports outside the host's ephemeral range are cut into slices; a session claims one,
 * by a symbolic link in the directory of sessions that names who holds it, and loses it when
 * none of its processes is left. `limit ports N`: the same inside that range, in cells. */
#ifndef PRELOAD_SLICE_H
#define PRELOAD_SLICE_H

#include "core/session.h"

/* The slice of this session, or, without one, of this process; host_low and host_high are
 * the host's ephemeral range. *low and *high stay 0 if there is none left. */
void slice_take(struct session_header *session, uint16_t host_low, uint16_t host_high,
                uint16_t *low, uint16_t *high);

/* N ports side by side in the host's ephemeral range, low << 16 | high: such as nobody uses now
 * and no other session has claimed, as far as there are any. All of them if there are no more. */
uint32_t slice_choose(uint32_t count, uint16_t host_low, uint16_t host_high);

#endif
