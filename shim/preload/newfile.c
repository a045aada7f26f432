/* SPDX-License-Identifier: MIT */
/* newfile.c - see newfile.h. */
#include "preload/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

#include "core/session.h"
#include "core/text.h"
#include "preload/settings.h"
#include "sys/clock.h"
#include "sys/raw.h"

#define FINE ((struct newfile_problem){0})

static struct newfile_problem bad(const char *what, long error)
{
	return (struct newfile_problem){what, (int)-error};
}

/* mkdir -p, private. */
static long make_directories(const char *path)
{
	static char part[SETTING_MAX];
	long error = 0;

	for (size_t i = 1; path[i - 1]; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		error = raw3(SYS_mkdirat, AT_FDCWD, part, 0700);
	}
	return error == -EEXIST ? 0 : error;
}

/* Now, as YYYYmmddTHHMMSS in UTC. */
static void put_time(struct text *text)
{
	char buf[40];
	struct text now = text_on(buf, sizeof(buf));

	text_time(&now, clock_ns(CLOCK_REALTIME));
	for (const char *c = buf; *c && *c != '.'; c++)
		if (*c != '-' && *c != ':')
			text_char(text, *c);
}

struct newfile_problem newfile_name(char *path, const char *program_name)
{
	struct text text = text_on(path, SETTING_MAX);
	long error;

	if (settings.state_home[0] == '/')
		text_put(&text, settings.state_home);
	else if (settings.home[0] == '/')
		text_put(&text, settings.home);
	else
		return bad("no HOME and no XDG_STATE_HOME to put a session in", 0);
	text_put(&text, settings.state_home[0] == '/' ? "/tcpshim" : "/.local/state/tcpshim");
	error = make_directories(path);
	if (error)
		return bad("cannot make the directory of sessions", error);
	text_char(&text, '/');
	text_put(&text, program_name);
	text_char(&text, '-');
	put_time(&text);
	text_char(&text, '-');
	text_unsigned(&text, raw_getpid());
	text_put(&text, SESSION_SUFFIX);
	return text.cut ? bad("the name of the session is too long", -ENAMETOOLONG) : FINE;
}

static void read_port_range(struct session_header *header)
{
	char buf[32] = "";
	const char *at = buf;
	unsigned port[2] = {0, 0};

	raw_read_file("/proc/sys/net/ipv4/ip_local_port_range", buf, sizeof(buf) - 1);
	for (int i = 0; i < 2; i++) {
		while (*at && (*at < '0' || *at > '9'))
			at++;
		for (; *at >= '0' && *at <= '9' && port[i] <= 65535; at++)
			port[i] = port[i] * 10 + (unsigned)(*at - '0');
	}
	header->port_low = (uint16_t)port[0];
	header->port_high = (uint16_t)port[1];
}

static void identify(struct session_header *header)
{
	struct utsname name;

	clock_is_cpu = clock_cpu_is_good();
	header->flags = clock_is_cpu ? SESSION_TICKS_CPU : 0;
	header->epoch = (struct clock_pair){clock_ticks(), clock_ns(CLOCK_MONOTONIC)};
	header->real_ns = clock_ns(CLOCK_REALTIME);
	header->creator_pid = raw_getpid();
	raw3(SYS_getrandom, &header->seed, sizeof(header->seed), 0);
	read_port_range(header);
	if (raw1(SYS_uname, &name) == 0) {
		memcpy(header->host, name.nodename, sizeof(header->host) - 1);
		memcpy(header->kernel, name.release, sizeof(header->kernel) - 1);
	}
}

/* How large may it be? A file above RLIMIT_FSIZE raises SIGXFSZ. */
static uint64_t allowed_bytes(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	uint64_t bytes = session_bytes(SESSION_EVENTS_DEFAULT);

	raw4(SYS_prlimit64, 0, RLIMIT_FSIZE, NULL, &limit);
	if (limit.rlim_cur < bytes)
		bytes = limit.rlim_cur / SESSION_PAGE * SESSION_PAGE;
	return bytes;
}

static struct newfile_problem fill(int fd)
{
	static struct session_header identity, header;
	const size_t size = sizeof(header);
	const uint64_t first = (uint64_t)SESSION_PAGES_FIRST * SESSION_PAGE;
	uint64_t bytes = allowed_bytes();
	long error;

	if (bytes < session_bytes(SESSION_EVENTS_MIN))
		return bad("ulimit -f is too small for a session", -EFBIG);
	identify(&identity);
	session_format(&header, &identity, bytes, 0);
	error = raw2(SYS_ftruncate, fd, bytes);
	if (error)
		return bad("cannot size the session", error);
	error = raw4(SYS_pwrite64, fd, &header, size, 0);
	if (error != (long)size)
		return bad("cannot write the session's header", error < 0 ? error : -ENOSPC);
	/* room for the first events, or it is no session */
	error = raw4(SYS_fallocate, fd, 0, first, SESSION_PAGE << SESSION_CHUNK_CLASS_MAX);
	if (error == -ENOSPC || error == -EDQUOT)
		return bad("no room for a session", error);
	return FINE;
}

/* The file appears under its name when it is whole. A file system without hard
 * links gets it by rename. */
static long publish(const char *from, const char *to)
{
	long error = raw5(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);

	if (error == -EPERM || error == -EOPNOTSUPP || error == -ENOSYS)
		return raw5(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 1 /* RENAME_NOREPLACE */);
	raw3(SYS_unlinkat, AT_FDCWD, from, 0);
	return error;
}

struct newfile_problem newfile_make(const char *path)
{
	static char unfinished[SETTING_MAX];
	struct newfile_problem problem;
	struct text text = text_on(unfinished, sizeof(unfinished));
	long fd, error;

	text_put(&text, path);
	text_char(&text, '.');
	text_unsigned(&text, raw_getpid());
	if (text.cut)
		return bad("the name of the session is too long", -ENAMETOOLONG);
	fd = raw4(SYS_openat, AT_FDCWD, unfinished,
	          O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return bad("cannot make the session", fd);
	problem = fill((int)fd);
	raw_close((int)fd);
	if (problem.what) {
		raw3(SYS_unlinkat, AT_FDCWD, unfinished, 0);
		return problem;
	}
	error = publish(unfinished, path);
	return error ? bad("cannot name the session", error) : FINE;
}
