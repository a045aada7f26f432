/* SPDX-License-Identifier: MIT */
/* grant_path.c - names of temporary files: which part of them will be another next time.
 * Careful: a part that is not recognised costs a line to be corrected, one that is
 * taken for random opens a directory. */
#include <ctype.h>
#include <string.h>

#include "core/text.h"
#include "tools/grant.h"

enum { RANDOM_LEN = 6, RANDOM_DIGITS = 10, PYTHON_LEN = 11 };

static bool is_temporary(const char *path)
{
	static const char *const places[] = {"/tmp/", "/var/tmp/", "/dev/shm/", "/run/", "@"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

/* Letters and digits as nobody writes them: a digit before a letter, a capital behind
 * a small letter, or digits without end. */
static bool is_random(const char *token, size_t len)
{
	bool has_lower = false, has_mix = false, has_capital = false;
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)token[i];

		digits += isdigit(c) != 0;
		has_lower |= islower(c) != 0;
		has_capital |= i > 0 && isupper(c);
		has_mix |= i > 0 && isalpha(c) && isdigit((unsigned char)token[i - 1]);
	}
	if (digits == len)
		return len >= RANDOM_DIGITS;
	return len >= RANDOM_LEN && (has_mix || (has_capital && has_lower && len % 2 == 0));
}

/* Python's: tmp and eight of [a-z0-9_]. */
static bool is_python(const char *part, size_t len)
{
	return len == PYTHON_LEN && strncmp(part, "tmp", 3) == 0 &&
	       strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789_") >= len;
}

/* Find where in a part of a path the first random token begins and the last one ends. */
static bool find_random(const char *part, size_t len, size_t *from, size_t *end)
{
	bool found = false;

	if (is_python(part, len)) {
		*from = 3;
		*end = len;
		return true;
	}
	for (size_t i = 0, token; i < len; i += token + 1) {
		token = strcspn(part + i, "./-_,=:@ ");
		if (i + token > len)
			token = len - i;
		if (!is_random(part + i, token))
			continue;
		if (!found)
			*from = i;
		*end = i + token;
		found = true;
	}
	return found;
}

/* A `*` of the path's own becomes `?`, which matches it and little else. */
static void put_literally(struct text *text, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_char(text, bytes[i] == '*' ? '?' : bytes[i]);
}

bool grant_path(char *to, const char *path)
{
	struct text text = text_on(to, UNIX_PATH_MAX + 1);
	bool is_folded = false;

	if (!is_temporary(path)) {
		put_literally(&text, path, strlen(path));
		return false;
	}
	while (*path) {
		size_t len = strcspn(path, "/"), from, end;

		if (find_random(path, len, &from, &end)) {
			put_literally(&text, path, from);
			text_char(&text, '*');
			put_literally(&text, path + end, len - end);
			is_folded = true;
		} else {
			put_literally(&text, path, len);
		}
		path += len;
		if (*path == '/')
			text_char(&text, *path++);
	}
	return is_folded;
}
