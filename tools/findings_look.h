/* SPDX-License-Identifier: MIT */
/* findings_look.h - the functions that look for findings, and what they share. */
#ifndef TOOLS_FINDINGS_LOOK_H
#define TOOLS_FINDINGS_LOOK_H

#include "tools/findings.h"

/* One more, of the kind that looks. */
__attribute__((format(printf, 4, 5))) void findings_add(struct findings *findings, uint64_t weight,
                                                        const char *subject, const char *evidence,
                                                        ...);

/* Who does it to whom: "curl -> 10.0.0.5:443"; or where: "nginx[812] 0.0.0.0:80". They stay
 * good until the next call. */
const char *findings_call(const struct destination *destination);
const char *findings_listener(const struct audit *audit, const struct listener *listener);

/* What ran out, or nearly (findings_short.c). */
void look_fds_exhausted(const struct audit *audit, struct findings *findings);
void look_fds_limited(const struct audit *audit, struct findings *findings);
void look_fds_low(const struct audit *audit, struct findings *findings);
void look_ports_exhausted(const struct audit *audit, struct findings *findings);
void look_ports_churned(const struct audit *audit, struct findings *findings);
void look_ports_limited(const struct audit *audit, struct findings *findings);
void look_binds_exhausted(const struct audit *audit, struct findings *findings);
void look_binds_limited(const struct audit *audit, struct findings *findings);
void look_ports_low(const struct audit *audit, struct findings *findings);
void look_bind_first(const struct audit *audit, struct findings *findings);
void look_closes_first(const struct audit *audit, struct findings *findings);

/* How failures were taken (findings_spin.c). */
void look_accept_spin(const struct audit *audit, struct findings *findings);
void look_connect_retry(const struct audit *audit, struct findings *findings);
void look_call_spin(const struct audit *audit, struct findings *findings);
void look_last_words(const struct audit *audit, struct findings *findings);
void look_accept_stopped(const struct audit *audit, struct findings *findings);

#endif
