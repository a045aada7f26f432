/* SPDX-License-Identifier: MIT */
/* attach.c - see attach.h.
 * Runs once in a process, perhaps in the first wrapped call, perhaps with no
 * descriptor free: buffers are static, all calls are raw. */
#include "preload/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/text.h"
#include "preload/newfile.h"
#include "preload/settings.h"
#include "sys/raw.h"
#include "sys/real.h"

static struct attached failed(const char *problem, long error)
{
	return (struct attached){.problem = problem, .error = (int)-error};
}

/* A program that limits its address space keeps most of it. */
static uint64_t mappable(uint64_t bytes)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	raw4(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit);
	return limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur / 4 > bytes
	               ? bytes
	               : limit.rlim_cur / 4 / SESSION_PAGE * SESSION_PAGE;
}

/* Map an open session file, if it is one and ours to trust. */
static struct attached map_fd(int fd)
{
	struct stat st;
	long at = raw2(SYS_fstat, fd, &st);
	struct session_header *header;
	const char *problem;
	uint64_t bytes;
	char magic[sizeof(SESSION_MAGIC)];
	/* where single pages are touched, the kernel shall not read ahead in a hole:
	 * it would clear megabytes (8 MiB, 2 ms, on a disk with a large read_ahead_kb) */
	const uint64_t apart = SESSION_PAGES_FIRST * SESSION_PAGE + (1 << 20);

	if (at < 0)
		return failed("cannot look at the session", at);
	if (!S_ISREG(st.st_mode) || st.st_mode & (S_IWGRP | S_IWOTH))
		return failed("the session is not a private file", 0);
	if (st.st_uid != (uid_t)raw1(SYS_geteuid, 0)) /* it could be truncated under our feet */
		return failed("the session belongs to another user", 0);
	/* by pread: in a mapping a hole of a full tmpfs would be a SIGBUS */
	if (raw4(SYS_pread64, fd, magic, sizeof(magic), 0) != (long)sizeof(magic) ||
	    memcmp(magic, SESSION_MAGIC, sizeof(magic)) != 0)
		return failed("not a tcpshim session", 0);
	if ((uint64_t)st.st_size < session_bytes(1))
		return failed("too small for a session", 0);
	bytes = mappable((uint64_t)st.st_size) / SESSION_PAGE * SESSION_PAGE;
	if (bytes < session_bytes(1))
		return failed("ulimit -v leaves no room for a session", 0);
	at = raw6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at < 0 && at > -SESSION_PAGE)
		return failed("cannot map the session", at);
	header = (struct session_header *)at;
	raw3(SYS_madvise, header, apart < bytes ? apart : bytes, MADV_RANDOM);
	raw_populate(header, SESSION_PAGE); /* to read now and write soon: one fault for both */
	problem = session_problem(header, bytes);
	if (problem) {
		raw2(SYS_munmap, header, bytes);
		return failed(problem, 0);
	}
	if (header->bytes < bytes)
		bytes = header->bytes;
	return (struct attached){.session = header, .bytes = bytes};
}

static struct attached map_path(const char *path)
{
	long fd = raw4(SYS_openat, AT_FDCWD, path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
	struct attached attached;

	if (fd < 0)
		return failed("cannot open the session", fd);
	attached = map_fd((int)fd);
	raw_close((int)fd);
	return attached;
}

/* Join the session at path, or make it. */
static struct attached join_or_make(const char *path)
{
	struct attached attached = map_path(path);
	struct newfile_problem problem;

	if (attached.session || attached.error != ENOENT)
		return attached;
	problem = newfile_make(path);
	if (problem.what && problem.error != EEXIST)
		return failed(problem.what, -problem.error);
	return map_path(path);
}

/* If a line of /proc/PID/maps is a shared writable mapping of a whole session,
 * join it: "from-to rw-s offset device inode path". */
static struct attached map_line(char *line)
{
	char *path = strchr(line, '/');
	struct attached attached = {0};

	if (!strstr(line, " rw-s 00000000 ") || !path)
		return attached;
	if (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0)
		return attached;
	attached = map_path(path);
	if (attached.session)
		settings.session = settings_keep(path);
	return attached;
}

/* The session that our parent has mapped: a child that was started with an empty
 * environment, or by system(3), has no other way to know. */
static struct attached join_parents(void)
{
	static char buf[SETTING_MAX * 2 + 1], path[64];
	struct attached attached = {0};
	struct text text = text_on(path, sizeof(path));
	size_t have = 0;
	long fd, n;

	text_put(&text, "/proc/");
	text_unsigned(&text, (uint64_t)raw1(SYS_getppid, 0));
	text_put(&text, "/maps");
	fd = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return attached;
	while (!attached.session &&
	       (n = raw3(SYS_read, (int)fd, buf + have, sizeof(buf) - 1 - have)) > 0) {
		char *line = buf, *end;

		buf[have += (size_t)n] = '\0';
		while (!attached.session && (end = strchr(line, '\n'))) {
			*end = '\0';
			attached = map_line(line);
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
	}
	raw_close((int)fd);
	return attached;
}

struct search {
	const char *program_name;
	struct attached found;
};

static int search(void *at)
{
	static char name[SETTING_MAX];
	struct search *search = at;
	struct newfile_problem problem;

	if (settings.session[0] && settings.session_given[0] == '/') {
		search->found = join_or_make(settings.session);
		return 0;
	}
	if (settings.session[0]) { /* relative: our parent's, if there is none here */
		search->found = map_path(settings.session);
		if (!search->found.session && search->found.error == ENOENT)
			search->found = join_parents();
		if (!search->found.session && !search->found.problem)
			search->found = join_or_make(settings.session);
		return 0;
	}
	search->found = join_parents();
	if (search->found.session)
		return 0;
	problem = newfile_name(name, search->program_name);
	settings.session = settings_keep(name);
	search->found = problem.what ? failed(problem.what, -problem.error)
	                             : join_or_make(settings.session);
	return 0;
}

/* With no descriptor free, a child that shares our memory but not our descriptor
 * table gives one up in its copy and maps the session for us both. */
static int search_elsewhere(void *at)
{
	raw_close(0);
	return search(at);
}

static void search_in_child(struct search *at)
{
	static char stack[64 << 10] __attribute__((aligned(16)));
	uint64_t all = UINT64_MAX, old = 0;
	int status;
	long pid;

	raw4(SYS_rt_sigprocmask, SIG_BLOCK, &all, &old, sizeof(all));
	pid = real.clone(search_elsewhere, stack + sizeof(stack), CLONE_VM | CLONE_VFORK, at, 0, 0,
	                 0);
	if (pid > 0)
		raw4(SYS_wait4, pid, &status, __WCLONE, NULL);
	raw4(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
}

struct attached attach_session(const char *program_name)
{
	struct search at = {.program_name = program_name};

	if (settings_is_off(settings.session))
		return at.found;
	search(&at);
	if (!at.found.session && (at.found.error == EMFILE || at.found.error == ENFILE))
		search_in_child(&at);
	return at.found;
}
