/* SPDX-License-Identifier: MIT */
/* environment.c - see environment.h. Safe in a vfork child: takes memory of its
 * own from the kernel, none from malloc. */
#include "preload/environment.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/text.h"
#include "preload/settings.h"
#include "sys/raw.h"

extern char **environ;

/* The value of NAME= in envp, NULL if it is not there. */
static const char *value_of(char *const envp[], const char *name, size_t *index)
{
	size_t len = strlen(name);

	for (*index = 0; envp && envp[*index]; ++*index)
		if (strncmp(envp[*index], name, len) == 0 && envp[*index][len] == '=')
			return envp[*index] + len + 1;
	return NULL;
}

struct copy {
	char **envp;
	size_t count;
	char *at, *end; /* where strings go */
};

/* Put what has been written at copy->at in place of the entry at index. */
static void enter(struct copy *copy, size_t index, const struct text *text)
{
	copy->envp[index] = copy->at;
	if (index == copy->count)
		copy->envp[++copy->count] = NULL;
	copy->at += text->len + 1;
}

static void set(struct copy *copy, const char *name, const char *value)
{
	struct text text = text_on(copy->at, (size_t)(copy->end - copy->at));

	text_put(&text, name);
	text_char(&text, '=');
	text_put(&text, value);
	enter(copy, copy->count, &text);
}

/* A list with our absolute path in it: in place of what it calls us, else first.
 * The others stay, in their order. */
static void set_preload(struct copy *copy, size_t index, const char *list)
{
	struct text text = text_on(copy->at, (size_t)(copy->end - copy->at));
	const char *own = strstr(list, "libtcpshim"), *after = own;

	while (own && own > list && own[-1] != ':' && own[-1] != ' ')
		own--;
	text_put(&text, "LD_PRELOAD=");
	if (own)
		text_bytes(&text, list, (size_t)(own - list));
	text_put(&text, settings.library);
	if (own)
		text_put(&text, after + strcspn(after, " :"));
	else if (list[0])
		text_char(&text, ':');
	if (!own)
		text_put(&text, list);
	enter(copy, index, &text);
}

/* Can the list be read to its end? The kernel answers EFAULT if not; so that it
 * gets to, we must not stumble first. The program's own environment can. */
static bool is_readable(char *const envp[])
{
	char *entry, byte;

	if (!envp || envp == environ)
		return true;
	for (size_t i = 0; raw_peek(&entry, &envp[i], sizeof(entry)); i++) {
		if (!entry)
			return true;
		if (!raw_peek(&byte, entry, 1))
			return false;
	}
	return false;
}

/* What a child needs beside the library. A session has its rules in its file. */
struct wanted {
	const char *name, *value;
	bool is_there;
};

enum { WANTED = 4 };

static bool find_wanted(struct wanted wanted[WANTED], char *const envp[])
{
	bool is_off = settings_is_off(settings.session), is_complete = true;
	size_t at;

	wanted[0] = (struct wanted){.name = "TCPSHIM_SESSION", .value = settings.session};
	wanted[1] = (struct wanted){.name = "TCPSHIM_LOG", .value = settings.log};
	wanted[2] = (struct wanted){.name = "TCPSHIM_RULES", .value = is_off ? settings.rules : ""};
	wanted[3] = (struct wanted){.name = "TCPSHIM_RULES_FILE",
	                            .value = is_off ? settings.rules_path : ""};
	for (int i = 0; i < WANTED; i++) {
		wanted[i].is_there = !wanted[i].value[0] || value_of(envp, wanted[i].name, &at);
		is_complete = is_complete && wanted[i].is_there;
	}
	return is_complete;
}

char *const *environment_repair(char *const envp[], void **map, size_t *map_size)
{
	size_t preload_at, count = 0, size;
	struct wanted wanted[WANTED];
	bool has_library, is_complete;
	const char *preload;
	struct copy copy;

	*map = NULL;
	if (!settings.library[0] || !is_readable(envp))
		return envp;
	preload = value_of(envp, "LD_PRELOAD", &preload_at);
	has_library = preload && strstr(preload, settings.library);
	is_complete = find_wanted(wanted, envp);
	if (has_library && is_complete)
		return envp;
	while (envp && envp[count])
		count++;
	size = (count + 2 + WANTED) * sizeof(char *) + 8 * SETTING_MAX + strlen(settings.rules) +
	       (preload ? strlen(preload) : 0);
	*map = raw_map(size);
	*map_size = size;
	if (!*map)
		return envp;
	copy = (struct copy){.envp = *map, .count = count};
	copy.at = (char *)(copy.envp + count + 2 + WANTED);
	copy.end = (char *)*map + size;
	if (count)
		memcpy(copy.envp, envp, count * sizeof(char *));
	if (!has_library)
		set_preload(&copy, preload ? preload_at : copy.count,
		            preload && preload[0] ? preload : settings.preload);
	for (int i = 0; i < WANTED; i++)
		if (!wanted[i].is_there)
			set(&copy, wanted[i].name, wanted[i].value);
	return copy.envp;
}
