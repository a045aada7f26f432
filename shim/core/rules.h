/* SPDX-License-Identifier: MIT */
/* rules.h - a set of rules, compiled: what calls are asked against.
 *
 * One flat piece of memory without pointers, written once by rules_compile() and
 * read ever after, by all processes of a session that map it at different
 * addresses. Behind struct rules stand the rules in the order of their text, the
 * strings they name, and an index that finds the first one that matches a call
 * without looking at the others (rules_find.c). Only the counters of matches change.
 *
 * The language is that of tcpshim.rules(5). */
#ifndef CORE_RULES_H
#define CORE_RULES_H

#include <stdatomic.h>

#include "core/op.h"

#define RULES_MAGIC "tcprule"

enum { RULES_MAX = 65535, RULES_SOURCES_MAX = 64, RULE_TEXT_MAX = 1024 };

#define ACTION_LIST(X)                                                                             \
	X(ALLOW, "allow")                                                                          \
	X(DENY, "deny")                                                                            \
	X(MOVE, "move")                                                                            \
	X(ASSIGN, "assign")                                                                        \
	X(LIMIT, "limit")                                                                          \
	X(FAIL, "fail")                                                                            \
	X(DELAY, "delay")

/* clang-format off */
enum action {
#define X(name, text) ACTION_##name,
	ACTION_LIST(X)
#undef X
	ACTIONS
};
/* clang-format on */

/* What a limit limits. */
enum limit_kind {
	LIMIT_NONE,
	LIMIT_FDS,
	LIMIT_SOCKETS,
	LIMIT_PORTS,
	LIMIT_CONNECTIONS,
	LIMIT_BACKLOG,
	LIMIT_MEMORY,
};

/* The calls that rules speak of, as bits: RULE_CALL(OP_BIND). */
#define RULE_CALL(kind) (UINT32_C(1) << (kind))

/* The protocols, as bits. OTHER has no name in the language: `any` covers it. */
enum { RULE_TCP = 1, RULE_UDP = 2, RULE_UNIX = 4, RULE_OTHER = 8, RULE_ANY_PROTO = 15 };

/* A string of the set: rules_text(). */
struct rule_text {
	uint32_t at, len;
};

/* What an endpoint must look like. Presence is in the flags. */
struct pattern {
	struct ip ip; /* IPv4 is v4-mapped */
	uint16_t port_low, port_high;
	uint8_t bits; /* of ip that count; IPv4: 96 + its prefix */
	uint8_t flags;
	uint16_t reserved;
	struct rule_text path; /* unix; an abstract name starts with '@'; may have * and ? */
};

enum { PATTERN_ADDR = 1, PATTERN_PORT = 2, PATTERN_PATH = 4 };

struct rule {
	uint32_t calls; /* RULE_CALL bits, of `any` those that have the endpoints; LIMIT: those
	                 * that it could touch */
	uint8_t action; /* enum action */
	uint8_t protos;
	uint16_t flags; /* RULE_ bits: what is present */
	struct pattern local, remote;
	struct rule_text program; /* `in`: its name or path, may have * and ? */
	uint16_t error;           /* errno or RULE_EAI; DENY, LIMIT: given or by default, 0: none */
	uint16_t source;          /* 0..: number of the source */
	uint32_t line;            /* 1.. in it */

	struct endpoint to;   /* MOVE: TO_ADDR, TO_PORT say which parts count; its port is low */
	uint16_t low, high;   /* MOVE with TO_PORT, ASSIGN, LIMIT ports: range of ports; AUTO: 0 */
	uint8_t limit;        /* enum limit_kind */
	uint32_t amount;      /* LIMIT: how many (RANGE: ports in it); `while` of the others */
	uint32_t probability; /* per million */
	uint32_t first, last; /* `when`; last UINT32_MAX: no end */
	uint32_t step;        /* 1: each */
	uint64_t after_ns, for_ns;
	uint64_t delay_ns, jitter_ns;

	uint64_t salt; /* faults: of what it draws; equal rules have different ones */

	/* What changes while it is in force. */
	_Atomic uint64_t matched; /* calls that it has decided */
	_Atomic uint64_t turns;   /* faults: calls that it has matched */
	_Atomic uint32_t ports;   /* LIMIT ports: low << 16 | high of the range; 0: none yet */
	_Atomic uint32_t open[2]; /* LIMIT connections: places taken by connect and accept,
	                           * and the age of that count; see preload/limit.c */
	uint32_t reserved;
};

enum {
	RULE_ERROR = 1,    /* an error is given (not by default) */
	RULE_INSIST = 2,   /* error!: also one that the call cannot return */
	RULE_PROGRAM = 4,  /* in NAME */
	RULE_TO_ADDR = 8,  /* to ADDR */
	RULE_TO_PORT = 16, /* to :LOW-HIGH */
	RULE_AUTO = 32,    /* to auto, from auto: ports of the session's own */
	RULE_TREE = 64,    /* limit sockets N tree */
	RULE_WHEN = 128,
	RULE_PROBABILITY = 256,
	RULE_AFTER = 512,
	RULE_FOR = 1024,
	RULE_WHILE = 2048,
	RULE_JITTER = 4096,
	RULE_RANGE = 8192,  /* LIMIT ports LOW-HIGH, not a number */
	RULE_NAMED = 16384, /* remote is the pattern of the endpoint that the call names: of the
	                     * local one for bind and listen (several calls and a bare endpoint) */
};

/* What getaddrinfo gives instead of an errno: RULE_EAI + 3 for EAI_AGAIN, which is -3.
 * A plain errno there means EAI_SYSTEM with that errno. */
enum { RULE_EAI = 4096 };

/* Of the index, see rules_index.h: a key is a call and a protocol, of policy rules; from
 * RULE_FAULTS on the same of faults. */
enum { RULE_FAULTS = 32, RULE_KEYS = RULE_FAULTS + 40 };

struct rules {
	char magic[8];
	uint32_t bytes; /* of the whole set */
	uint32_t count; /* rules */
	uint32_t texts_at, texts_bytes;
	uint32_t heads_at,
	        heads_log2; /* hash table of the index: uint32_t, 0 or an entry's number */
	uint32_t entries_at, entries; /* struct rule_entry; number 0 is none */
	uint32_t calls;               /* RULE_CALL bits that any policy rule could touch */
	uint32_t fault_calls;         /* the same of faults (fail, delay, limit memory) */
	uint32_t limit_calls;         /* the same of the other limits */
	uint32_t limits;              /* bits by enum limit_kind */
	uint32_t actions;             /* bits by enum action */
	uint32_t flags;               /* of all rules, ored */
	uint32_t sources;
	struct rule_text source[RULES_SOURCES_MAX]; /* their names */
	uint32_t number; /* of this set in its session, 1 for the first */
	uint32_t before; /* page of the set before it, 0: none */
	uint64_t since;  /* ticks when it came into force */

	/* The head of the index: in which places to look, by kind of program; and in which
	 * shapes at an endpoint (local or remote; by kind of program; IPv4 or IPv6). */
	uint16_t places[RULE_KEYS];
	uint64_t shapes[RULE_KEYS][2][3][2];
	struct rule_span {
		uint16_t first, last;    /* numbers; 0: there is none */
	} span[RULE_KEYS - RULE_FAULTS]; /* of the faults under a key */

	_Alignas(64) struct rule rule[];
};

struct rule_entry {
	uint32_t tag;  /* of the word under which it stands */
	uint32_t rule; /* index */
	uint32_t next; /* entry with a higher rule and a lower number, 0: none */
};

/* ---- from text (rules_parse.c, rules_words.c ...) ---- */

struct rules_source {
	const char *name; /* for messages: a file's path, "TCPSHIM_RULES", "-r" */
	const char *text;
	size_t len;
};

/* What is wrong, and where. Strings stay valid until the call returns. */
struct rules_problem {
	const struct rules_source *source;
	unsigned line, column; /* 1..; column counts characters (UTF-8), tabs as one */
	size_t at, len;        /* bytes of the source that are meant; len 0: behind the last word */
	bool is_warning;
	const char *what;     /* "unknown action 'alow'" */
	const char *expected; /* "expected allow, deny, ..."; NULL: nothing more to say */
	const char *instead;  /* a word that was perhaps meant; NULL: none */
};

typedef void rules_report(void *context, const struct rules_problem *problem);

/* How much memory rules_compile() needs at most. */
size_t rules_room(const struct rules_source *sources, unsigned n);

/* Compile the rules of n sources, one set in their order, into zeroed memory of
 * size bytes, aligned to 64. Tells every problem to report. Returns the number of errors;
 * with 0 the set is whole and rules->bytes is its size, otherwise it is not to be used. */
unsigned rules_compile(struct rules *rules, size_t size, const struct rules_source *sources,
                       unsigned n, rules_report *report, void *context);

/* Write a problem as people know it from compilers, some lines, NUL-terminated:
 *
 *	web.rules:3:1: error: unknown action 'alow'
 *	    3 | alow bind tcp :80
 *	      | ^~~~ did you mean 'allow'?
 *	      = expected allow, deny, move, assign, limit, fail or delay
 *
 * Bytes that are not printable are escaped, long lines cut. RULES_PROBLEM_MAX is enough
 * unless names of sources are longer than PATH_MAX / 4. Returns the length. */
enum { RULES_PROBLEM_MAX = 8192 };
size_t rules_print_problem(char *buf, size_t size, const struct rules_problem *problem);

/* ---- to text (rules_print.c) ---- */

/* Print a rule as the language says it, NUL-terminated: parsing it again gives the
 * same rule. RULE_TEXT_MAX is enough unless names are longer. Bytes of a set from outside
 * are not escaped: see text_visible(). Returns the length. */
size_t rule_print(char *buf, size_t size, const struct rules *rules, const struct rule *rule);

/* ---- use (rules_find.c, rules_match.c) ---- */

/* A call, as rules see it. */
struct rule_query {
	enum op_kind call;
	unsigned proto; /* one RULE_ bit */
	bool has_local, has_remote;
	struct endpoint local, remote;
	const char *path; /* unix: of the endpoint that the call names; NULL: unnamed */
	size_t path_len;
	const char *name, *program;       /* of the process: name and path, NUL-terminated */
	uint64_t name_hash, program_hash; /* rules_name_hash() of them; 0: not known yet */
};

/* The hash of a process's name or path: who asks often keeps it. Never 0. */
uint64_t rules_name_hash(const char *name);

/* Is this a set that can be used: magic, sizes and places in `bytes` bytes? */
bool rules_are_sound(const struct rules *rules, size_t bytes);

/* A string of the set, *len bytes without a NUL; empty where a damaged set has none. */
const char *rules_text(const struct rules *rules, struct rule_text text, size_t *len);

/* The first policy rule (allow, deny, move, assign) that matches. Returns its
 * index + 1, or 0. */
uint32_t rules_find(const struct rules *rules, const struct rule_query *query);

/* Does this rule inject faults: fail, delay, limit memory? */
static inline bool rule_is_fault(const struct rule *rule)
{
	return rule->action == ACTION_FAIL || rule->action == ACTION_DELAY ||
	       (rule->action == ACTION_LIMIT && rule->limit == LIMIT_MEMORY);
}

/* Is this turn, counted from 1, among those that `when` names? */
static inline bool rule_has_turn(const struct rule *rule, uint64_t turn)
{
	if (!(rule->flags & RULE_WHEN))
		return true;
	return turn >= rule->first && (rule->last == UINT32_MAX || turn <= rule->last) &&
	       (turn - rule->first) % (rule->step ? rule->step : 1) == 0;
}

/* The first fault rule behind number `after` (0: from the start) that matches, whether or
 * not it is its turn. Returns its index + 1, or 0. */
uint32_t rules_next_fault(const struct rules *rules, const struct rule_query *query,
                          uint32_t after);

/* What keeps a rule from matching; in the order in which it is looked at. */
enum mismatch {
	MISMATCH_NONE,
	MISMATCH_CALL,
	MISMATCH_PROTO,
	MISMATCH_LOCAL,
	MISMATCH_REMOTE,
	MISMATCH_PROGRAM,
};
enum mismatch rule_mismatch(const struct rules *rules, const struct rule *rule,
                            const struct rule_query *query);

/* Does a name match a pattern with * (any characters) and ? (one)? */
bool rule_glob(const char *pattern, size_t pattern_len, const char *name, size_t len);

/* Does pattern a match every name that pattern b matches? Sure if it says yes: what b leaves
 * open only a's * takes, or its ? where that is a single character. */
bool rule_glob_covers(const char *a, size_t a_len, const char *b, size_t b_len);

/* Build the index behind the texts (rules, texts and their counts are there), and set
 * heads, entries, shapes, calls, actions and bytes; the last step of rules_compile(), which
 * has zeroed memory of size bytes. Returns false if it does not fit. */
bool rules_index(struct rules *rules, size_t size);

/* Bytes that the index of so many rules takes at most. */
size_t rules_index_room(size_t count);

/* The names of actions and limits. */
const char *name_action(enum action action);
const char *name_limit(enum limit_kind limit);

#endif
