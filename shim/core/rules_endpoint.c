/* SPDX-License-Identifier: MIT */
/* rules_endpoint.c - endpoints that rules match, and those that they give. */
#include <string.h>

#include "core/rules_parser.h"
#include "core/text.h"

static const char endpoint_like[] = "expected ADDR[/PREFIX][:PORT[-PORT]], [V6]:PORT, :PORT, * "
                                    "or a unix path: in quotes, or with /, ./ or @ first";

/* In quotes any word is a path: programs bind "app.sock" too. */
static bool is_path(const struct word *word)
{
	if (word->is_quoted)
		return true;
	return word->len > 0 && (word->text[0] == '/' || word->text[0] == '@' ||
	                         (word->len > 1 && memcmp(word->text, "./", 2) == 0));
}

bool is_like_endpoint(const struct word *word)
{
	char first = word->len ? word->text[0] : ' ';

	return is_path(word) || (first >= '0' && first <= '9') || first == '[' || first == '*' ||
	       memchr(word->text, ':', word->len);
}

static bool read_port(struct parser *parser, const struct word *word, struct cursor *cursor,
                      unsigned least, uint16_t *port)
{
	const char *from = cursor->at;
	uint64_t number = 0;
	struct word part;

	if (cursor_number(cursor, UINT16_MAX, &number) && number <= UINT16_MAX && number >= least &&
	    (cursor->at == cursor->end || *cursor->at == '-')) {
		*port = (uint16_t)number;
		return true;
	}
	while (cursor->at < cursor->end && *cursor->at != '-')
		cursor->at++;
	part = cursor->at > from ? word_part(word, from, cursor->at) : *word;
	return parse_wrong(
	        parser, &part, cursor->at > from ? "%w is not a port" : "a port is missing",
	        least ? "expected a number from 1 to 65535" : "expected a number from 0 to 65535");
}

/* PORT or LOW-HIGH up to the end of the word. */
static bool read_ports(struct parser *parser, const struct word *word, struct cursor *cursor,
                       unsigned least, uint16_t *low, uint16_t *high)
{
	const char *from = cursor->at;
	struct word part = word_part(word, from, cursor->end);

	if (!read_port(parser, word, cursor, least, low))
		return false;
	*high = *low;
	if (!cursor_takes(cursor, "-"))
		return true;
	if (!read_port(parser, word, cursor, least, high))
		return false;
	if (cursor->at < cursor->end)
		return parse_wrong(parser, &part, "%w is not a range of ports",
		                   "expected LOW-HIGH");
	return *low <= *high || parse_wrong(parser, &part, "the range %w runs backwards",
	                                    "expected the lower port first");
}

bool parse_ports(struct parser *parser, const struct word *word, unsigned least, uint16_t *low,
                 uint16_t *high)
{
	struct cursor cursor = cursor_of(word);

	return read_ports(parser, word, &cursor, least, low, high);
}

/* Where the address at the cursor ends: IPv6 without brackets goes up to the prefix. */
static const char *address_end(const struct cursor *cursor)
{
	size_t len = (size_t)(cursor->end - cursor->at);
	const char *slash = memchr(cursor->at, '/', len);
	const char *end = slash ? slash : cursor->end;
	const char *colon = memchr(cursor->at, ':', (size_t)(end - cursor->at));

	if (!colon || memchr(colon + 1, ':', (size_t)(end - colon - 1)))
		return end;
	return colon;
}

static bool wrong_address(struct parser *parser, const struct word *word, const char *from,
                          const char *end)
{
	struct word part = word_part(word, from, end);

	if (part.len == 0)
		return parse_wrong(parser, word, "%w is not an endpoint", endpoint_like);
	if (memchr(from, '%', part.len))
		return parse_wrong(parser, &part, "%w has a scope, which rules cannot match",
		                   "expected an address alone");
	if (*from >= '0' && *from <= '9' && !memchr(from, '.', part.len))
		return parse_wrong(parser, &part, "%w is not an address",
		                   "expected an address; a port has a colon before it, as in :80");
	return parse_wrong(parser, &part, "%w is not an address",
	                   "expected an IPv4 or IPv6 address; names are not looked up");
}

/* An address at the cursor. *is_long: written as IPv6, its prefix has 128 bits. */
static bool read_address(struct parser *parser, const struct word *word, struct cursor *cursor,
                         struct ip *ip, bool *is_long)
{
	const char *from = cursor->at, *end;

	if (!cursor_takes(cursor, "[")) {
		end = address_end(cursor);
		*is_long = memchr(from, ':', (size_t)(end - from));
		cursor->at = end;
		return addr_parse(ip, from, (size_t)(end - from)) ||
		       wrong_address(parser, word, from, end);
	}
	*is_long = true;
	end = memchr(from, ']', (size_t)(cursor->end - from));
	if (!end)
		return parse_wrong(parser, word, "the bracket of %w is not closed",
		                   "expected [V6]:PORT");
	cursor->at = end + 1;
	if (!memchr(from, ':', (size_t)(end - from)) ||
	    !addr_parse(ip, from + 1, (size_t)(end - from - 1)))
		return wrong_address(parser, word, from + 1, end);
	return true;
}

/* Clear the bits of an address behind its prefix. Returns false if they were clear. */
static bool clear_host_bits(struct ip *ip, unsigned bits)
{
	bool had = false;

	for (unsigned i = bits / 8; i < sizeof(ip->byte); i++) {
		uint8_t host = i == bits / 8 ? (uint8_t)(0xff >> bits % 8) : 0xff;

		had |= (ip->byte[i] & host) != 0;
		ip->byte[i] &= (uint8_t)~host;
	}
	return had;
}

/* /PREFIX at the cursor, if there is one. */
static bool read_prefix(struct parser *parser, const struct word *word, struct cursor *cursor,
                        struct pattern *pattern, bool is_long)
{
	const char *from = cursor->at;
	unsigned max = is_long ? 128 : 32;
	uint64_t prefix;
	struct word part;

	pattern->bits = 128;
	if (!cursor_takes(cursor, "/"))
		return true;
	if (!cursor_number(cursor, max, &prefix) || prefix > max) {
		part = word_part(word, from, cursor->at);
		return parse_wrong(parser, &part, "%w is not a prefix",
		                   is_long ? "expected /0 to /128" : "expected /0 to /32");
	}
	pattern->bits = (uint8_t)(128 - max + prefix);
	if (clear_host_bits(&pattern->ip, pattern->bits)) {
		part = word_part(word, word->text, cursor->at);
		parse_warn(parser, &part, "%w: host bits are ignored", NULL);
	}
	return true;
}

static bool parse_ip(struct parser *parser, const struct word *word, struct pattern *pattern)
{
	struct cursor cursor = cursor_of(word);
	bool is_long, is_bare = word->text[0] != '[';

	if (cursor_takes(&cursor, "*")) {
		if (cursor.at == cursor.end)
			return true;
		if (*cursor.at != ':')
			return parse_wrong(parser, word, "%w is not an endpoint", endpoint_like);
	} else if (word->text[0] != ':' || (word->len > 1 && word->text[1] == ':')) {
		if (!read_address(parser, word, &cursor, &pattern->ip, &is_long) ||
		    !read_prefix(parser, word, &cursor, pattern, is_long))
			return false;
		pattern->flags = PATTERN_ADDR;
		if (cursor.at < cursor.end && is_long && is_bare)
			return parse_wrong(parser, word, "IPv6 with a port needs brackets",
			                   "expected [V6]/PREFIX:PORT");
	}
	if (cursor.at == cursor.end)
		return true;
	if (!cursor_takes(&cursor, ":"))
		return parse_wrong(parser, word, "%w is not an endpoint", endpoint_like);
	pattern->flags |= PATTERN_PORT;
	return read_ports(parser, word, &cursor, 0, &pattern->port_low, &pattern->port_high);
}

/* Longer than an address can be, a path without `*` matches nothing. */
static bool parse_path(struct parser *parser, const struct word *word, struct pattern *pattern)
{
	struct cursor cursor = cursor_of(word);
	struct ip ip;

	if (word->len == 0)
		return parse_wrong(parser, word, "the path is empty", NULL);
	if (word->len > UNIX_PATH_MAX && !memchr(word->text, '*', word->len))
		return parse_wrong(parser, word, "the path is longer than that of a socket can be",
		                   "expected at most 108 bytes");
	if (addr_parse(&ip, word->text, (size_t)(address_end(&cursor) - word->text)))
		parse_warn(parser, word, "%w in quotes is a unix path, not an address", NULL);
	pattern->flags = PATTERN_PATH;
	pattern->path = parse_store(parser, word);
	return true;
}

bool parse_endpoint(struct parser *parser, const struct word *word, struct pattern *pattern)
{
	if (is_path(word))
		return parse_path(parser, word, pattern);
	if (!is_like_endpoint(word))
		return parse_wrong(parser, word, "%w is not an endpoint", endpoint_like);
	return parse_ip(parser, word, pattern);
}

static bool is_bind_alone(const struct parser *parser)
{
	return parser->rule->calls == RULE_CALL(OP_BIND);
}

/* The port of a target: for bind also a range, 0 or `auto`. */
static bool read_target_ports(struct parser *parser, const struct word *word, struct cursor *cursor)
{
	struct rule *rule = parser->rule;
	struct word part = word_part(word, cursor->at, cursor->end);

	if (word_is(&part, "auto")) {
		rule->flags |= RULE_AUTO;
		return is_bind_alone(parser) ||
		       parse_wrong(parser, &part, "%c needs a port that is known, not 'auto'",
		                   "expected one port");
	}
	if (!read_ports(parser, word, cursor, is_bind_alone(parser) ? 0 : 1, &rule->low,
	                &rule->high))
		return false;
	if (rule->low != rule->high && !is_bind_alone(parser))
		return parse_wrong(parser, &part, "%c cannot go to a range of ports",
		                   "expected one port");
	rule->flags |= RULE_TO_PORT;
	rule->to.port = rule->low == rule->high ? rule->low : 0;
	return true;
}

bool parse_target(struct parser *parser, const struct word *word)
{
	struct cursor cursor = cursor_of(word);
	struct rule *rule = parser->rule;
	bool is_long;

	if (is_path(word))
		return parse_wrong(parser, word, "a unix path cannot be a target",
		                   "expected ADDR, ADDR:PORT or :PORT");
	if ((!is_like_endpoint(word) && !word_is(word, "auto")) || word->text[0] == '*')
		return parse_wrong(parser, word, "%w is not a target",
		                   is_bind_alone(parser)
		                           ? "expected ADDR, ADDR:PORT, :PORT, :LOW-HIGH or auto"
		                           : "expected ADDR, ADDR:PORT or :PORT");
	if (word_is(word, "auto"))
		return read_target_ports(parser, word, &cursor);
	if (word->text[0] != ':' || (word->len > 1 && word->text[1] == ':')) {
		if (!read_address(parser, word, &cursor, &rule->to.ip, &is_long))
			return false;
		rule->flags |= RULE_TO_ADDR;
		if (cursor.at == cursor.end)
			return true;
		if (*cursor.at == '/')
			return parse_wrong(parser, word, "a target has no prefix",
			                   "expected one address");
	}
	if (!cursor_takes(&cursor, ":"))
		return parse_wrong(parser, word, "%w is not a target", NULL);
	return read_target_ports(parser, word, &cursor);
}
