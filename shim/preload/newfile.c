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

#include "core/rules.h"
#include "core/session.h"
#include "core/text.h"
#include "preload/enforce.h"
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

struct newfile_problem newfile_directory(char *path, const char *below)
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
	text_put(&text, below);
	error = make_directories(path);
	return error ? bad("cannot make the directory of sessions", error) : FINE;
}

struct newfile_problem newfile_name(char *path, const char *program_name)
{
	struct newfile_problem problem = newfile_directory(path, "");
	size_t len = strlen(path);
	struct text text;

	if (problem.what)
		return problem;
	text = text_on(path + len, SETTING_MAX - len);
	text_char(&text, '/');
	text_put(&text, program_name);
	text_char(&text, '-');
	put_time(&text);
	text_char(&text, '-');
	text_unsigned(&text, raw_getpid());
	text_put(&text, SESSION_SUFFIX);
	return text.cut ? bad("the name of the session is too long", -ENAMETOOLONG) : FINE;
}

void newfile_port_range(uint16_t *low, uint16_t *high)
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
	if (port[1] < port[0] || port[0] == 0 || port[1] > 65535) { /* without /proc */
		port[0] = 32768;
		port[1] = 60999;
	}
	*low = (uint16_t)port[0];
	*high = (uint16_t)port[1];
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

uint64_t newfile_seed(void)
{
	bool is_hex = strncmp(settings.seed, "0x", 2) == 0;
	const char *at = settings.seed + (is_hex ? 2 : 0);
	uint64_t seed = 0, base = is_hex ? 16 : 10;

	if (!settings.seed[0]) {
		raw3(SYS_getrandom, &seed, sizeof(seed), 0);
		return seed;
	}
	do {
		if (digit_of(*at) >= base || seed > (UINT64_MAX - digit_of(*at)) / base)
			enforce_refuse("TCPSHIM_SEED is no number of 64 bits:", settings.seed, 0);
		seed = seed * base + digit_of(*at);
	} while (*++at);
	return seed;
}

static void identify(struct session_header *header)
{
	struct utsname name;

	clock_is_cpu = clock_cpu_is_good();
	header->flags = clock_is_cpu ? SESSION_TICKS_CPU : 0;
	header->epoch = (struct clock_pair){clock_ticks(), clock_ns(CLOCK_MONOTONIC)};
	header->real_ns = clock_ns(CLOCK_REALTIME);
	header->creator_pid = raw_getpid();
	header->seed = newfile_seed();
	header->rules_asked = enforce_asked();
	newfile_port_range(&header->port_low, &header->port_high);
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

/* Behind the head of its chunk. */
static long write_rules(int fd, const struct rules *rules)
{
	const uint64_t at = (uint64_t)SESSION_PAGES_FIRST * SESSION_PAGE;
	struct session_chunk head = session_rules_head(rules->bytes);
	long wrote = raw4(SYS_pwrite64, fd, &head, sizeof(head), at);

	if (wrote == (long)sizeof(head))
		wrote = raw4(SYS_pwrite64, fd, rules, rules->bytes, at + sizeof(head));
	return wrote < 0 ? wrote : wrote == (long)rules->bytes ? 0 : -ENOSPC;
}

static struct newfile_problem fill(int fd, struct rules *rules)
{
	static struct session_header identity, header;
	const size_t rules_bytes = rules ? rules->bytes : 0;
	uint64_t bytes = allowed_bytes(), first;
	long error;

	if (bytes < session_bytes(SESSION_EVENTS_MIN) + 2 * rules_bytes)
		return bad("ulimit -f is too small for a session", -EFBIG);
	identify(&identity);
	session_format(&header, &identity, bytes, rules_bytes);
	first = (uint64_t)header.pages_used * SESSION_PAGE;
	error = raw2(SYS_ftruncate, fd, bytes);
	if (error)
		return bad("cannot size the session", error);
	if (rules) {
		rules->since = header.epoch.ticks;
		error = write_rules(fd, rules);
	}
	if (error)
		return bad("cannot write the session's rules", error);
	error = raw4(SYS_pwrite64, fd, &header, sizeof(header), 0);
	if (error != (long)sizeof(header))
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
	struct rules *rules = enforce_compile(); /* may be the end: nothing is left behind */
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
	problem = fill((int)fd, rules);
	raw_close((int)fd);
	if (problem.what) {
		raw3(SYS_unlinkat, AT_FDCWD, unfinished, 0);
		return problem;
	}
	error = publish(unfinished, path);
	return error ? bad("cannot name the session", error) : FINE;
}
