/* SPDX-License-Identifier: MIT */
/* environment.c - see environment.h. Safe in a vfork child: takes memory of its
 * own from the kernel, none from malloc. */
#include "preload/environment.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/text.h"
#include "preload/process.h"
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

static bool has_library(const char *preload)
{
	return preload && strstr(preload, settings.library);
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

static void set(struct copy *copy, size_t index, const char *name, const char *value)
{
	struct text text = text_on(copy->at, (size_t)(copy->end - copy->at));

	text_put(&text, name);
	text_char(&text, '=');
	text_put(&text, value);
	enter(copy, index, &text);
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

/* What a child needs beside the library. A session has its rules in its file. A relative
 * path that we were given would mean another file where the child has another directory. */
struct wanted {
	const char *name, *value;
	const char *given; /* in place of which value is to be put; NULL: of any */
	bool is_there, is_stale;
	size_t at; /* of a stale one, in envp */
};

enum {
	WANTED = 5,
	RULES_TEXT_MAX = 120 << 10 /* a string of an environment: 128 KiB, execve(2) */
};

/* The rules in force, as text, behind one another. Returns false if it is too long. */
static bool print_rules(char *buf)
{
	const struct rules *rules = atomic_load(&process.engine.rules);
	size_t len = 0;

	for (uint32_t i = 0; rules && i < rules->count; i++) {
		if (RULES_TEXT_MAX - len < 2 * RULE_TEXT_MAX)
			return false;
		len += rule_print(buf + len, RULES_TEXT_MAX - len - 1, rules, &rules->rule[i]);
		buf[len++] = '\n';
	}
	buf[len] = '\0';
	return true;
}

static void want_session(struct wanted wanted[WANTED])
{
	bool is_off = settings_is_off(settings.session);

	wanted[0] = (struct wanted){.name = "TCPSHIM_SESSION",
	                            .value = settings.session,
	                            .given = settings.session_given};
	wanted[1] = (struct wanted){
	        .name = "TCPSHIM_LOG", .value = settings.log, .given = settings.log_given};
	wanted[2] = (struct wanted){
	        .name = "TCPSHIM_RULES", .value = is_off ? settings.rules : "", .given = ""};
	wanted[3] = (struct wanted){.name = "TCPSHIM_RULES_FILE",
	                            .value = is_off ? settings.rules_path : "",
	                            .given = settings.rules_file};
	wanted[4] = (struct wanted){.name = "TCPSHIM_SITES", .value = settings.sites, .given = ""};
}

/* The child goes by the rules of the session that it cannot open. Where they have no room,
 * it is not to run: a file of rules that is not there sees to it. */
static void want_rules(struct wanted wanted[WANTED], char *text)
{
	bool fits = print_rules(text);

	want_session(wanted);
	wanted[0] = (struct wanted){.name = "TCPSHIM_SESSION", .value = "off"};
	wanted[2] = (struct wanted){.name = "TCPSHIM_RULES", .value = fits ? text : ""};
	wanted[3] = (struct wanted){.name = "TCPSHIM_RULES_FILE",
	                            .value = fits ? "" : "(too long for an environment)"};
}

static bool find_wanted(struct wanted wanted[WANTED], char *const envp[])
{
	bool is_complete = true;

	for (int i = 0; i < WANTED; i++) {
		struct wanted *one = &wanted[i];
		const char *there = value_of(envp, one->name, &one->at);

		one->is_stale = there && (one->value[0] || !one->given) &&
		                (!one->given || strcmp(there, one->given) == 0) &&
		                strcmp(there, one->value) != 0;
		one->is_there = !one->is_stale && (there || !one->value[0]);
		is_complete = is_complete && one->is_there;
	}
	return is_complete;
}

/* Room for what is put in. */
static size_t room_of(const struct wanted wanted[WANTED], const char *preload)
{
	size_t room = 4 * SETTING_MAX + (preload ? strlen(preload) : 0);

	for (int i = 0; i < WANTED; i++)
		room += strlen(wanted[i].name) + strlen(wanted[i].value) + 2;
	return room;
}

/* The copy, with what is missing. */
static char *const *complete(char *const envp[], const struct wanted wanted[WANTED], void **map,
                             size_t *map_size)
{
	size_t preload_at, count = 0;
	const char *preload = value_of(envp, "LD_PRELOAD", &preload_at);
	struct copy copy;

	while (envp && envp[count])
		count++;
	*map_size = (count + 2 + WANTED) * sizeof(char *) + room_of(wanted, preload);
	*map = raw_map(*map_size);
	if (!*map)
		return envp;
	copy = (struct copy){.envp = *map, .count = count};
	copy.at = (char *)(copy.envp + count + 2 + WANTED);
	copy.end = (char *)*map + *map_size;
	if (count)
		memcpy(copy.envp, envp, count * sizeof(char *));
	if (!has_library(preload))
		set_preload(&copy, preload ? preload_at : copy.count,
		            preload && preload[0] ? preload : settings.preload);
	for (int i = 0; i < WANTED; i++)
		if (!wanted[i].is_there)
			set(&copy, wanted[i].is_stale ? wanted[i].at : copy.count, wanted[i].name,
			    wanted[i].value);
	return copy.envp;
}

char *const *environment_repair(char *const envp[], bool cannot_join, void **map, size_t *map_size)
{
	bool has_rules = cannot_join && atomic_load(&process.engine.rules);
	char *text = has_rules ? raw_map(RULES_TEXT_MAX) : NULL;
	struct wanted wanted[WANTED];
	size_t preload_at;

	*map = NULL;
	if (settings.library[0] && is_readable(envp)) {
		if (text)
			want_rules(wanted, text);
		else
			want_session(wanted);
		if (!find_wanted(wanted, envp) ||
		    !has_library(value_of(envp, "LD_PRELOAD", &preload_at)))
			envp = complete(envp, wanted, map, map_size);
	}
	if (text)
		raw2(SYS_munmap, text, RULES_TEXT_MAX);
	return envp;
}
