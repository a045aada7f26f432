/* SPDX-License-Identifier: MIT */
/* source.c - see source.h. */
#include "tools/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/memory.h"

int source_open(struct source *source, int dir, const char *path)
{
	/* O_NONBLOCK: a FIFO of that name must not make us wait. */
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	*source = (struct source){.fd = fd, .bytes = (uint64_t)st.st_size};
	return 0;
}

void source_close(struct source *source)
{
	close(source->fd);
}

size_t source_read(const struct source *source, void *buf, size_t len, uint64_t at)
{
	size_t done = 0;

	while (done < len && at + done < source->bytes) {
		ssize_t n = pread(source->fd, (char *)buf + done, len - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

uint64_t source_skip_holes(const struct source *source, uint64_t at)
{
	off_t data = lseek(source->fd, (off_t)at, SEEK_DATA);

	if (data < 0 && errno == ENXIO) /* none behind it */
		return at < source->bytes ? source->bytes : at;
	return data < 0 ? at : (uint64_t)data;
}

struct session_header *source_header(const struct source *source, const char **problem)
{
	struct session_header *header =
	        aligned_alloc(_Alignof(struct session_header), sizeof(*header));
	size_t got;

	if (!header)
		memory_gone();
	got = source_read(source, header, sizeof(*header), 0);

	*problem = session_problem(header, got < sizeof(*header) ? got : source->bytes);
	if (!*problem)
		return header;
	free(header);
	return NULL;
}

void *grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 64;
	array = reallocarray(array, *room, size);
	if (!array)
		memory_gone();
	return array;
}
