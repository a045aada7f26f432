/* SPDX-License-Identifier: MIT */
/* rules_match.c - does one rule match one call? See rules.h. */
#include <string.h>

#include "core/rules.h"

bool rules_are_sound(const struct rules *rules, size_t bytes)
{
	if (bytes < sizeof(*rules) || memcmp(rules->magic, RULES_MAGIC, sizeof(rules->magic)) != 0)
		return false;
	if (rules->bytes > bytes || rules->count > RULES_MAX || rules->heads_log2 < 1 ||
	    rules->heads_log2 > 30 || rules->sources > RULES_SOURCES_MAX)
		return false;
	bytes = rules->bytes;
	return sizeof(*rules) + rules->count * sizeof(struct rule) <= bytes &&
	       rules->texts_at <= bytes && rules->texts_bytes <= bytes - rules->texts_at &&
	       rules->heads_at <= bytes && rules->heads_at % sizeof(uint32_t) == 0 &&
	       (sizeof(uint32_t) << rules->heads_log2) <= bytes - rules->heads_at &&
	       rules->entries_at <= bytes && rules->entries_at % sizeof(uint32_t) == 0 &&
	       rules->entries <= (bytes - rules->entries_at) / sizeof(struct rule_entry);
}

const char *rules_text(const struct rules *rules, struct rule_text text, size_t *len)
{
	bool is_there = text.at <= rules->texts_bytes && text.len <= rules->texts_bytes - text.at;

	*len = is_there ? text.len : 0;
	return is_there ? (const char *)rules + rules->texts_at + text.at : "";
}

/* never: a character of the name that only a * of the pattern takes; '\0': none. */
static bool glob(const char *pattern, size_t pattern_len, const char *name, size_t len, char never)
{
	size_t star = SIZE_MAX, from = 0; /* the last `*`, and how far it has eaten */
	size_t at = 0, i = 0;

	while (i < len) {
		if (at < pattern_len && pattern[at] == '*') {
			star = at++;
			from = i;
		} else if (at < pattern_len &&
		           ((pattern[at] == '?' && (!never || name[i] != never)) ||
		            pattern[at] == name[i])) {
			at++;
			i++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (at < pattern_len && pattern[at] == '*')
		at++;
	return at == pattern_len;
}

bool rule_glob(const char *pattern, size_t pattern_len, const char *name, size_t len)
{
	return glob(pattern, pattern_len, name, len, '\0');
}

bool rule_glob_covers(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return glob(a, a_len, b, b_len, '*');
}

static bool path_matches(const struct rules *rules, const struct pattern *pattern,
                         const struct rule_query *query)
{
	size_t len;
	const char *path = rules_text(rules, pattern->path, &len);

	return query->path && rule_glob(path, len, query->path, query->path_len);
}

/* An IPv6 prefix that is shorter than that of the mapped addresses does not mean
 * them: ::/0 is not IPv4. */
static bool end_matches(const struct pattern *pattern, const struct endpoint *end)
{
	if (pattern->flags & PATTERN_PORT &&
	    (end->port < pattern->port_low || end->port > pattern->port_high))
		return false;
	if (!(pattern->flags & PATTERN_ADDR))
		return true;
	return (pattern->bits >= 96 || !addr_is_v4(&end->ip)) &&
	       addr_in_prefix(&end->ip, &pattern->ip, pattern->bits);
}

static bool pattern_matches(const struct rules *rules, const struct pattern *pattern, bool has_end,
                            const struct endpoint *end, const struct rule_query *query)
{
	if (pattern->flags & PATTERN_PATH)
		return path_matches(rules, pattern, query);
	return pattern->flags == 0 || (has_end && end_matches(pattern, end));
}

static bool program_matches(const struct rules *rules, const struct rule *rule,
                            const struct rule_query *query)
{
	size_t len;
	const char *pattern = rules_text(rules, rule->program, &len);
	const char *name = memchr(pattern, '/', len) ? query->program : query->name;

	return name && rule_glob(pattern, len, name, strlen(name));
}

enum mismatch rule_mismatch(const struct rules *rules, const struct rule *rule,
                            const struct rule_query *query)
{
	if (!(rule->calls & RULE_CALL(query->call)))
		return MISMATCH_CALL;
	if (!(rule->protos & query->proto))
		return MISMATCH_PROTO;
	if (!pattern_matches(rules, &rule->local, query->has_local, &query->local, query))
		return MISMATCH_LOCAL;
	if (rule->flags & RULE_NAMED && (query->call == OP_BIND || query->call == OP_LISTEN)) {
		if (!pattern_matches(rules, &rule->remote, query->has_local, &query->local, query))
			return MISMATCH_LOCAL;
	} else if (!pattern_matches(rules, &rule->remote, query->has_remote, &query->remote,
	                            query)) {
		return MISMATCH_REMOTE;
	}
	if (rule->flags & RULE_PROGRAM && !program_matches(rules, rule, query))
		return MISMATCH_PROGRAM;
	return MISMATCH_NONE;
}
