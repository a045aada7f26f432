/* SPDX-License-Identifier: MIT */
/* slice.h - `from auto`: ports that no other session has.
 * Ports outside the host's ephemeral range are cut into slices; a session claims one, by
 * a symbolic link in the directory of sessions that names who holds it, and loses it when
 * none of its processes is left. */
#ifndef PRELOAD_SLICE_H
#define PRELOAD_SLICE_H

#include "core/session.h"

/* The slice of this session, or, without one, of this process; host_low and host_high are
 * the host's ephemeral range. *low and *high stay 0 if there is none left. */
void slice_take(struct session_header *session, uint16_t host_low, uint16_t host_high,
                uint16_t *low, uint16_t *high);

#endif
