/* SPDX-License-Identifier: MIT */
/* fault.c - see fault.h. */
#include "preload/fault.h"

#include "preload/delay.h"
#include "preload/inject.h"
#include "preload/limit.h"
#include "preload/site.h"
#include "sys/clock.h"

/* What the engine has to know, where a rule asks for it. */
static void tell_circumstances(struct op *op, const struct rules *rules)
{
	op->since_ns = 0;
	op->sockets = 0;
	if (rules->flags & (RULE_AFTER | RULE_FOR))
		op->since_ns = clock_mono_at(op->start) - process.since_mono_ns;
	if (rules->flags & RULE_WHILE)
		op->sockets = limit_open_sockets();
}

bool fault_may_go(struct call *call, enum op_kind kind, struct aim *aim)
{
	const struct rules *rules =
	        atomic_load_explicit(&process.engine.rules, memory_order_acquire);

	if (!rules)
		return true;
	if (!limit_may_go(call, kind))
		return false;
	switch (delay_return(call, kind)) {
	case DELAY_EARLY:
		return false;
	case DELAY_BACK:
		break;
	case DELAY_NEW:
		tell_circumstances(&call->op, rules);
		engine_faults(&process.engine, kind, call);
		site_tell(call);
		if (call->verdict.delay_ns && !delay_call(call, kind, aim))
			return false;
	}
	return !call->verdict.error || inject(call, kind, aim);
}
