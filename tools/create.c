/* SPDX-License-Identifier: MIT */
/* create.c - see create.h. */
#include "tools/create.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "core/rules.h"
#include "core/session.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#define CPU_CLOCKSOURCE "tsc"
static uint64_t cpu_ticks(void)
{
	return __rdtsc();
}
#elif defined(__aarch64__)
#define CPU_CLOCKSOURCE "arch_sys_counter"
static uint64_t cpu_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}
#else
#define CPU_CLOCKSOURCE ""
static uint64_t cpu_ticks(void)
{
	return 0;
}
#endif

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The first word of a small file of the kernel's, "" if there is none. */
static void read_word(const char *path, char *word, size_t size)
{
	FILE *file = fopen(path, "re");

	word[0] = '\0';
	if (!file)
		return;
	if (fgets(word, (int)size, file))
		word[strcspn(word, " \t\n")] = '\0';
	fclose(file);
}

static void read_port_range(struct session_header *identity)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned low = 0, high = 0;

	if (file) {
		if (fscanf(file, "%u %u", &low, &high) != 2)
			low = high = 0;
		fclose(file);
	}
	identity->port_low = (uint16_t)low;
	identity->port_high = (uint16_t)high;
}

uint64_t create_ticks(uint32_t flags)
{
	return flags & SESSION_TICKS_CPU ? cpu_ticks() : clock_ns(CLOCK_MONOTONIC);
}

static void identify(struct session_header *identity)
{
	char clocksource[32];
	struct utsname name;

	if (getrandom(&identity->seed, sizeof(identity->seed), 0) != sizeof(identity->seed))
		identity->seed = clock_ns(CLOCK_MONOTONIC);
	if (uname(&name) == 0) {
		snprintf(identity->host, sizeof(identity->host), "%.63s", name.nodename);
		snprintf(identity->kernel, sizeof(identity->kernel), "%.63s", name.release);
	}
	read_port_range(identity);
	identity->creator_pid = (uint32_t)getpid();

	read_word("/sys/devices/system/clocksource/clocksource0/current_clocksource", clocksource,
	          sizeof(clocksource));
	if (clocksource[0] && strcmp(clocksource, CPU_CLOCKSOURCE) == 0)
		identity->flags |= SESSION_TICKS_CPU;
	identity->real_ns = clock_ns(CLOCK_REALTIME);
	identity->epoch.mono_ns = clock_ns(CLOCK_MONOTONIC);
	identity->epoch.ticks =
	        identity->flags & SESSION_TICKS_CPU ? cpu_ticks() : identity->epoch.mono_ns;
}

static int make_dirs(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0700) != 0 && errno != EEXIST;
		*slash = '/';
		if (failed)
			return -errno;
	}
	return 0;
}

/* $XDG_STATE_HOME counts only if it is absolute, as its specification says. */
static int default_dir(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct passwd *user;
	int len;

	if (state && state[0] == '/') {
		len = snprintf(path, size, "%s/tcpshim/", state);
		return len < (int)size ? len : -ENAMETOOLONG;
	}
	if (!home || home[0] != '/') {
		user = getpwuid(getuid());
		home = user ? user->pw_dir : NULL;
	}
	if (!home || home[0] != '/') {
		snprintf(path, size, "~/.local/state/tcpshim/");
		return -ENOENT;
	}
	len = snprintf(path, size, "%s/.local/state/tcpshim/", home);
	return len < (int)size ? len : -ENAMETOOLONG;
}

int create_default_path(char *path, size_t size, const char *program)
{
	const char *slash = strrchr(program, '/');
	char stamp[32];
	time_t now = time(NULL);
	struct tm utc;
	int len = default_dir(path, size), error;

	if (len < 0)
		return len;
	error = make_dirs(path);
	if (error)
		return error;
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", gmtime_r(&now, &utc));
	len += snprintf(path + len, size - (size_t)len, "%s-%s-%d" SESSION_SUFFIX,
	                slash ? slash + 1 : program, stamp, (int)getpid());
	return len < (int)size ? 0 : -ENAMETOOLONG;
}

/* What the rules of a new session take, 0 without. */
static uint64_t rules_bytes(const struct create *create)
{
	return create->rules ? (uint64_t)session_rules_pages(create->rules->bytes) * SESSION_PAGE
	                     : 0;
}

/* A file above RLIMIT_FSIZE would raise SIGXFSZ. */
static uint64_t allowed_bytes(const struct create *create)
{
	uint64_t bytes = session_bytes(create->events) + rules_bytes(create);
	struct rlimit limit;

	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes)
		bytes = limit.rlim_cur / SESSION_PAGE * SESSION_PAGE;
	return bytes;
}

/* Everything is written, nothing mapped: a full disk is then an error, not a SIGBUS. */
static int write_at(int fd, const void *bytes, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t wrote = pwrite(fd, bytes, len, (off_t)at);

		if (wrote <= 0)
			return wrote < 0 ? -errno : -ENOSPC;
		bytes = (const char *)bytes + wrote;
		len -= (size_t)wrote;
		at += (uint64_t)wrote;
	}
	return 0;
}

/* The first set of rules, behind its head. */
static int write_rules(int fd, struct rules *rules, uint64_t since)
{
	struct session_chunk head = session_rules_head(rules->bytes);
	uint64_t at = (uint64_t)SESSION_PAGES_FIRST * SESSION_PAGE;
	int error;

	rules->number = 1;
	rules->before = 0;
	rules->since = since;
	error = write_at(fd, &head, sizeof(head), at);
	return error ? error : write_at(fd, rules, rules->bytes, at + sizeof(head));
}

static int fill(int fd, const struct create *create)
{
	uint64_t bytes = allowed_bytes(create);
	struct session_header *header = aligned_alloc(SESSION_PAGE, sizeof(*header));
	struct session_header identity;
	int error = 0;

	if (!header)
		return -ENOMEM;
	memset(header, 0, sizeof(*header));
	memset(&identity, 0, sizeof(identity));
	identify(&identity);
	if (create->has_seed)
		identity.seed = create->seed;
	session_format(header, &identity, bytes, create->rules ? create->rules->bytes : 0);
	if (ftruncate(fd, (off_t)bytes) != 0)
		error = -errno;
	if (!error && create->rules)
		error = write_rules(fd, create->rules, identity.epoch.ticks);
	if (!error)
		error = write_at(fd, header, sizeof(*header), 0);
	free(header);
	return error;
}

int create_session(const char *path, const struct create *create)
{
	uint64_t bytes = allowed_bytes(create), least = session_bytes(SESSION_EVENTS_MIN);
	int error, fd;

	if (bytes < least + rules_bytes(create))
		return bytes < least ? -EFBIG : -E2BIG;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = fill(fd, create);
	close(fd);
	if (error)
		unlink(path);
	return error;
}
