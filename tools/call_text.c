/* SPDX-License-Identifier: MIT */
/* call_text.c - see call_text.h.
 *
 *	CALL PROTO [[remote|local] ENDPOINT]...
 *	getaddrinfo
 *
 * An endpoint without a word before it is what the call names: for bind and listen the
 * local one, for the others the remote one. */
#include "tools/call_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/names.h"
#include "tools/wording.h"

static const char blanks[] = " \t\r\n";

/* A word of the description, and what stands behind it. */
struct word {
	const char *at;
	size_t len;
};

/* What was said so far. */
struct described {
	struct call_text *out;
	enum op_kind kind;
	enum family family;
	enum proto proto;
	bool has_local, has_remote, is_v6;
	struct endpoint local, remote;
	bool has_port; /* of the endpoint that the call names */
};

__attribute__((format(printf, 2, 3))) static bool fail(struct call_text *out, const char *format,
                                                       ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out->error, sizeof(out->error), format, args);
	va_end(args);
	return false;
}

static struct word next_word(const char *at)
{
	at += strspn(at, blanks);
	return (struct word){at, strcspn(at, blanks)};
}

static bool is_word(const struct word *word, const char *wanted)
{
	return word->len == strlen(wanted) && strncmp(word->at, wanted, word->len) == 0;
}

static const char *show(const struct word *word)
{
	return word_text(word->at, word->len);
}

static bool read_call(struct described *said, const struct word *word)
{
	const uint32_t known = RULE_CALL(OP_SOCKET) | RULE_CALL(OP_BIND) | RULE_CALL(OP_LISTEN) |
	                       RULE_CALL(OP_CONNECT) | RULE_CALL(OP_ACCEPT) | RULE_CALL(OP_SEND) |
	                       RULE_CALL(OP_RECV) | RULE_CALL(OP_CLOSE) | RULE_CALL(OP_RESOLVE);

	said->kind = name_to_op(word->at, word->len);
	if (known & RULE_CALL(said->kind))
		return true;
	if (word->len == 0)
		return fail(said->out, "expected a call: bind tcp :80");
	return fail(said->out,
	            "'%s': expected socket, bind, listen, connect, accept, send, recv, close or "
	            "getaddrinfo",
	            show(word));
}

static bool read_proto(struct described *said, const struct word *word)
{
	if (said->kind == OP_RESOLVE)
		return word->len == 0 ||
		       fail(said->out, "'%s': getaddrinfo has no protocol", show(word));
	said->family = FAMILY_INET;
	if (is_word(word, "tcp"))
		said->proto = PROTO_TCP;
	else if (is_word(word, "udp"))
		said->proto = PROTO_UDP;
	else if (is_word(word, "unix"))
		said->family = FAMILY_UNIX;
	else if (word->len == 0)
		return fail(said->out, "expected tcp, udp or unix behind %s", name_op(said->kind));
	else
		return fail(said->out, "'%s': expected tcp, udp or unix", show(word));
	if (said->family == FAMILY_UNIX)
		said->proto = PROTO_STREAM;
	return true;
}

static bool read_port(uint16_t *port, const char *digits, size_t len)
{
	unsigned value = 0;

	for (size_t i = 0; i < len; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		value = value * 10 + (unsigned)(digits[i] - '0');
		if (value > UINT16_MAX)
			return false;
	}
	*port = (uint16_t)value;
	return len > 0;
}

/* ADDR:PORT, [v6]:PORT, :PORT, *:PORT, or one without its port. */
static bool read_endpoint(struct endpoint *end, const struct word *word, bool *is_v6,
                          bool *has_addr, bool *has_port)
{
	const char *at = word->at, *bracket = memchr(at, ']', word->len);
	const char *colon = memrchr(at, ':', word->len);
	size_t len = word->len;

	*is_v6 = colon && memchr(at, ':', (size_t)(colon - at));
	if (*is_v6 && (at[0] != '[' || !bracket || colon < bracket))
		colon = NULL; /* it belongs to the address */
	*has_port = colon != NULL;
	if (colon) {
		len = (size_t)(colon - at);
		if (!read_port(&end->port, colon + 1, word->len - len - 1))
			return false;
	}
	*has_addr = len > 0 && !(len == 1 && at[0] == '*');
	if (!*has_addr)
		return addr_parse(&end->ip, "0.0.0.0", 7);
	if (at[0] == '[') {
		if (len < 2 || at[len - 1] != ']')
			return false;
		at++;
		len -= 2;
	}
	return addr_parse(&end->ip, at, len);
}

static bool names_local(enum op_kind kind)
{
	return kind == OP_BIND || kind == OP_LISTEN;
}

static bool read_path(struct described *said, const struct word *word)
{
	struct op *op = &said->out->call.op;

	if (word->len > UNIX_PATH_MAX)
		return fail(said->out, "'%s': a path of a socket has at most %d bytes", show(word),
		            UNIX_PATH_MAX);
	op->path = word->at;
	op->path_len = word->len;
	return true;
}

/* local: it is said to be; or the call's own is. */
static bool read_end(struct described *said, const struct word *word, bool local)
{
	bool is_named = local == names_local(said->kind), is_v6, has_addr, has_port;
	struct endpoint end = {.port = 0};

	if (word->len == 0)
		return fail(said->out, "expected an endpoint behind '%s'",
		            local ? "local" : "remote");
	if (said->kind == OP_SOCKET || said->kind == OP_CLOSE ||
	    (!local && names_local(said->kind)))
		return fail(said->out, "'%s': %s has no such endpoint", show(word),
		            name_op(said->kind));
	if (local ? said->has_local : said->has_remote)
		return fail(said->out, "'%s': one endpoint is enough", show(word));
	*(local ? &said->has_local : &said->has_remote) = true;
	if (said->family == FAMILY_UNIX)
		return is_named ? read_path(said, word)
		                : fail(said->out, "'%s': one path is enough", show(word));
	if (!read_endpoint(&end, word, &is_v6, &has_addr, &has_port))
		return fail(said->out, "'%s': expected an endpoint: 10.0.0.5:5432, [::1]:80, :80",
		            show(word));
	if (!local && !has_addr)
		return fail(said->out, "'%s': %s needs a whole address: 10.0.0.5:5432", show(word),
		            name_op(said->kind));
	said->is_v6 |= is_v6;
	said->has_port |= is_named && has_port;
	*(local ? &said->local : &said->remote) = end;
	return true;
}

/* Is all there that the call asks for? Packets on a connected socket name no peer. */
static bool is_whole(const struct described *said)
{
	bool has_named = names_local(said->kind) ? said->has_local : said->has_remote;
	bool needs = said->kind == OP_BIND || said->kind == OP_CONNECT;
	bool needs_port = needs || (said->kind == OP_SEND && has_named);

	if (needs && !has_named)
		return fail(said->out, "%s: expected %s", name_op(said->kind),
		            said->family == FAMILY_UNIX ? "a path: /run/x.sock or @name"
		                                        : "an endpoint: 10.0.0.5:5432");
	if (needs_port && said->family != FAMILY_UNIX && !said->has_port)
		return fail(said->out, "%s: expected a port: 10.0.0.5:5432", name_op(said->kind));
	return true;
}

/* The call and its socket as a back end would tell of them. */
static void fill(const struct described *said)
{
	struct call *call = &said->out->call;
	struct op *op = &call->op;
	bool is_inet = said->family == FAMILY_INET;
	enum family family = is_inet && said->is_v6 ? FAMILY_INET6 : said->family;
	bool has_port = said->has_local && said->local.port && said->kind != OP_BIND;
	uint32_t bits = is_inet && has_port ? SOCKET_LOCAL | SOCKET_BOUND : 0;

	op->kind = said->kind;
	op->fd = 0;
	op->family = family;
	op->proto = said->proto;
	call->sock.word = sock_word(1, family, said->proto, bits);
	call->sock.local = said->local.ip;
	call->sock.local_port = said->local.port;
	op->has_asked = is_inet && (names_local(said->kind) || said->has_remote);
	op->asked = names_local(said->kind) ? said->local : said->remote;
}

bool call_text_read(struct call_text *call_text, const char *text)
{
	struct described said = {.out = call_text};
	struct word word = next_word(text);

	*call_text = (struct call_text){.error = ""};
	addr_parse(&said.local.ip, "0.0.0.0", 7); /* a socket that is not bound */
	if (!read_call(&said, &word))
		return false;
	word = next_word(word.at + word.len);
	if (!read_proto(&said, &word))
		return false;
	word = next_word(word.at + word.len);
	while (word.len > 0) {
		bool local = is_word(&word, "local");
		bool is_said = local || is_word(&word, "remote");

		if (is_said)
			word = next_word(word.at + word.len);
		if (!read_end(&said, &word, is_said ? local : names_local(said.kind)))
			return false;
		word = next_word(word.at + word.len);
	}
	if (!is_whole(&said))
		return false;
	fill(&said);
	return true;
}
