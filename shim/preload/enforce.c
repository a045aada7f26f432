/* SPDX-License-Identifier: MIT */
/* enforce.c - see enforce.h. */
#include "preload/enforce.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "core/names.h"
#include "core/text.h"
#include "preload/fdlimit.h"
#include "preload/interest.h"
#include "preload/learn.h"
#include "preload/limit.h"
#include "preload/newfile.h"
#include "preload/ports.h"
#include "preload/process.h"
#include "preload/settings.h"
#include "preload/slice.h"
#include "sys/clock.h"
#include "sys/raw.h"

enum { EXIT_TCPSHIM = 125, RULES_FILE_MAX = 64 << 20 };

/* ---- a run without its rules is none ---- */

static __attribute__((noreturn)) void give_up(void)
{
	for (;;)
		raw1(SYS_exit_group, EXIT_TCPSHIM);
}

void enforce_refuse(const char *what, const char *which, int error)
{
	char buf[512];
	struct text text = text_on(buf, sizeof(buf));

	text_put(&text, "tcpshim: ");
	text_put(&text, what);
	if (which) {
		text_put(&text, " ");
		text_visible(&text, which, strnlen(which, 200));
	}
	if (error) {
		text_put(&text, ": ");
		text_put(&text, name_errno(error) ? name_errno(error) : "?");
	}
	text_put(&text, "; the program is not run\n");
	raw_write(2, buf, text.len);
	give_up();
}

static void tell_problem(void *context, const struct rules_problem *problem)
{
	static char buf[RULES_PROBLEM_MAX];

	(void)context;
	if (!problem->is_warning) /* `tcpshim check` tells those */
		raw_write(2, buf, rules_print_problem(buf, sizeof(buf), problem));
}

/* ---- the environment's ---- */

static uint64_t hash_string(uint64_t hash, const char *string)
{
	do
		hash = (hash ^ (uint8_t)*string) * 0x100000001b3; /* FNV-1a, its NUL included */
	while (*string++);
	return hash;
}

uint64_t enforce_asked(void)
{
	if (!settings.rules[0] && !settings.rules_file[0])
		return 0;
	return hash_string(hash_string(0xcbf29ce484222325, settings.rules), settings.rules_file) |
	       1;
}

/* The whole of a file, in memory that stays until the set is compiled. */
static struct rules_source read_file(const char *path)
{
	struct rules_source source = {.name = path};
	struct stat st;
	long fd = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	char *text;
	long n = 1;

	if (fd < 0)
		enforce_refuse("cannot open TCPSHIM_RULES_FILE", path, (int)-fd);
	if (raw2(SYS_fstat, fd, &st) != 0 || st.st_size > RULES_FILE_MAX)
		enforce_refuse("TCPSHIM_RULES_FILE is too large:", path, 0);
	/* a pipe has no size: as much as it gives */
	text = raw_map(RULES_FILE_MAX);
	if (!text)
		enforce_refuse("no memory for", path, ENOMEM);
	while (source.len < RULES_FILE_MAX && n > 0) {
		n = raw3(SYS_read, fd, text + source.len, RULES_FILE_MAX - source.len);
		source.len += n > 0 ? (size_t)n : 0;
	}
	if (source.len == RULES_FILE_MAX)
		enforce_refuse("TCPSHIM_RULES_FILE is too large:", path, 0);
	if (n < 0)
		enforce_refuse("cannot read TCPSHIM_RULES_FILE", path, (int)-n);
	raw_close((int)fd);
	source.text = text;
	return source;
}

struct rules *enforce_compile(void)
{
	struct rules_source source[2];
	struct rules *rules;
	unsigned n = 0;
	size_t room;

	if (!enforce_asked())
		return NULL;
	if (settings.rules_file[0])
		source[n++] = read_file(settings.rules_file);
	if (settings.rules[0])
		source[n++] = (struct rules_source){"TCPSHIM_RULES", settings.rules,
		                                    strlen(settings.rules)};
	room = rules_room(source, n);
	rules = raw_map(room);
	if (!rules)
		enforce_refuse("no memory for the rules", NULL, ENOMEM);
	if (rules_compile(rules, room, source, n, tell_problem, NULL) != 0)
		give_up();
	if (settings.rules_file[0])
		raw2(SYS_munmap, source[0].text, RULES_FILE_MAX);
	rules->number = 1;
	return rules;
}

/* ---- in force ---- */

void enforce_aside(void)
{
	if (atomic_load(&process.engine.rules))
		enforce_refuse("MADV_WIPEONFORK fails: rules cannot be enforced", NULL, 0);
}

/* What rules need to be carried out. */
static void prepare(const struct rules *rules)
{
	if (!process.engine.sockets.capacity)
		process_make_tables();
	if (rules->actions & 1 << ACTION_MOVE)
		process_make_asked();
	if (rules->flags & RULE_AUTO && !process.is_sandboxed && !process.engine.auto_high)
		slice_take(process.engine.session, process.host_low, process.host_high,
		           &process.engine.auto_low, &process.engine.auto_high);
}

static bool have_delays(const struct rules *rules)
{
	return rules && rules->actions >> ACTION_DELAY & 1;
}

/* Delays have just come into force in a program that runs. */
static void learn(void)
{
	if (!process.is_sandboxed && !learn_interests())
		interest_missed();
}

static void put_in_force(struct rules *rules)
{
	static bool was_here; /* before the first, there was nothing to count */
	bool is_first = !was_here, had_delays = have_delays(atomic_load(&process.engine.rules));

	if (rules)
		prepare(rules);
	limit_prepare(rules, was_here);
	fdlimit_prepare(rules);
	was_here = true;
	ports_prepare(rules);
	engine_set_rules(&process.engine, rules);
	if (!is_first && !had_delays && have_delays(rules))
		learn();
}

/* One thread does it; calls that others make meanwhile, or a handler that interrupts it,
 * are decided by the old rules. A forked child is not held up by what it finds half done:
 * the number is its parent's. Where the process has not mapped the new rules, the old ones
 * stay. */
void enforce_renewed(void)
{
	static _Atomic uint32_t renewing;
	uint32_t page = atomic_load(process.rules_page), own = process.self->pid;
	struct rules *rules;

	if (own && atomic_exchange(&renewing, own) == own)
		return;
	rules = session_rules(process.engine.session, process.mapped_bytes, page);
	if (rules || !page)
		put_in_force(rules);
	atomic_store(&process.rules_seen, page);
	atomic_store(&renewing, 0);
}

static void check_tables(void)
{
	if (atomic_load(&process.engine.rules) && !process.engine.sockets.capacity)
		enforce_refuse("no memory to know sockets by (ulimit -v): rules cannot be enforced",
		               NULL, ENOMEM);
}

void enforce_start(void)
{
	struct session_header *session = process.engine.session;
	uint64_t asked = enforce_asked();
	struct rules *rules;

	if (!session) {
		rules = enforce_compile();
		process.engine.seed = rules ? newfile_seed() : 0;
		process.since_mono_ns = clock_ns(CLOCK_MONOTONIC);
		if (rules)
			newfile_port_range(&process.host_low, &process.host_high);
		put_in_force(rules);
		check_tables();
		return;
	}
	process.engine.seed = session->seed;
	process.since_mono_ns = session->epoch.mono_ns;
	process.host_low = session->port_low;
	process.host_high = session->port_high;
	if (!process.host_high)
		newfile_port_range(&process.host_low, &process.host_high);
	if (asked && asked != session->rules_asked)
		enforce_refuse("TCPSHIM_RULES asks for other rules than those of the session",
		               settings.session, 0);
	process.rules_page = &session->rules_page;
	enforce_renewed();
	if (process.rules_seen && !atomic_load(&process.engine.rules))
		enforce_refuse("cannot read the rules of the session", settings.session, 0);
	check_tables();
}
