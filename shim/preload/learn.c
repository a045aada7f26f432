/* SPDX-License-Identifier: MIT */
/* learn.c - see learn.h. Takes two descriptors for a moment. */
#include "preload/learn.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "core/text.h"
#include "preload/fleeting.h"
#include "preload/interest.h"
#include "sys/raw.h"

static int digit(char c, unsigned base)
{
	int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

	return value < (int)base ? value : -1;
}

/* The number behind a word of the line; 0 if there is none. */
static uint64_t number_after(const char *line, const char *word, unsigned base)
{
	const char *at = strstr(line, word);
	uint64_t number = 0;

	if (!at)
		return 0;
	for (at += strlen(word); *at == ' '; at++)
		;
	for (; digit(*at, base) >= 0; at++)
		number = number * base + (uint64_t)digit(*at, base);
	return number;
}

/* "tfd:        7 events: 80000019 data:                7  pos:0 ino:1f sdev:9", proc(5) */
static void learn_line(int epfd, const char *line)
{
	struct epoll_event event = {.events = (uint32_t)number_after(line, "events:", 16),
	                            .data.u64 = number_after(line, "data:", 16)};

	if (strncmp(line, "tfd:", 4) == 0)
		interest_learn(epfd, (int)number_after(line, "tfd:", 10), &event);
}

static bool learn_lines(int epfd, int fd)
{
	static char buf[1024];
	size_t len = 0;
	long got;

	while ((got = raw3(SYS_read, fd, buf + len, sizeof(buf) - 1 - len)) > 0) {
		char *line = buf, *end;

		len += (size_t)got;
		buf[len] = '\0';
		while ((end = memchr(line, '\n', (size_t)(buf + len - line)))) {
			*end = '\0';
			learn_line(epfd, line);
			line = end + 1;
		}
		len -= (size_t)(line - buf);
		memmove(buf, line, len);
	}
	return got == 0;
}

static int open_directory(const char *path)
{
	int fd = (int)raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd >= 0)
		fleeting_opened(fd);
	return fd;
}

/* Of one descriptor, by its number in /proc/self/fd. */
static bool learn_of(int dir, const char *name)
{
	static const char epoll[] = "anon_inode:[eventpoll]";
	char link[sizeof(epoll)], path[64];
	struct text text = text_on(path, sizeof(path));
	bool is_known;
	int fd;

	if (raw4(SYS_readlinkat, dir, name, link, sizeof(link)) != sizeof(epoll) - 1 ||
	    memcmp(link, epoll, sizeof(epoll) - 1) != 0)
		return true;
	text_put(&text, "/proc/self/fdinfo/");
	text_put(&text, name);
	fd = (int)raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	fleeting_opened(fd);
	is_known = learn_lines((int)number_after(name, "", 10), fd);
	fleeting_close(fd);
	return is_known;
}

bool learn_interests(void)
{
	static _Alignas(8) char buf[1024];
	int dir = open_directory("/proc/self/fd");
	bool is_known = dir >= 0;
	long len = 0;

	while (dir >= 0 && (len = raw3(SYS_getdents64, dir, buf, sizeof(buf))) > 0)
		for (long at = 0; at < len;) {
			const struct dirent64 *entry = (const void *)(buf + at);

			at += entry->d_reclen;
			if (entry->d_name[0] != '.' && !learn_of(dir, entry->d_name))
				is_known = false;
		}
	if (dir >= 0)
		fleeting_close(dir);
	return is_known && len == 0;
}
