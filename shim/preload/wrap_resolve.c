/* SPDX-License-Identifier: MIT */
/* wrap_resolve.c - names that the program asked for: the report can then show by
 * which name a tuple was reached. What getaddrinfo does inside is not seen. */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "preload/call.h"
#include "preload/record.h"
#include "sys/clock.h"
#include "sys/real.h"

/* One event an address; libc gives each several times, for each socket type. */
static void tell_answers(struct op *op, struct outcome *outcome, const struct addrinfo *list)
{
	for (const struct addrinfo *at = list; at; at = at->ai_next) {
		struct endpoint before = outcome->remote;

		if (addr_from_sockaddr(&outcome->remote, at->ai_addr, at->ai_addrlen) ==
		    FAMILY_OTHER)
			continue;
		outcome->remote.port = 0;
		if (outcome->has_remote && addr_equal(&before.ip, &outcome->remote.ip))
			continue;
		outcome->has_remote = true;
		record_note(op, outcome);
	}
}

/* What a fault gives: a result of getaddrinfo's own, or EAI_SYSTEM with an errno. */
static bool resolve_may_go(const struct op *op, struct outcome *outcome)
{
	struct call call = {.op = *op, .outcome = *outcome};
	int error;

	if (call_may_go(&call, OP_RESOLVE, NULL))
		return true;
	error = call.verdict.error;
	outcome->result = error > RULE_EAI ? RULE_EAI - error : EAI_SYSTEM;
	call.outcome.result = outcome->result;
	call.outcome.text_len = strlen(call.outcome.text);
	call.outcome.end = clock_ticks();
	record(&call);
	if (error < RULE_EAI)
		errno = error;
	return false;
}

EXPORT int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                       struct addrinfo **list)
{
	struct op op = {.kind = OP_RESOLVE, .fd = -1};
	struct outcome outcome = {.text = node};

	if (!node || !process_is_watching())
		return real.getaddrinfo(node, service, hints, list);
	op.start = clock_ticks();
	if (UNLIKELY(call_is_limited(OP_RESOLVE)) && !resolve_may_go(&op, &outcome))
		return outcome.result;
	outcome.result = real.getaddrinfo(node, service, hints, list);
	outcome.end = clock_ticks();
	outcome.text_len = strlen(node);
	if (outcome.result == 0)
		tell_answers(&op, &outcome, *list);
	else
		record_note(&op, &outcome);
	return outcome.result;
}
