/* SPDX-License-Identifier: MIT */
/* raw.c - see raw.h. */
#include "sys/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* asm-generic/mman-common.h, Linux 5.14 */
#endif

long raw_read_file(const char *path, void *buf, size_t size)
{
	long fd = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	size_t got = 0;
	long n = 0;

	if (fd < 0)
		return fd;
	while (got < size) {
		n = raw3(SYS_read, (int)fd, (char *)buf + got, size - got);
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	raw_close((int)fd);
	return n < 0 ? n : (long)got;
}

void *raw_map(size_t size)
{
	long at = raw6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
	               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at < 0 && at > -4096 ? NULL : (void *)at;
}

bool raw_is_readable(uintptr_t at, size_t len)
{
	enum { PAGE = 4096 };
	uintptr_t last = at + len - 1;

	if (last < at || !raw_is_readable_at(at))
		return false;
	for (uintptr_t page = at / PAGE + 1; page <= last / PAGE; page++)
		if (!raw_is_readable_at(page * PAGE))
			return false;
	return true;
}

long raw_populate(void *at, size_t size)
{
	long error;

	do /* a signal may end it early */
		error = raw3(SYS_madvise, at, size, MADV_POPULATE_WRITE);
	while (error == -EINTR || error == -EAGAIN);
	return error;
}
