/* SPDX-License-Identifier: MIT */
/* call.c - see call.h. */
#include "preload/call.h"

#include <errno.h>

#include "preload/adopt.h"
#include "preload/capture.h"
#include "preload/record.h"

static void begin(struct call *call, enum op_kind kind, int fd)
{
	call->op = (struct op){.kind = kind, .fd = fd};
	call->verdict = (struct verdict){.kind = VERDICT_PASSED};
	call->outcome = (struct outcome){.result = 0};
	call->op.start = clock_ticks();
}

bool call_begin(struct call *call, enum op_kind kind)
{
	if (!process_is_watching())
		return false;
	call->before = (struct sock){.word = 0};
	begin(call, kind, -1);
	return true;
}

bool call_begin_on(struct call *call, enum op_kind kind, int fd)
{
	if (!process_is_watching())
		return false;
	if (!call_knows(fd))
		adopt(fd);
	sockets_get(&process.engine.sockets, fd, &call->before);
	begin(call, kind, fd);
	return true;
}

bool call_begin_close_known(struct call *call, int fd)
{
	if (!process_is_watching())
		return false;
	begin(call, OP_CLOSE, fd);
	return sockets_take(&process.engine.sockets, fd, &call->before);
}

/* Did the kernel get as far as reading the address? Then we may. */
static bool was_read(int ret)
{
	return ret == 0 || (errno != EFAULT && errno != EBADF && errno != ENOTSOCK && errno != EINVAL);
}

static enum family note(struct call *call, int ret, const struct sockaddr *addr, socklen_t len,
                        struct endpoint *end)
{
	enum family family;

	if (call->verdict.error || !was_read(ret) || !addr)
		return FAMILY_OTHER;
	family = addr_from_sockaddr(end, addr, len);
	if (family == FAMILY_UNIX) {
		call->outcome.text = call->path;
		call->outcome.text_len = addr_unix_path(call->path, addr, len);
	}
	return family;
}

static bool is_inet(enum family family)
{
	return family == FAMILY_INET || family == FAMILY_INET6;
}

void call_note_remote(struct call *call, int ret, const struct sockaddr *addr, socklen_t len)
{
	call->outcome.has_remote = is_inet(note(call, ret, addr, len, &call->outcome.remote));
}

void call_note_local(struct call *call, int ret, const struct sockaddr *addr, socklen_t len)
{
	call->outcome.has_local = is_inet(note(call, ret, addr, len, &call->outcome.local));
}

static bool is_birth(enum op_kind kind)
{
	return kind == OP_SOCKET || kind == OP_SOCKETPAIR || kind == OP_ACCEPT || kind == OP_DUP;
}

void call_missed_close(int fd)
{
	struct call call;

	if (call_begin_close(&call, fd))
		call_end(&call, 0);
}

static void note_peak(int fd)
{
	struct session_process *entry = process_entry();
	uint32_t count = (uint32_t)fd + 1;

	if (entry && count > atomic_load_explicit(&entry->fd_peak, memory_order_relaxed))
		atomic_store_explicit(&entry->fd_peak, count, memory_order_relaxed);
}

long call_end(struct call *call, long ret)
{
	int error = UNLIKELY(ret < 0) ? call->verdict.error ? call->verdict.error : errno : 0;
	struct outcome *outcome = &call->outcome;

	outcome->end = clock_ticks();
	outcome->result = UNLIKELY(ret < 0) ? -error : (int)ret;
	if (engine_wants_local(&call->op, &call->before, outcome)) {
		int fd = call->op.kind == OP_ACCEPT ? (int)ret : call->op.fd;

		if (capture_local(fd, &outcome->local) != FAMILY_OTHER)
			outcome->has_local = true;
	}
	if (ret >= 0 && is_birth(call->op.kind)) {
		if (UNLIKELY(call_knows((int)ret)))
			call_missed_close((int)ret);
		note_peak((int)ret);
	}
	record(&call->op, &call->before, &call->verdict, outcome);
	if (UNLIKELY(ret < 0))
		errno = error;
	return ret;
}
