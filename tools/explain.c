/* SPDX-License-Identifier: MIT */
/* explain.c - see explain.h. */
#include "tools/explain.h"

#include <string.h>

#include "core/names.h"
#include "tools/explain_faults.h"
#include "tools/rule_wording.h"
#include "tools/wording.h"

void explain_where(const struct explain *explain, uint32_t number)
{
	const struct rule *rule = &explain->rules->rule[number - 1];
	char place[RULE_PLACE_MAX], words[RULE_PRINT_MAX];

	fprintf(explain->out, "rule %u, %s: %s", number, rule_place(place, explain->rules, rule),
	        rule_words(words, explain->rules, rule));
}

/* ---- what the program sees ---- */

static void say_denied(const struct explain *explain, const struct call *call)
{
	const struct rule *rule = &explain->rules->rule[call->verdict.rule - 1];
	const char *name = name_errno(call->verdict.error);

	if (rule->action == ACTION_MOVE)
		fprintf(explain->out, "  the socket cannot go to %s:\n",
		        word_endpoint(&call->verdict.to));
	if (call->op.kind == OP_ACCEPT)
		fprintf(explain->out, "  the connection is taken and reset\n");
	if (call->verdict.error)
		fprintf(explain->out, "  the program sees %s: %s\n", name ? name : "an error",
		        strerror(call->verdict.error));
	else
		fprintf(explain->out, "  the program sees the next one, or EAGAIN\n");
}

static void say_moved(const struct explain *explain, const struct call *call)
{
	const struct verdict *verdict = &call->verdict;
	const struct rule *rule = &explain->rules->rule[verdict->rule - 1];
	bool is_bind = call->op.kind == OP_BIND;
	char effect[RULE_EFFECT_MAX];

	if (verdict->to.port)
		fprintf(explain->out, "  it goes to %s; ", word_endpoint(&verdict->to));
	else
		fprintf(explain->out, "  %s; ",
		        rule_effect(effect, explain->rules, rule, explain->host));
	fprintf(explain->out, "%s tells the program %s\n",
	        is_bind                    ? "getsockname"
	        : call->op.kind == OP_SEND ? "recvfrom"
	                                   : "getpeername",
	        word_endpoint(&call->op.asked));
}

static void say_verdict(const struct explain *explain, const struct call *call)
{
	const struct rule *rule;
	char effect[RULE_EFFECT_MAX];

	if (!call->verdict.rule)
		return;
	rule = &explain->rules->rule[call->verdict.rule - 1];
	switch (call->verdict.kind) {
	case VERDICT_DENIED:
		say_denied(explain, call);
		break;
	case VERDICT_MOVED:
		say_moved(explain, call);
		break;
	case VERDICT_ASSIGNED:
		fprintf(explain->out, "  %s\n",
		        rule_effect(effect, explain->rules, rule, explain->host));
		break;
	case VERDICT_PASSED:
		if (rule->action == ACTION_ASSIGN)
			fprintf(explain->out, "  it is not given a port: it has one\n");
		break;
	case VERDICT_FAILED:
	case VERDICT_LIMITED:
	case VERDICT_DELAYED:
		break;
	}
}

/* ---- why not the rules before ---- */

static void say_path(const struct explain *explain, const struct rule_query *query,
                     const struct pattern *pattern)
{
	char buf[RULE_EFFECT_MAX];

	if (query->path)
		fprintf(explain->out, "%s is not %s", word_text(query->path, query->path_len),
		        pattern_words(buf, explain->rules, pattern));
	else
		fprintf(explain->out, "the call names no path");
}

static void say_end(const struct explain *explain, const char *which, const struct endpoint *end,
                    const struct pattern *pattern)
{
	char buf[RULE_EFFECT_MAX];

	if (end)
		fprintf(explain->out, "the %s endpoint %s is not %s", which, word_endpoint(end),
		        pattern_words(buf, explain->rules, pattern));
	else
		fprintf(explain->out, "the call has no %s endpoint yet", which);
}

static void say_program(const struct explain *explain, const struct rule_query *query)
{
	if (query->name && *query->name)
		fprintf(explain->out, "the program is %s",
		        word_text(query->program, strlen(query->program)));
	else
		fprintf(explain->out, "it is for one program only; say which with --in");
}

static void say_mismatch(const struct explain *explain, const struct rule *rule,
                         const struct rule_query *query, enum mismatch mismatch)
{
	const struct endpoint *local = query->has_local ? &query->local : NULL;
	const struct endpoint *remote = query->has_remote ? &query->remote : NULL;
	const struct pattern *pattern = mismatch == MISMATCH_LOCAL ? &rule->local : &rule->remote;

	switch (mismatch) {
	case MISMATCH_CALL:
		fprintf(explain->out, "it is for other calls");
		break;
	case MISMATCH_PROTO:
		fprintf(explain->out, "it is for another protocol");
		break;
	case MISMATCH_LOCAL:
	case MISMATCH_REMOTE:
		if (pattern->flags & PATTERN_PATH)
			say_path(explain, query, pattern);
		else if (mismatch == MISMATCH_LOCAL || (rule->flags & RULE_NAMED && !remote))
			say_end(explain, "local", local, pattern);
		else
			say_end(explain, "remote", remote, pattern);
		break;
	case MISMATCH_PROGRAM:
		say_program(explain, query);
		break;
	case MISMATCH_NONE: /* the first that matches decides: this is never reached */
		fprintf(explain->out, "it matches");
		break;
	}
}

static void say_others(const struct explain *explain, const struct rule_query *query,
                       uint32_t count)
{
	unsigned others = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct rule *rule = &explain->rules->rule[i];
		enum mismatch mismatch = rule_mismatch(explain->rules, rule, query);

		if (rule->action > ACTION_ASSIGN)
			continue;
		if (mismatch == MISMATCH_CALL && !explain->shows_all) {
			others++;
			continue;
		}
		fprintf(explain->out, "  not ");
		explain_where(explain, i + 1);
		fprintf(explain->out, "\n      because ");
		say_mismatch(explain, rule, query, mismatch);
		fputc('\n', explain->out);
	}
	if (others)
		fprintf(explain->out, "  nor %s for other calls; see -v\n",
		        word_count(others, "rule"));
}

/* "moved", or for what passes, why. */
static const char *name_of(const struct call *call)
{
	return call->verdict.kind == VERDICT_PASSED ? "allowed" : name_verdict(call->verdict.kind);
}

/* Ask as the back end does. A listen without a port takes one: then the rules for
 * bind are asked first, about port 0. Returns the kind that decided. */
static enum op_kind ask(const struct explain *explain, struct call *call)
{
	enum op_kind kind = call->op.kind;
	bool takes_port = kind == OP_LISTEN && call->op.has_asked && call->op.asked.port == 0;
	struct call bind = *call;

	if (takes_port)
		engine_before(explain->engine, OP_BIND, &bind);
	if (bind.verdict.kind != VERDICT_DENIED)
		engine_before(explain->engine, kind, call);
	if (bind.verdict.kind == VERDICT_PASSED || bind.verdict.kind == VERDICT_MOVED ||
	    call->verdict.kind != VERDICT_PASSED)
		return kind;
	*call = bind;
	return OP_BIND;
}

bool explain_call(const struct explain *explain, const char *text, struct call *call)
{
	enum op_kind kind = ask(explain, call);
	struct rule_query query = engine_query(explain->engine, kind, call);
	uint32_t number = call->verdict.rule;

	fprintf(explain->out, "%s: %s", word_text(text, strlen(text)), name_of(call));
	if (number) {
		fprintf(explain->out, " by ");
		explain_where(explain, number);
	} else {
		fprintf(explain->out, ": no rule %smatches",
		        explain_meets_faults(explain, call) ? "of policy " : "");
	}
	fputc('\n', explain->out);
	if (kind != call->op.kind)
		fprintf(explain->out, "  it has no port yet: it is asked as a bind to port 0\n");
	say_verdict(explain, call);
	if (call->verdict.kind != VERDICT_DENIED || call->op.kind == OP_ACCEPT)
		explain_faults(explain, call);
	say_others(explain, &query, number ? number - 1 : explain->rules->count);
	return call->verdict.kind == VERDICT_DENIED;
}
