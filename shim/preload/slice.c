/* SPDX-License-Identifier: MIT */
/* slice.c - see slice.h.
 * Where nothing can be claimed (no directory of sessions), a slice is taken unclaimed, by
 * the number of the process: better than all sessions the same. */
#include "preload/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "core/text.h"
#include "preload/newfile.h"
#include "preload/settings.h"
#include "preload/tuple.h"
#include "sys/raw.h"

#define SLICES 100u

enum { PORTS = 128, LOWEST = 1024 };

/* ---- where slices are ---- */

/* Below the ephemeral range, or above it, or, if it is everywhere, in it. */
static uint16_t first_port(uint16_t host_low, uint16_t host_high, unsigned *count)
{
	unsigned low = host_low > LOWEST ? host_low : (unsigned)LOWEST;
	unsigned below = low - LOWEST;
	unsigned above = 65535u - host_high;
	unsigned room = below >= 8 * PORTS ? below : above >= 8 * PORTS ? above : 65535u - LOWEST;

	*count = room / PORTS < SLICES ? room / PORTS : SLICES;
	if (room == below)
		return (uint16_t)(host_low - *count * PORTS);
	return (uint16_t)(room == above ? host_high + 1u : 65536 - *count * PORTS);
}

/* ---- who holds one ---- */

/* "DIR/ports/NETNS-PORT": another network namespace has ports of its own. No two kinds of
 * slices share a port, unless the ephemeral range is everywhere: then they share claims, too. */
static void put_claim(struct text *text, const char *dir, unsigned port)
{
	char space[64] = "";
	long len = raw4(SYS_readlinkat, AT_FDCWD, "/proc/self/ns/net", space, sizeof(space) - 1);

	text_put(text, dir);
	text_char(text, '/');
	for (long i = 0; i < len; i++)
		if (space[i] >= '0' && space[i] <= '9')
			text_char(text, space[i]);
	text_char(text, '-');
	text_unsigned(text, port);
}

static bool process_lives(uint64_t pid)
{
	long error = raw2(SYS_kill, pid, 0);

	return pid && (error == 0 || error == -EPERM);
}

/* Does a process of the table in the session at path run? */
static bool session_lives(const char *path)
{
	static struct session_process some[64];
	long fd =
	        raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0);
	uint64_t at = SESSION_HEADER_BYTES;
	bool lives = false;

	while (fd >= 0 && !lives) {
		long data = raw3(SYS_lseek, fd, at, SEEK_DATA), len;

		if (data < 0 || data >= SESSION_MOVED_AT)
			break;
		at = (uint64_t)data / SESSION_PAGE * SESSION_PAGE;
		len = raw4(SYS_pread64, fd, some, sizeof(some), at);
		for (long i = 0; i < len / SESSION_PROCESS_BYTES; i++)
			lives = lives || (some[i].end == 0 && process_lives(some[i].pid));
		at += sizeof(some);
	}
	if (fd >= 0)
		raw_close((int)fd);
	return lives;
}

/* A claim says "PID PATH": of who made it, and of the session. */
static bool is_held(long dir, const char *claim)
{
	static char holder[SETTING_MAX];
	long len = raw4(SYS_readlinkat, dir, claim, holder, sizeof(holder) - 1);
	const char *at = holder;
	uint64_t pid = 0;

	if (len <= 0)
		return false;
	holder[len] = '\0';
	for (; *at >= '0' && *at <= '9' && pid <= INT32_MAX; at++)
		pid = pid * 10 + (uint64_t)(*at - '0');
	return process_lives(pid) || (*at == ' ' && at[1] == '/' && session_lives(at + 1));
}

/* ---- claiming ---- */

/* Somebody who claims nothing may have its ports: is the first one free? */
static bool is_free(unsigned port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	long fd = raw3(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free = fd < 0 || raw3(SYS_bind, fd, &addr, sizeof(addr)) != -EADDRINUSE;

	if (fd >= 0)
		raw_close((int)fd);
	return is_free;
}

/* Under the directory's lock. */
static bool claim(const char *dir, unsigned port, const char *holder)
{
	static char name[SETTING_MAX];
	struct text text = text_on(name, sizeof(name));

	put_claim(&text, dir, port);
	if (raw3(SYS_symlinkat, holder, AT_FDCWD, name) == 0)
		return true;
	if (is_held(AT_FDCWD, name))
		return false;
	raw3(SYS_unlinkat, AT_FDCWD, name, 0);
	return raw3(SYS_symlinkat, holder, AT_FDCWD, name) == 0;
}

/* For a second at most: a program must not hang because another one does. */
static void lock(long fd)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	for (int i = 0; i < 100 && raw2(SYS_flock, fd, LOCK_EX | LOCK_NB) == -EWOULDBLOCK; i++)
		raw2(SYS_nanosleep, &pause, NULL);
}

/* Who claims: the process, and the session that it is in. */
static const char *holder(void)
{
	static char buf[SETTING_MAX];
	struct text text = text_on(buf, sizeof(buf));

	text_unsigned(&text, raw_getpid());
	text_char(&text, ' ');
	text_put(&text, settings.session);
	return buf;
}

/* Claims of network namespaces that are gone would stay for ever: of the first ones in the
 * directory, those that nobody holds go. */
static void tidy(long dir)
{
	static _Alignas(8) char buf[4096];
	long len = raw3(SYS_getdents64, dir, buf, sizeof(buf));
	const struct dirent64 *entry;

	for (long at = 0; at < len; at += entry->d_reclen) {
		entry = (const struct dirent64 *)(const void *)(buf + at);
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
		    !is_held(dir, entry->d_name))
			raw3(SYS_unlinkat, dir, entry->d_name, 0);
	}
}

/* The directory of claims, locked. Returns a descriptor, negative if there is none. */
static long open_claims(char *dir)
{
	long fd;

	if (newfile_directory(dir, "/ports").what)
		return -1;
	fd = raw4(SYS_openat, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	lock(fd);
	tidy(fd);
	return fd;
}

static unsigned claim_one(unsigned first, unsigned count, unsigned start)
{
	static char dir[SETTING_MAX];
	unsigned port = 0;
	long fd = open_claims(dir);

	if (fd < 0)
		return first + start % count * PORTS;
	for (unsigned i = 0; i < count && !port; i++)
		if (is_free(first + (start + i) % count * PORTS) &&
		    claim(dir, first + (start + i) % count * PORTS, holder()))
			port = first + (start + i) % count * PORTS;
	raw_close((int)fd);
	return port;
}

/* Of several processes that do this at once for their session, the first one counts. */
static uint32_t agree(struct session_header *session, uint32_t range)
{
	uint32_t none = 0;

	if (!session || !range)
		return range;
	return atomic_compare_exchange_strong(&session->auto_ports, &none, range) ? range : none;
}

void slice_take(struct session_header *session, uint16_t host_low, uint16_t host_high,
                uint16_t *low, uint16_t *high)
{
	uint32_t range = session ? atomic_load(&session->auto_ports) : 0;
	unsigned count, first = first_port(host_low, host_high, &count), port;
	/* users do not see each other's claims: each begins elsewhere */
	unsigned start = (unsigned)raw1(SYS_getuid, 0) * 37u;

	if (!range) {
		port = claim_one(first, count, start + (unsigned)raw_getpid() % count);
		range = agree(session, port ? port << 16 | (port + PORTS - 1) : 0);
	}
	*low = (uint16_t)(range >> 16);
	*high = (uint16_t)range;
}

/* ---- limit ports N ---- */

enum { CELL = 64, CELLS = 16 }; /* more ports than these hold are not claimed */

/* The first of count ports side by side, from first to last, of which none is in use; 0: there
 * are none. */
static unsigned find_window(const struct tuple_ports *used, unsigned first, unsigned last,
                            unsigned count)
{
	unsigned run = 0;

	for (unsigned port = first; port <= last; port++) {
		run = tuple_has_port(used, port) ? 0 : run + 1;
		if (run == count)
			return port + 1 - count;
	}
	return 0;
}

/* Several cells: all or none. */
static bool claim_cells(const char *dir, unsigned first, unsigned cells)
{
	for (unsigned i = 0; i < cells; i++)
		if (!claim(dir, first + i * CELL, holder()))
			return false; /* what was claimed stays so: there are many */
	return true;
}

static unsigned claim_window(const struct tuple_ports *used, unsigned low, unsigned high,
                             unsigned count, unsigned start)
{
	static char dir[SETTING_MAX];
	unsigned cells = (count + CELL - 1) / CELL, all = (high - low + 1) / CELL, port = 0;
	long fd = cells <= CELLS && cells <= all ? open_claims(dir) : -1;

	for (unsigned i = 0; fd >= 0 && i <= all - cells && !port; i++) {
		unsigned first = low + (start + i) % (all - cells + 1) * CELL;

		port = find_window(used, first, first + cells * CELL - 1, count);
		if (port && !claim_cells(dir, first, cells))
			port = 0;
	}
	if (fd >= 0)
		raw_close((int)fd);
	return port;
}

/* Ports that the kernel gives out to nobody: "8080,9148-9150". */
static void mark_reserved(struct tuple_ports *used)
{
	static char text[4096];
	long fd = raw4(SYS_openat, AT_FDCWD, "/proc/sys/net/ipv4/ip_local_reserved_ports",
	               O_RDONLY | O_CLOEXEC, 0);
	long len = fd < 0 ? 0 : raw3(SYS_read, fd, text, sizeof(text));
	unsigned first = 0, port = 0;

	if (fd >= 0)
		raw_close((int)fd);
	for (long i = 0; i < len; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			port = port * 10 + (unsigned)(text[i] - '0');
			continue;
		}
		if (text[i] == '-')
			first = port;
		else
			for (first = first ? first : port; port && first <= port; first++)
				tuple_mark_port(used, first);
		first = text[i] == '-' ? first : 0;
		port = 0;
	}
}

/* Parallel sessions begin in different places. */
static unsigned random_start(void)
{
	unsigned number = raw_getpid() * 2654435761u;

	raw3(SYS_getrandom, &number, sizeof(number), GRND_NONBLOCK);
	return number >> 1;
}

uint32_t slice_choose(uint32_t count, uint16_t host_low, uint16_t host_high)
{
	static struct tuple_ports used;
	unsigned room = host_high - host_low + 1u, start = random_start(), at, port;

	if (count >= room)
		return (uint32_t)host_low << 16 | host_high;
	tuple_ports_in_use(&used);
	mark_reserved(&used);
	port = claim_window(&used, host_low, host_high, count, start);
	at = host_low + start % (room - count + 1);
	if (!port)
		port = find_window(&used, at, host_high, count);
	if (!port)
		port = find_window(&used, host_low, host_high, count);
	port = port ? port : at;
	return port << 16 | (port + count - 1);
}
