/* SPDX-License-Identifier: MIT */
/* suggest_rules.c - a policy in the language of tcpshim.rules(5). */
#include <ctype.h>
#include <string.h>

#include "core/names.h"
#include "core/text.h"
#include "tools/suggest.h"
#include "tools/wording.h"

enum { LINE_MAX_BYTES = 512, RULE_COLUMN = 47 };

static const char *const protos[] = {"tcp", "udp", "unix"};

/* A word that is one whatever is in it. What no word can hold becomes `?`, which
 * matches it. */
static void put_word(struct text *line, const char *word)
{
	char visible[8];

	text_char(line, '"');
	for (size_t i = 0, n; word[i]; i += n) {
		unsigned char c = (unsigned char)word[i];
		struct text text = text_on(visible, sizeof(visible));

		n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		if (n > strlen(word + i))
			n = 1;
		text_visible(&text, word + i, n);
		if (c == '"' || c == '\\') {
			text_char(line, '\\');
			text_char(line, (char)c);
		} else if (text.len == n && (n > 1 || isprint(c))) {
			text_bytes(line, word + i, n);
		} else {
			n = 1;
			text_char(line, '?');
		}
	}
	text_char(line, '"');
}

static void put_name(struct text *line, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                            "._-/@+*?,=~%";

	if (word[strspn(word, plain)])
		put_word(line, word);
	else
		text_put(line, word);
}

/* Quoted, a word is a path whatever it starts with. */
static void put_path(struct text *line, const char *path)
{
	bool is_plain = path[0] == '/' || path[0] == '@';

	if (is_plain)
		put_name(line, path);
	else if (path[0])
		put_word(line, path);
}

static void put_span(struct text *line, const struct span *span, bool has_port)
{
	char address[ADDR_TEXT_MAX];
	bool is_v4 = addr_is_v4(&span->ip);
	size_t len = addr_print(address, &span->ip);

	if (!is_v4)
		text_char(line, '[');
	text_bytes(line, address, len);
	if (!is_v4)
		text_char(line, ']');
	if (span->bits < 128) {
		text_char(line, '/');
		text_unsigned(line, span->bits - (is_v4 ? 96u : 0u));
	}
	if (!has_port)
		return;
	text_char(line, ':');
	text_unsigned(line, span->low);
	if (span->low == span->high)
		return;
	text_char(line, '-');
	text_unsigned(line, span->high);
}

/* "allow bind    tcp 127.0.0.1:8080 in nginx" */
static void put_rule(char *buf, const struct grant *grant)
{
	struct text line = text_on(buf, LINE_MAX_BYTES);

	text_put(&line, "allow ");
	text_put(&line, name_op(grant->call));
	while (line.len < strlen("allow connect "))
		text_char(&line, ' ');
	text_put(&line, protos[grant->proto]);
	if (grant->proto != GRANT_UNIX || grant->path[0])
		text_char(&line, ' ');
	if (grant->proto == GRANT_UNIX)
		put_path(&line, grant->path);
	else
		put_span(&line, &grant->span, grant->call != OP_ACCEPT);
	if (grant->program && strcmp(grant->program->name, "?") != 0) {
		text_put(&line, " in ");
		put_name(&line, grant->program->name);
	}
}

static void print_rule(const struct suggestion *suggestion, const struct grant *grant)
{
	char buf[LINE_MAX_BYTES];
	FILE *out = suggestion->out;

	put_rule(buf, grant);
	fprintf(out, "%-*s # %s%s\n", RULE_COLUMN, buf, suggest_why(suggestion, grant),
	        suggest_fold(grant));
	if (grant->proto == GRANT_UNIX && !grant->path[0])
		fputs("# ... without a name: rules have no word for that alone, so this is every "
		      "path.\n",
		      out);
}

static void print_all(const struct suggestion *suggestion, enum op_kind call)
{
	const struct grants *grants = &suggestion->grants;

	for (size_t i = 0; i < grants->count; i++)
		if (grants->list[i].call == call)
			print_rule(suggestion, &grants->list[i]);
}

/* Sockets of other kinds have no name in the language, and only `any` covers them; sends of
 * unix sockets are not recorded. */
static void print_deny(const struct suggestion *suggestion, enum op_kind call)
{
	const struct usage *usage = suggestion->usage;
	bool has_other = usage->has_other;
	bool has_unix = call == OP_SEND && usage->families & 1u << FAMILY_UNIX;

	if (!has_other && !has_unix) {
		fprintf(suggestion->out, "deny  %-7s any\n\n", name_op(call));
		return;
	}
	fprintf(suggestion->out, "# not 'any': %s\n",
	        has_unix ? "sends of unix sockets are not recorded, so none is denied"
	                 : "the session has sockets of other kinds, which rules cannot name");
	for (unsigned i = 0; i < 2u + (call != OP_SEND); i++)
		fprintf(suggestion->out, "deny  %-7s %s\n", name_op(call), protos[i]);
	fputc('\n', suggestion->out);
}

/* Clients that were seen, as rules in a comment. */
static void offer_accept(const struct suggestion *suggestion)
{
	char buf[LINE_MAX_BYTES];

	fputs("# Not restricted: clients of other hosts were seen. To restrict it, allow some of\n"
	      "# these and 'deny accept tcp':\n",
	      suggestion->out);
	for (size_t i = 0; i < suggestion->grants.count; i++) {
		const struct grant *grant = &suggestion->grants.list[i];

		if (grant->call != OP_ACCEPT)
			continue;
		put_rule(buf, grant);
		fprintf(suggestion->out, "#   %-*s # %s%s\n", RULE_COLUMN - 4, buf,
		        suggest_why(suggestion, grant), suggest_fold(grant));
	}
}

/* One line for all clients of this host that have this kind of address. */
static void allow_local(const struct suggestion *suggestion, bool is_v4, const char *rule)
{
	struct grant all = {.call = OP_NONE};

	for (size_t i = 0; i < suggestion->grants.count; i++) {
		const struct grant *grant = &suggestion->grants.list[i];

		if (grant->call == OP_ACCEPT && addr_is_v4(&grant->span.ip) == is_v4)
			grant_merge(&all, grant);
	}
	if (all.count)
		fprintf(suggestion->out, "%-*s # %s\n", RULE_COLUMN, rule,
		        suggest_why(suggestion, &all));
}

/* Where all clients are on this host, no other is needed. */
static void print_accept(const struct suggestion *suggestion)
{
	if (suggest_count(suggestion, OP_ACCEPT, GRANT_TCP) == 0)
		return;
	fputs("# accept: from whom\n", suggestion->out);
	if (suggest_is_local(suggestion, OP_ACCEPT)) {
		fputs("# Only clients on this host were seen; delete these lines if others may "
		      "come.\n",
		      suggestion->out);
		allow_local(suggestion, true, "allow accept  tcp 127.0.0.0/8");
		allow_local(suggestion, false, "allow accept  tcp [::1]");
		fputs("deny  accept  tcp\n", suggestion->out);
	} else {
		offer_accept(suggestion);
	}
	fputc('\n', suggestion->out);
}

void suggest_rules(const struct suggestion *suggestion)
{
	FILE *out = suggestion->out;

	suggest_head(suggestion, "rules of tcpshim.rules(5)");
	fputs("\n# bind: what it may listen on, and leave from\n", out);
	print_all(suggestion, OP_BIND);
	print_deny(suggestion, OP_BIND);
	fputs("# connect: whom it may call", out);
	fputs(suggestion->usage->has_lookups
	              ? " (getaddrinfo does its own inside libc, and needs no rule)\n"
	              : "\n",
	      out);
	print_all(suggestion, OP_CONNECT);
	print_deny(suggestion, OP_CONNECT);
	print_accept(suggestion);
	fputs("# send: to whom, without a connection\n", out);
	print_all(suggestion, OP_SEND);
	print_deny(suggestion, OP_SEND);
}
