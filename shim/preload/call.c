/* SPDX-License-Identifier: MIT */
/* call.c - see call.h. */
#include "preload/call.h"

#include <errno.h>

#include "preload/adopt.h"
#include "preload/assign.h"
#include "preload/capture.h"
#include "preload/delay.h"
#include "preload/hold.h"
#include "preload/ports.h"
#include "preload/record.h"
#include "preload/waiting.h"

bool call_begin_on(struct call *call, enum op_kind kind, int fd)
{
	if (!process_is_watching())
		return false;
	if (UNLIKELY(!call_knows(fd)))
		adopt(fd);
	sockets_get(&process.engine.sockets, fd, &call->sock);
	call_start(call, kind, fd);
	return true;
}

/* Did the kernel get as far as reading the address? Then we may. */
static bool was_read(int ret)
{
	return ret == 0 ||
	       (errno != EFAULT && errno != EBADF && errno != ENOTSOCK && errno != EINVAL);
}

HOT enum family note(struct call *call, int ret, struct aim *aim, struct endpoint *end)
{
	enum family family;

	if (call->verdict.error || !was_read(ret) || !aim->addr)
		return FAMILY_OTHER;
	family = addr_from_sockaddr(end, aim->addr, aim->len);
	if (family == FAMILY_UNIX) {
		call->outcome.text = aim->path;
		call->outcome.text_len = addr_unix_path(aim->path, aim->addr, aim->len);
	}
	return family;
}

static bool is_inet(enum family family)
{
	return family == FAMILY_INET || family == FAMILY_INET6;
}

void call_note_remote(struct call *call, int ret, struct aim *aim)
{
	if (!call->verdict.error) /* what was denied has been noted */
		call->outcome.has_remote = is_inet(note(call, ret, aim, &call->outcome.remote));
}

void call_note_local(struct call *call, int ret, struct aim *aim)
{
	if (call->verdict.error)
		return;
	call->outcome.has_local = is_inet(note(call, ret, aim, &call->outcome.local));
	if (call->outcome.has_local && call->outcome.local.port == 0)
		call->op.arg = 1;
}

void call_missed_close(int fd)
{
	struct call call;

	if (!call_begin_close(&call, fd))
		return;
	/* who has counted since has not found it: it cannot be given back again */
	sockets_stay(&process.engine.sockets, &call.sock);
	call_end(&call, 0);
}

/* The highest descriptor tells how many are open: the kernel gives the lowest. */
void call_given_out_news(int fd)
{
	struct session_process *entry = process_entry();

	call_missed_close(fd);
	if ((uint32_t)fd < process.self->fd_peak)
		return;
	if (!process.engine.sockets.capacity)
		process_make_tables();
	process.self->fd_peak = (uint32_t)fd + 1;
	if (entry)
		atomic_store_explicit(&entry->fd_peak, process.self->fd_peak, memory_order_relaxed);
}

long call_end(struct call *call, long ret)
{
	return call_end_as(call->op.kind, call, ret);
}

long call_end_birth(struct call *call, long ret)
{
	if (ret >= 0)
		call_given_out((int)ret);
	return call_end(call, ret);
}

HOT void ask_local(enum op_kind kind, struct call *call, int fd)
{
	struct endpoint *local = &call->outcome.local;

	if (engine_wants_local(kind, call) && capture_local(fd, local) != FAMILY_OTHER)
		call->outcome.has_local = true;
}

/* Does the kernel say something of op.fd that cannot be true of the socket that
 * we know there? Then that one was closed, and the number given to another, in a
 * way that we did not see. */
HOT bool is_contradicted(enum op_kind kind, const struct call *call)
{
	uint32_t bits = sock_bits(&call->sock);
	int result = call->outcome.result;

	if (!bits)
		return false;
	if (result == -ENOTSOCK || result == -EBADF)
		return true;
	if (kind == OP_ACCEPT)
		return result >= 0 && !(bits & SOCKET_LISTENING);
	if (kind == OP_CONNECT)
		return result == 0 && bits & SOCKET_LISTENING;
	return kind == OP_LISTEN && result == 0 && sock_proto(&call->sock) == PROTO_UDP;
}

/* kind is the op's; the two that most programs live by have a copy of their own. */
HOT long end_named(enum op_kind kind, struct call *call, long ret)
{
	bool is_birth = kind == OP_ACCEPT && ret >= 0;

	if (kind == OP_CONNECT && hold_is_any() &&
	    (call->verdict.kind != VERDICT_PASSED || ret == 0))
		ret = delay_connected(call, ret);
	call_note_end(call, ret);
	if (kind == OP_ACCEPT)
		waiting_end(call);
	if (UNLIKELY(ret < 0) && ports_are_limited())
		ports_explain(kind, call);
	if (UNLIKELY(call->verdict.kind != VERDICT_PASSED))
		assign_done(call);
	if (UNLIKELY(is_contradicted(kind, call))) {
		adopt_arrival(call->op.fd);
		sockets_get(&process.engine.sockets, call->op.fd, &call->sock);
	}
	ask_local(kind, call, is_birth ? (int)ret : call->op.fd);
	if (is_birth)
		call_given_out((int)ret);
	record_as(kind, call);
	return call_leave(call, ret);
}

long call_end_connect(struct call *call, long ret)
{
	return end_named(OP_CONNECT, call, ret);
}

long call_end_accept(struct call *call, long ret)
{
	return end_named(OP_ACCEPT, call, ret);
}

long call_end_named(struct call *call, long ret)
{
	return end_named(call->op.kind, call, ret);
}

void call_end_known(struct call *call, int error)
{
	call->outcome.end = clock_ticks();
	call->outcome.result = -error;
	record(call);
}
