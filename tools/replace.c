/* SPDX-License-Identifier: MIT */
/* replace.c - see replace.h.
 * Only the header's page is mapped, which is on disk already; the set is written, so
 * that a full disk is an error and not a SIGBUS. Nobody reads the set before its page is
 * named in the header. */
#include "tools/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/session.h"
#include "tools/create.h"

struct target {
	int fd;
	uint64_t bytes; /* that are mapped by the session's processes */
	struct session_header *header;
};

/* Is it a file that we may write to as the library does? Returns NULL, or why not. */
static const char *judge_file(int fd, uint64_t *bytes)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "it is not a regular file";
	if (st.st_uid != geteuid())
		return "it belongs to another user";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "others may write to it";
	*bytes = (uint64_t)st.st_size;
	return NULL;
}

static const char *map_header(struct target *target)
{
	struct session_header header;
	const char *problem;
	void *at;

	if (pread(target->fd, &header, sizeof(header), 0) != sizeof(header))
		return "shorter than a session's header";
	problem = session_problem(&header, target->bytes);
	if (problem)
		return problem;
	if (header.bytes > target->bytes)
		return "it is cut short";
	target->bytes = header.bytes;
	at = mmap(NULL, SESSION_HEADER_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, target->fd, 0);
	if (at == MAP_FAILED)
		return strerror(errno);
	target->header = at;
	return NULL;
}

/* The lock is for others who replace rules at the same time; no process of the session
 * takes it. */
static const char *open_target(struct target *target, const char *path)
{
	const char *problem;

	*target = (struct target){.fd = -1};
	target->fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (target->fd < 0)
		return errno == ELOOP ? "it is a symbolic link" : strerror(errno);
	problem = judge_file(target->fd, &target->bytes);
	if (!problem && flock(target->fd, LOCK_EX) != 0)
		problem = strerror(errno);
	return problem ? problem : map_header(target);
}

static void close_target(struct target *target)
{
	if (target->header)
		munmap(target->header, SESSION_HEADER_BYTES);
	if (target->fd >= 0)
		close(target->fd);
}

static const char *write_at(int fd, const void *bytes, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t wrote = pwrite(fd, bytes, len, (off_t)at);

		if (wrote <= 0)
			return strerror(wrote < 0 ? errno : ENOSPC);
		bytes = (const char *)bytes + wrote;
		len -= (size_t)wrote;
		at += (uint64_t)wrote;
	}
	return NULL;
}

/* The number of the set at a page, 0 if there is none. */
static uint32_t number_of(const struct target *target, uint32_t page)
{
	uint64_t at = (uint64_t)page * SESSION_PAGE + SESSION_LINE;
	struct rules rules;

	if (page < SESSION_PAGES_FIRST ||
	    pread(target->fd, &rules, sizeof(rules), (off_t)at) != sizeof(rules) ||
	    memcmp(rules.magic, RULES_MAGIC, sizeof(rules.magic)) != 0)
		return 0;
	return rules.number;
}

static const char *put_rules(const struct target *target, struct rules *rules)
{
	struct session_header *header = target->header;
	struct session_chunk head = session_rules_head(rules->bytes);
	uint32_t old = atomic_load(&header->rules_page), page;
	const char *problem;

	page = session_take_rules(header, target->bytes, rules->bytes);
	if (page == 0)
		return "it has no room left for them";
	rules->number = number_of(target, old) + 1;
	rules->before = rules->number > 1 ? old : 0;
	rules->since = create_ticks(header->flags);
	problem = write_at(target->fd, &head, sizeof(head), (uint64_t)page * SESSION_PAGE);
	if (!problem)
		problem = write_at(target->fd, rules, rules->bytes,
		                   (uint64_t)page * SESSION_PAGE + sizeof(head));
	if (!problem)
		session_enforce_rules(header, page);
	return problem;
}

bool replace_rules(const char *path, struct rules *rules, char *error, size_t error_size)
{
	struct target target;
	const char *problem;

	signal(SIGXFSZ, SIG_IGN); /* ulimit -f: an error like any other */
	problem = open_target(&target, path);
	if (!problem)
		problem = put_rules(&target, rules);
	if (problem)
		snprintf(error, error_size, "cannot put the rules in force in %s: %s", path,
		         problem);
	close_target(&target);
	return !problem;
}
