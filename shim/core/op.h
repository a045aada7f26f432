/* SPDX-License-Identifier: MIT */
/* op.h - the vocabulary of the house: what is asked (op), what is decided
 * (verdict), what happened (outcome). A back end speaks it, the engine answers
 * in it; change it with care. */
#ifndef CORE_OP_H
#define CORE_OP_H

#include "core/addr.h"

/* For the few functions on the path of every call: each wrapper has a copy, in
 * which the kind of op is a constant and the call stays in registers. */
#define HOT static inline __attribute__((always_inline))

/* Every kind of event, with the name that users see. The values are stored in
 * session files: append, never reorder. */
#define OP_LIST(X)                                                                                 \
	X(SOCKET, "socket")         /* result: the fd */                                           \
	X(SOCKETPAIR, "socketpair") /* one event an fd; result: the fd */                          \
	X(BIND, "bind")             /* local */                                                    \
	X(LISTEN, "listen")         /* local; arg: backlog */                                      \
	X(CONNECT, "connect")       /* local, remote */                                            \
	X(ACCEPT, "accept")         /* fd: listener; result: new fd; sock: new socket */           \
	X(SHUTDOWN, "shutdown")     /* arg: how */                                                 \
	X(CLOSE, "close")           /* one name of the socket is gone */                           \
	X(DUP, "dup")               /* result: the second fd of the same socket */                 \
	X(SEND, "send")             /* first packet to a peer, or the autobind */                  \
	X(RECV, "recv")             /* first packet from a peer */                                 \
	X(ADOPT, "adopt")           /* a socket met whose birth was not seen */                    \
	X(PASS, "pass")             /* a socket leaves by SCM_RIGHTS or exec */                    \
	X(RESOLVE, "getaddrinfo")   /* text: name; remote: one address of the answer */            \
	X(START, "start")           /* a program came into the session */                          \
	X(FORK, "fork")             /* a process made another; result: its pid */                  \
	X(EXEC, "exec")             /* a process became another program; text: path */             \
	X(EXIT, "exit")             /* result: exit status */                                      \
	X(BLIND, "blind")           /* something that cannot be seen; text: what */                \
	X(LIMIT, "setrlimit")       /* arg: the new soft RLIMIT_NOFILE */                          \
	X(SITE, "site")             /* where a call came from; text: struct session_site */

/* clang-format off */
enum op_kind {
	OP_NONE,
#define X(name, text) OP_##name,
	OP_LIST(X)
#undef X
	OP_KINDS
};
/* clang-format on */

enum proto { PROTO_OTHER, PROTO_TCP, PROTO_UDP, PROTO_STREAM /* unix stream */ };

/* What is asked. The back end fills what the kind calls for; endpoints are
 * copies, never pointers into the program. */
struct op {
	enum op_kind kind;
	int fd;             /* -1: none */
	enum family family; /* of the socket that is to be made */
	enum proto proto;
	int arg;        /* backlog, shutdown's how, new limit; BIND: 1 if it asked for port 0 */
	bool cloexec;   /* births and DUP: the new fd is close-on-exec */
	uint64_t start; /* ticks, see session.h */

	/* What the call names: BIND its local, the others a remote endpoint. Only where a rule
	 * could want to know. */
	bool has_asked;
	struct endpoint asked;
	const char *path; /* of a unix socket, path_len bytes; NULL: unnamed */
	size_t path_len;

	/* For faults, where a rule wants to know. */
	uint64_t since_ns; /* since the session began */
	uint32_t sockets;  /* open in the session */
};

enum verdict_kind {
	VERDICT_PASSED,
	VERDICT_DENIED,
	VERDICT_FAILED,
	VERDICT_MOVED,
	VERDICT_ASSIGNED,
	VERDICT_LIMITED,
	VERDICT_DELAYED,
};

/* What to do with it. With VERDICT_PASSED the rest is zero. */
struct verdict {
	enum verdict_kind kind;
	int error;          /* DENIED, FAILED, LIMITED: the errno to give */
	uint16_t rule;      /* 1 for the first rule; 0: none */
	uint16_t held;      /* places that the sockets to be made have in counts, limits.h */
	uint16_t place;     /* limit connections: the rule of which it has a place; 0: none */
	uint16_t age;       /* of that place */
	uint64_t delay_ns;  /* to wait before the call; 0 unless a fault was asked for */
	uint64_t turn;      /* of the rule `counted`, that this call is */
	uint16_t counted;   /* the last fault rule that counted the call; 0, or not set: none */
	struct endpoint to; /* MOVED: where it goes; port 0 with a range: any free one of it */
	uint16_t low, high; /* ASSIGNED, MOVED: take the port from this range; high 0: no range */
};

/* What happened. */
struct outcome {
	uint64_t end;  /* ticks */
	int result;    /* >= 0, or -errno */
	uint32_t bits; /* ADOPT: the SOCKET_ bits that the kernel told */
	size_t text_len;
	const char *text; /* of text_len bytes; the kernel or libc has read them: they are there */
	bool has_local, has_remote;
	struct endpoint local, remote; /* as the kernel has them; on failure, as asked */
	uint64_t cookie;               /* PASS: SO_COOKIE, 0: unknown */
};

#endif
