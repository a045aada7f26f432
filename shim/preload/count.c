/* SPDX-License-Identifier: MIT */
/* count.c - see count.h. */
#include "preload/count.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/limits.h"
#include "core/text.h"
#include "preload/connections.h"
#include "preload/fleeting.h"
#include "preload/inodes.h"
#include "sys/raw.h"

/* ---- the sockets of a process ---- */

/* Ours: no descriptor is needed, and no /proc. */
static bool add_own(struct inodes *inodes)
{
	enum { LEAST = 256 }; /* some may have come unseen */
	uint32_t top = atomic_load(&process.engine.sockets.top);

	if (top < process.self->fd_peak)
		top = process.self->fd_peak;
	if (top < LEAST)
		top = LEAST;
	for (uint32_t fd = 0; fd < top; fd++) {
		struct stat st;

		if (raw2(SYS_fstat, fd, &st) == 0 && S_ISSOCK(st.st_mode) &&
		    !inodes_add(inodes, st.st_ino))
			return false;
	}
	return true;
}

/* "socket:[123]" */
static uint64_t inode_of(const char *link)
{
	static const char prefix[] = "socket:[";
	uint64_t inode = 0;

	if (strncmp(link, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	for (link += sizeof(prefix) - 1; *link >= '0' && *link <= '9'; link++)
		inode = inode * 10 + (uint64_t)(*link - '0');
	return inode;
}

/* As getdents64(2) has them. */
struct entry {
	uint64_t ino, next;
	unsigned short len;
	unsigned char type;
	char name[];
};

static bool add_link(struct inodes *inodes, int dir, const struct entry *entry)
{
	char link[40] = "";
	uint64_t inode;

	if (raw4(SYS_readlinkat, dir, entry->name, link, sizeof(link) - 1) <= 0)
		return true;
	inode = inode_of(link);
	return !inode || inodes_add(inodes, inode);
}

/* Returns the number of descriptors, or -errno. */
static long add_links(struct inodes *inodes, int dir)
{
	_Alignas(struct entry) char buf[512];
	long len, count = 0;

	while ((len = raw3(SYS_getdents64, dir, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < len;) {
			const struct entry *entry = (const void *)(buf + at);

			at += entry->len;
			if (entry->name[0] == '.')
				continue;
			count++;
			if (!add_link(inodes, dir, entry))
				return -ENOMEM;
		}
	}
	return len < 0 ? len : count;
}

/* The same of another process. One that is no more has none; a zombie, too. */
static long add_others(struct inodes *inodes, uint32_t pid)
{
	char path[32];
	struct text text = text_on(path, sizeof(path));
	long dir, count;

	text_put(&text, "/proc/");
	text_unsigned(&text, pid);
	text_put(&text, "/fd");
	dir = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0)
		return dir == -ENOENT || dir == -ESRCH ? 0 : dir;
	fleeting_opened((int)dir);
	count = add_links(inodes, (int)dir);
	fleeting_close((int)dir);
	return count == -ENOENT || count == -ESRCH ? 0 : count;
}

/* ---- the session ---- */

static bool is_alive(struct session_process *entry)
{
	uint32_t state = atomic_load(&entry->state);

	return entry->pid && (state == PROCESS_LIVE || state == PROCESS_EXECING);
}

/* Who takes a place notes it before the socket is there, who gives one back after it is gone:
 * so the one is read before looking, the other afterwards. */
static bool add_process(struct inodes *inodes, struct session_process *entry, uint32_t *flight)
{
	uint32_t making = atomic_load(&entry->flight.making);
	bool is_own = entry->pid == process.self->pid;
	long count = is_own ? add_own(inodes) : add_others(inodes, entry->pid);

	if (count > 0)
		*flight += making + atomic_load(&entry->flight.closing);
	return is_own ? count != 0 : count >= 0;
}

/* rule: NULL, or only the programs of its `in NAME`. */
static bool add_processes(struct inodes *inodes, uint32_t newest, const struct rules *rules,
                          const struct rule *rule, uint32_t *flight)
{
	struct session_header *session = process.engine.session;
	uint32_t slot = newest;

	for (int i = 0; slot && slot < SESSION_PROCESSES && i < SESSION_PROCESSES; i++) {
		struct session_process *entry = session_process(session, slot);

		if (is_alive(entry) &&
		    (!rule || limits_concern(rules, rule, entry->name, entry->program)) &&
		    !add_process(inodes, entry, flight))
			return false;
		slot = atomic_load(&entry->older);
	}
	return true;
}

/* Again if a process has entered meanwhile: what it has from its parent, and the parent has
 * closed by now, was perhaps not seen. */
static bool add_session(struct inodes *inodes, const struct rules *rules, const struct rule *rule,
                        uint32_t *flight)
{
	enum { TRIES = 8 };
	struct session_header *session = process.engine.session;

	for (int i = 0; i < TRIES; i++) {
		uint32_t newest = atomic_load(&session->newest);

		*flight = 0;
		if (!add_processes(inodes, newest, rules, rule, flight))
			return false;
		if (atomic_load(&session->newest) == newest)
			return true;
	}
	return false;
}

/* Without a session, or without a place in it, there are our own. */
static bool add_all(struct inodes *inodes, const struct rules *rules, const struct rule *rule,
                    uint32_t *flight)
{
	const struct flight *own = process.engine.sockets.flight;
	uint32_t making = own ? atomic_load(&own->making) : 0;

	if (process.engine.session && !add_session(inodes, rules, rule, flight))
		return false;
	if (process.self->slot)
		return true;
	if (!add_own(inodes))
		return false;
	*flight += making + (own ? atomic_load(&own->closing) : 0);
	return true;
}

/* ---- what is asked ---- */

bool count_own_sockets(uint32_t *open)
{
	const struct flight *flight = process.engine.sockets.flight;
	struct inodes inodes;
	uint32_t making;
	bool is_known;

	if (process.is_sandboxed || !inodes_begin(&inodes))
		return false;
	making = atomic_load(&flight->making);
	is_known = add_own(&inodes);
	*open = inodes.count + making + atomic_load(&flight->closing);
	inodes_end(&inodes);
	return is_known;
}

bool count_tree_sockets(uint32_t *open, uint32_t *flight)
{
	struct inodes inodes;
	bool is_known;

	*flight = 0;
	if (process.is_sandboxed || !inodes_begin(&inodes))
		return false;
	is_known = add_all(&inodes, NULL, NULL, flight);
	*open = inodes.count + *flight;
	inodes_end(&inodes);
	return is_known;
}

bool count_connections(const struct rules *rules, const struct rule *rule, enum op_kind kind,
                       uint32_t *open)
{
	struct inodes inodes;
	uint32_t flight = 0;
	bool is_known;

	if (process.is_sandboxed || !inodes_begin(&inodes))
		return false;
	is_known = add_all(&inodes, rules, rule, &flight) &&
	           connections_count(&inodes, rules, rule, kind, open);
	inodes_end(&inodes);
	return is_known;
}
