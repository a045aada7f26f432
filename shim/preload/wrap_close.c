/* SPDX-License-Identifier: MIT */
/* wrap_close.c - every way to close. */
#include <errno.h>
#include <linux/close_range.h>

#include "preload/call.h"

/* A close that fails has closed all the same, close(2); of what was not open the kernel tells. */
static int end_close(struct call *call, int ret, bool may_go)
{
	if (!may_go && ret < 0 && errno == EBADF) {
		call->verdict.kind = VERDICT_PASSED;
		call->verdict.error = 0;
		call->verdict.rule = 0;
		may_go = true;
	}
	return (int)call_end_close(call, may_go ? ret : call_answer(call));
}

/* Apart, so that close() itself stays in registers. */
static __attribute__((noinline)) int close_by_rules(struct call *call)
{
	bool may_go = call_may_go(call, OP_CLOSE, NULL);

	return end_close(call, real.close(call->op.fd), may_go);
}

EXPORT int close(int fd)
{
	struct call call;

	if (!call_begin_close(&call, fd))
		return real.close(fd);
	if (UNLIKELY(call_is_limited(OP_CLOSE))) {
		struct call copy = call;

		return close_by_rules(&copy);
	}
	return (int)call_end_close(&call, real.close(fd));
}

EXPORT int posix_close(int fd, int flags)
{
	struct call call;

	bool may_go;

	if (!call_begin_close(&call, fd))
		return real.posix_close(fd, flags);
	may_go = call_may_go(&call, OP_CLOSE, NULL);
	return end_close(&call, real.posix_close(fd, flags), may_go);
}

/* ---- ranges ---- */

static struct sock *next_known(unsigned *fd, unsigned last)
{
	struct sockets *sockets = &process.engine.sockets;

	for (; *fd <= last && *fd < atomic_load(&sockets->top); ++*fd)
		if (sockets_word(&sockets->at[*fd]))
			return &sockets->at[*fd];
	return NULL;
}

/* Set bits of the known sockets of a range. */
static void mark(unsigned first, unsigned last, uint32_t set, uint32_t clear)
{
	struct sock *sock;

	for (unsigned fd = first; (sock = next_known(&fd, last)); fd++)
		sockets_change(&process.engine.sockets, (int)fd, sockets_word(sock) >> 32, set,
		               clear);
}

/* Those that were marked and still stand there are closed. */
static void tell_closed(unsigned first, unsigned last)
{
	struct sock *sock;

	for (unsigned fd = first; (sock = next_known(&fd, last)); fd++)
		if (sockets_word(sock) & SOCKET_CLOSING)
			call_missed_close((int)fd);
}

int close_range_by(int (*call)(unsigned, unsigned, int), unsigned first, unsigned last, int flags)
{
	bool closes = !(flags & (int)CLOSE_RANGE_CLOEXEC);
	int ret;

	if (!process_is_watching())
		return call(first, last, flags);
	mark(first, last, closes ? SOCKET_CLOSING : 0, 0);
	ret = call(first, last, flags);
	if (ret == 0 && closes)
		tell_closed(first, last);
	else
		mark(first, last, ret == 0 ? SOCKET_CLOEXEC : 0, SOCKET_CLOSING);
	return ret;
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	return close_range_by(real.close_range, first, last, flags);
}

EXPORT void closefrom(int low)
{
	unsigned first = low < 0 ? 0 : (unsigned)low;

	if (!process_is_watching()) {
		real.closefrom(low);
		return;
	}
	mark(first, ~0u, SOCKET_CLOSING, 0);
	real.closefrom(low);
	tell_closed(first, ~0u);
}

/* ---- streams ---- */

static bool begin_stream(struct call *call, int (*number)(FILE *), FILE *file)
{
	int error = errno;
	int fd = number(file);

	errno = error;
	return call_begin_close(call, fd);
}

EXPORT int fclose(FILE *file)
{
	struct call call;

	if (!begin_stream(&call, fileno, file))
		return real.fclose(file);
	return (int)call_end(&call, real.fclose(file));
}

EXPORT int pclose(FILE *file)
{
	struct call call;

	if (!begin_stream(&call, fileno, file))
		return real.pclose(file);
	return (int)call_end(&call, real.pclose(file));
}

EXPORT FILE *freopen(const char *path, const char *mode, FILE *file)
{
	struct call call;
	FILE *ret;

	if (!begin_stream(&call, fileno, file))
		return real.freopen(path, mode, file);
	ret = real.freopen(path, mode, file);
	call_end(&call, ret ? 0 : -1);
	return ret;
}

EXPORT FILE *freopen64(const char *path, const char *mode, FILE *file)
{
	struct call call;
	FILE *ret;

	if (!begin_stream(&call, fileno, file))
		return real.freopen64(path, mode, file);
	ret = real.freopen64(path, mode, file);
	call_end(&call, ret ? 0 : -1);
	return ret;
}

EXPORT int closedir(DIR *dir)
{
	int fd = dirfd(dir);

	if (process_is_watching())
		call_missed_close(fd); /* a directory is no socket: what stood there is gone */
	return real.closedir(dir);
}
