/* SPDX-License-Identifier: MIT */
/* limits.h - which limits hold for a program, and how many sockets there are.
 *
 * Two counts: this process's sockets and the session's. Each is an estimate that is never
 * too low: one more with a socket that appears, one less with the close of a socket of which
 * there is certainly no other descriptor. Ends that are not seen (exit, exec, kill) leave it
 * too high; when it reaches a limit, the back end counts what there really is and settles it
 * (count_settle()). A call that is to make a socket takes its place before (count_take()), so
 * that threads cannot pass the limit together. Nothing here waits. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include "core/engine.h"

/* The number of the rule that limits this for each process of a program: of those that match
 * it the first with `in NAME`, else the first without. 0: none does. Of sockets, those
 * without `tree`. */
uint32_t limits_rule(const struct rules *rules, enum limit_kind kind, const char *name,
                     const char *program);

/* The same of `limit sockets N tree`: all that match hold, so the one with the least. */
uint32_t limits_tree_rule(const struct rules *rules, const char *name, const char *program);

/* Does a rule's `in NAME`, if it has one, match the program? */
bool limits_concern(const struct rules *rules, const struct rule *rule, const char *name,
                    const char *program);

/* How many there are at most, and whether that was ever counted. */
uint32_t count_open(uint64_t count);
bool count_is_known(uint64_t count);

/* Take n places, if there are so many below the limit. `was` is the count before. */
bool count_take(socket_count *count, uint32_t n, uint32_t limit, uint64_t *was);

/* Has the count been settled since it was `was`? Who takes places and then says so elsewhere
 * must look: the one who settled it may have missed them. */
bool count_was_settled(const socket_count *count, uint64_t was);

/* n more, or less. */
void count_change(socket_count *count, int n);

/* There are `open`, counted while the count was `was`. Returns false if it has changed. */
bool count_settle(socket_count *count, uint64_t was, uint32_t open);

/* From now on it cannot be relied on, before somebody settles it. */
void count_doubt(socket_count *count);

#endif
