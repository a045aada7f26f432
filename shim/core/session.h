/* SPDX-License-Identifier: MIT */
/* session.h - the layout of a session file, and how it is written.
 *
 * One file, mapped shared by every process of the session:
 *
 *   0           struct session_header      who, when, where; shared counters
 *   4 KiB       struct session_process[]   the table of processes
 *   + n * 512   struct session_moved[]     moved sockets that go from program to program
 *   + n * 64    chunks of 4 to 64 KiB      events, each chunk written by one thread;
 *                                          and sets of rules, the newest is in force
 *
 * A chunk is 2^k pages and starts with a struct session_chunk of one line (64
 * bytes); the other lines are events or, behind an event that says so, its
 * text. A page can also be shared by threads that have not said much yet: behind
 * its own head stand 7 chunks of 9 lines. A writer takes a chunk by adding to
 * header.pages_used, then lines in it by adding to a cursor of its own; it waits
 * for nobody. It fills a line's last
 * 56 bytes, then stores the first 8, whose top byte is never 0 in a written
 * line: a reader that finds 0 there meets a line that is being written or whose
 * writer was killed, and goes on behind it.
 *
 * Times are ticks: of the CPU's counter where the kernel's clock uses it, else
 * ns of CLOCK_MONOTONIC. Pairs of (ticks, ns) in the header and in each process
 * give the rate.
 *
 * All integers are in the byte order of the machine that wrote them. A reader
 * treats every byte as hostile. */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include <stdatomic.h>

#include "core/op.h"

#define SESSION_MAGIC  "tcpshim"
#define SESSION_SUFFIX ".tcpshim"

enum {
	SESSION_VERSION = 3,
	SESSION_PAGE = 4096,
	SESSION_LINE = 64,
	SESSION_PAGE_LINES = SESSION_PAGE / SESSION_LINE,
	SESSION_CHUNK_CLASS_MAX = 4, /* 2^4 pages: 64 KiB */
	SESSION_CHUNK_SHARED = 8,    /* class of a shared page's head */
	SESSION_CHUNK_SMALL = 9,     /* class of the chunks in it */
	SESSION_CHUNK_RULES = 10,    /* class of a set of rules, of any number of pages */
	SESSION_SMALL_LINES = 9,
	SESSION_HEADER_BYTES = SESSION_PAGE,
	SESSION_PROCESSES = 65536,
	SESSION_PROCESS_BYTES = 512,
	SESSION_MOVED = 4096,
	SESSION_MOVED_AT = SESSION_HEADER_BYTES + SESSION_PROCESSES * SESSION_PROCESS_BYTES,
	SESSION_PAGES_FIRST = (SESSION_MOVED_AT + SESSION_MOVED * SESSION_LINE) / SESSION_PAGE,
	SESSION_EVENTS_DEFAULT = 8 << 20, /* 512 MiB, sparse */
	SESSION_EVENTS_MIN = 1024,
	SESSION_EVENTS_MAX = 1 << 30,
};

/* The same moment on two clocks. */
struct clock_pair {
	uint64_t ticks;
	uint64_t mono_ns; /* CLOCK_MONOTONIC */
};

struct session_header {
	char magic[8];
	uint32_t version;
	uint32_t flags; /* SESSION_TICKS_CPU */
	uint64_t bytes; /* of the whole file */
	uint64_t seed;
	struct clock_pair epoch; /* when it was made: event times count from epoch.ticks */
	uint64_t real_ns;        /* CLOCK_REALTIME at epoch */
	uint32_t creator_pid;
	uint16_t port_low, port_high; /* net.ipv4.ip_local_port_range */
	char host[64];
	char kernel[64];      /* uname release */
	uint64_t rules_asked; /* hash of what asked for the first rules; 0: nothing */

	/* Read with every call. */
	_Atomic uint32_t rules_page; /* of the rules in force, 0: none */

	/* Written by every process of the session. */
	_Alignas(64) _Atomic uint32_t pages_used; /* of the whole file */
	_Atomic uint32_t processes_used;          /* no slot from here on is taken */
	_Atomic uint64_t events_dropped;          /* no room, or the disk is full */
	_Atomic uint64_t processes_dropped;       /* there was no slot */
	_Atomic uint64_t peers_dropped;           /* UDP peers beyond what a socket remembers */
	_Atomic uint32_t port_turn;               /* where the next search for a port begins */
	_Atomic uint32_t auto_ports;   /* `from auto`: low << 16 | high; 0: no slice yet */
	_Atomic uint64_t sockets_open; /* where rules count them: a socket_count */
	_Atomic uint32_t newest;       /* process: its slot, 0: none; then see `older` */

	_Alignas(64) char reserved[SESSION_PAGE - 320];
};

enum { SESSION_TICKS_CPU = 1 };

/* Calls of a process that are under way, where sockets are counted. */
struct flight {
	_Atomic uint32_t making;  /* sockets that they have taken a place for */
	_Atomic uint32_t closing; /* sockets that will give theirs back */
	_Atomic uint32_t forked;  /* 1: a child says that it has its sockets, too */
};

/* How a process came into being, as far as the session knows. */
enum process_origin { ORIGIN_ROOT, ORIGIN_FORK, ORIGIN_EXEC, ORIGIN_SPAWN };

/* Why a process can, or cannot, be seen. Names in names.h. */
#define COVERAGE_LIST(X)                                                                           \
	X(SEEN, "seen", "its calls are recorded")                                                  \
	X(STATIC, "static", "statically linked: the dynamic loader does not run")                  \
	X(GO, "go", "Go makes its own system calls")                                               \
	X(SETUID, "setuid",                                                                        \
	  "set-user-ID, set-group-ID or file capabilities: the loader ignores preloads")           \
	X(CLASS, "class", "of another ELF class or machine than the library")                      \
	X(UNREACHABLE, "unreachable", "it could not open the session file")                        \
	X(SILENT, "silent", "the library did not come up in it")

/* clang-format off */
enum coverage {
#define X(name, text, why) COVERAGE_##name,
	COVERAGE_LIST(X)
#undef X
	COVERAGES
};
/* clang-format on */

enum process_state {
	PROCESS_FREE,    /* not taken, or not filled yet */
	PROCESS_LIVE,    /* running, or killed without a word */
	PROCESS_EXECING, /* called exec; its successor is not up (yet) */
	PROCESS_EXECED,  /* its successor is up, in a slot of its own */
	PROCESS_ENDED,   /* exited; status is known */
};

/* One slot: one process, or one program that a process became by exec. Number 0
 * is never given, so that 0 can say "unknown". A program that exec'd before it
 * touched a socket shares the slot with its successor. */
struct session_process {
	_Atomic uint32_t state; /* enum process_state */
	uint32_t pid;           /* 0: not taken */
	uint32_t ppid;
	uint32_t parent; /* slot of the parent, or of the program before exec; 0: none */
	uint32_t uid;
	uint8_t origin;                /* enum process_origin */
	uint8_t coverage;              /* enum coverage */
	uint8_t blind;                 /* BLIND_ bits: part of its calls cannot be seen */
	uint8_t next_coverage;         /* EXECING: of the program that is to come */
	int32_t status;                /* exit status when ENDED */
	_Atomic uint32_t chunks;       /* taken by its threads */
	_Atomic uint32_t fd_limit;     /* soft RLIMIT_NOFILE */
	_Atomic uint32_t fd_peak;      /* highest socket fd + 1 */
	uint32_t passed_top;           /* highest socket fd that an exec or spawn passed on + 1 */
	uint64_t start, end;           /* ticks; end 0: unknown */
	struct clock_pair first, last; /* last is renewed as it runs */
	char name[32];                 /* last part of the program's path */
	char program[224];             /* its path; NUL-terminated, the front cut off if longer */
	char next[140];                /* EXECING: the path given to exec */
	_Atomic uint32_t fd_given;     /* soft RLIMIT_NOFILE before a rule set it; 0: none did */
	_Atomic uint32_t older;        /* slot of the process that entered before; 0: the first */
	struct flight flight;
};

enum { BLIND_URING = 1, BLIND_DEEPBIND = 2, BLIND_DLMOPEN = 4 };

/* A moved socket that another program may meet: by exec, by SCM_RIGHTS. Its place
 * is found by its cookie. */
struct session_moved {
	_Atomic uint64_t cookie; /* SO_COOKIE, stored last; 0: free */
	struct ip local, remote; /* what the program asked for */
	uint16_t local_port, remote_port;
	uint32_t bits; /* SOCKET_MOVED_ bits: which of them count */
	uint64_t reserved[2];
};

/* First line of a chunk. */
struct session_chunk {
	uint32_t magic; /* SESSION_CHUNK_MAGIC, stored last */
	uint32_t class; /* 2^class pages, SHARED, SMALL or RULES */
	uint32_t process;
	uint32_t pid;
	uint32_t tid;   /* 0: unknown */
	uint32_t pages; /* RULES: how many; a struct rules stands behind this line */
	uint8_t reserved[40];
};

enum { SESSION_CHUNK_MAGIC = 0x6b6e6863 };

/* One event. Its number (file offset / 64) is the id of the socket whose birth
 * it records (SOCKET, SOCKETPAIR, ACCEPT, ADOPT): so ids are unique in a
 * session, cost nothing and say where the birth stands. */
struct line {
	_Atomic uint64_t head; /* enum op_kind << 56 | start, ticks since epoch */
	uint32_t took;         /* ticks, packed: session_span() */
	int32_t fd;
	int32_t result; /* or -errno */
	uint32_t sock;  /* id; 0: unknown */
	uint16_t rule;
	uint8_t kind;  /* family | proto << 2 | verdict << 4 */
	uint8_t flags; /* LINE_ bits | lines of text << 5 */
	/* LISTEN: remote_port is the backlog, at most 65535; BIND: 1 if port 0 was asked for */
	uint16_t local_port, remote_port;
	union {
		struct {
			struct ip local, remote;
		};
		struct {
			uint64_t cookie; /* PASS: SO_COOKIE, 0: unknown */
			int32_t arg;     /* SHUTDOWN, LIMIT */
		};
	};
};

/* The text behind an event of OP_SITE: which turn of which rule the next event of the thread
 * is, and where the call came from: path+0xoffset of each frame, from the inside out, in lines. */
struct session_site {
	uint64_t turn;
	uint32_t rule; /* as in struct line */
	uint32_t len;
	char frames[]; /* len bytes */
};

/* The text behind an event with VERDICT_MOVED is a struct endpoint: what the
 * program asked for. The event's local (BIND) or remote is where it went. */

enum {
	LINE_LOCAL = 1,     /* local is known */
	LINE_REMOTE = 2,    /* remote is known */
	LINE_REUSEADDR = 4, /* BIND, LISTEN, CONNECT: SO_REUSEADDR or SO_REUSEPORT was set */
	LINE_NO_PORT = 8,   /* BIND, CONNECT: IP_BIND_ADDRESS_NO_PORT was set */
	LINE_CLOEXEC = 16,  /* births: the fd is close-on-exec */
	LINE_TEXT_SHIFT = 5,
	LINE_TEXT_MAX = 7, /* lines */
};

_Static_assert(sizeof(struct line) == SESSION_LINE, "an event is one cache line");
_Static_assert(sizeof(struct session_chunk) == SESSION_LINE, "a chunk starts with one line");
_Static_assert(sizeof(struct session_process) == SESSION_PROCESS_BYTES, "a slot is 512 bytes");
_Static_assert(sizeof(struct session_moved) == SESSION_LINE, "a moved socket is one line");
_Static_assert(sizeof(struct session_header) == SESSION_HEADER_BYTES, "a header is one page");

/* Bytes of a session file for this many events (each thread that makes a
 * socket call wastes at most one chunk). */
uint64_t session_bytes(uint64_t events);

/* Lay out a session in zeroed memory of bytes bytes. The caller has filled the
 * identity (seed, epoch, real_ns, flags, host, kernel, ports, rules_asked) in *identity.
 * With rules_bytes, the pages from SESSION_PAGES_FIRST on are kept for a set of rules in
 * force that the caller puts there, behind its head. */
void session_format(struct session_header *header, const struct session_header *identity,
                    uint64_t bytes, size_t rules_bytes);

/* Is this a session file of our version, of at least `bytes` bytes on disk?
 * Returns NULL if so, else what is wrong with it, for a message. */
const char *session_problem(const struct session_header *header, uint64_t bytes);

static inline struct session_process *session_process(struct session_header *header, uint32_t slot)
{
	return (struct session_process *)((char *)header + SESSION_HEADER_BYTES) + slot;
}

static inline struct session_moved *session_moved(struct session_header *header)
{
	return (struct session_moved *)((char *)header + SESSION_MOVED_AT);
}

/* A process's slot is found by its pid: it is the home slot, or the first free one
 * behind it, SESSION_PROCESS_PROBES at most. */
enum { SESSION_PROCESS_PROBES = 1024 };
uint32_t session_process_home(uint32_t pid);
uint32_t session_process_next(uint32_t slot);

/* Makes a page of the file safe to touch, even to read (tmpfs allocates then
 * too). Returns false if it can not. */
typedef bool session_touch(void *page);

/* Take a slot for a process. Returns 0 if there is none (counted). */
uint32_t session_take_process(struct session_header *header, uint32_t pid, session_touch *touch);

/* The slot of a living process, 0 if it has none. */
uint32_t session_find_process(struct session_header *header, uint32_t pid, session_touch *touch);

/* Take 2^class pages for a chunk. Returns its first page, or 0 when the part
 * of the file that is mapped (mapped_bytes) has no room. The pages are not yet
 * safe to touch: the caller makes the kernel allocate them first. */
uint32_t session_take_pages(struct session_header *header, uint64_t mapped_bytes, unsigned class);

/* A thread's place in its chunk, in one word so that a signal handler may take
 * lines between any two instructions: page << 36 | end << 24 | next. Lines count
 * from the page. 0: no chunk. */
typedef _Atomic uint64_t session_cursor;
#define SESSION_CURSOR_EMPTY UINT64_C(0)

/* Begin a chunk at a line of an allocated page, and make it this cursor's. */
void session_open_chunk(struct session_header *header, session_cursor *cursor, uint32_t page,
                        uint32_t line, const struct session_chunk *chunk);

/* Take n lines. Returns the first, or NULL if the chunk has no room for them. */
static inline struct line *session_take_lines(struct session_header *header, session_cursor *cursor,
                                              unsigned n)
{
	uint64_t at = atomic_fetch_add_explicit(cursor, n, memory_order_relaxed);
	uint32_t first = at & 0xffffff, end = at >> 24 & 0xfff;

	if (first + n > end)
		return NULL;
	return (struct line *)((char *)header + (at >> 36) * SESSION_PAGE) + first;
}

/* The number of a line: its id, if it records a birth. */
static inline uint32_t session_line_id(const struct session_header *header, const struct line *line)
{
	return (uint32_t)(line - (const struct line *)header);
}

/* A set of rules takes pages of its own, of the same supply as events: they stay
 * where they are as long as the session lasts, so that whoever still reads an older
 * set can finish. */
struct rules;

/* How many pages a set of so many bytes takes, and the line that it begins with. */
uint32_t session_rules_pages(size_t bytes);
struct session_chunk session_rules_head(size_t bytes);

/* Take them. Returns the first page, or 0 if there is no room. The set is to be
 * written to session_rules_at() once the pages are safe to touch, then put in force. */
uint32_t session_take_rules(struct session_header *header, uint64_t mapped_bytes, size_t bytes);
static inline struct rules *session_rules_at(struct session_header *header, uint32_t page)
{
	return (struct rules *)((char *)header + (uint64_t)page * SESSION_PAGE + SESSION_LINE);
}

/* From now on the set at this page decides, in every process. */
void session_enforce_rules(struct session_header *header, uint32_t page);

/* The set at a page, or NULL if there is no sound one in mapped_bytes bytes. */
struct rules *session_rules(struct session_header *header, uint64_t mapped_bytes, uint32_t page);

/* A span of ticks in 32 bits: up to 2^31 (about a second) exact, above in units of
 * 2^16 ticks, up to half a day; a longer one is cut to that. */
#define SESSION_SPAN_LONG (UINT32_C(1) << 31)

static inline uint32_t session_pack_span(uint64_t ticks)
{
	if (ticks < SESSION_SPAN_LONG)
		return (uint32_t)ticks;
	if (ticks >> 63) /* negative: another CPU's counter lags a little */
		return 0;
	ticks >>= 16;
	return SESSION_SPAN_LONG |
	       (uint32_t)(ticks < SESSION_SPAN_LONG ? ticks : SESSION_SPAN_LONG - 1);
}

static inline uint64_t session_span(uint32_t packed)
{
	if (packed < SESSION_SPAN_LONG)
		return packed;
	return (uint64_t)(packed - SESSION_SPAN_LONG) << 16;
}

/* Make a filled line visible to readers. */
static inline void session_publish(struct line *line, enum op_kind kind, uint64_t start)
{
	uint64_t since = start & (((uint64_t)1 << 56) - 1);

	atomic_store_explicit(&line->head, (uint64_t)kind << 56 | since, memory_order_release);
}

#endif
