/* SPDX-License-Identifier: MIT */
/* suggest.h - a session as a policy: what the forms of it share.
 * Names in a session are hostile. In comments they are escaped and never stand last on
 * a line, so that none can end a comment or go on with it in any of the forms. */
#ifndef TOOLS_SUGGEST_H
#define TOOLS_SUGGEST_H

#include <stdio.h>

#include "tools/grant.h"

struct suggestion {
	const struct usage *usage;
	struct grants grants;
	bool per_program;
	FILE *out;
};

/* The three forms. */
void suggest_rules(const struct suggestion *suggestion);
void suggest_systemd(const struct suggestion *suggestion);
void suggest_nft(const struct suggestion *suggestion);

/* What this is, and what is missing in it, as comments. what: "rules of tcpshim.rules(5)". */
void suggest_head(const struct suggestion *suggestion, const char *what);

/* Why a grant is there: "nginx: 3 times, ECONNREFUSED 1, first after 20 ms". Good until
 * the next call. */
const char *suggest_why(const struct suggestion *suggestion, const struct grant *grant);

/* How a span was folded: " (12 hosts)", "". Good until the next call. */
const char *suggest_fold(const struct grant *grant);

/* How many grants there are of a call and a protocol. */
size_t suggest_count(const struct suggestion *suggestion, enum op_kind call,
                     enum grant_proto proto);

/* Are all grants of a call from or to this host itself? True if there are none. */
bool suggest_is_local(const struct suggestion *suggestion, enum op_kind call);

#endif
