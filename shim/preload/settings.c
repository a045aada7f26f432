/* SPDX-License-Identifier: MIT */
/* settings.c - see settings.h. */
#include "preload/settings.h"

#include <string.h>

#include "sys/raw.h"

extern char **environ;
extern void *__libc_stack_end __attribute__((weak)); /* glibc's loader has it */

struct settings settings = {"", "", "", "", "", "", "", "", "", "", "", "", "", ""};

/* All copies, one behind the other: short ones touch one page. */
static char kept[10 * SETTING_MAX];
static size_t kept_bytes;

static const struct {
	const char *name;
	const char **value;
	bool is_ours; /* must not be lost, however long it is */
} variables[] = {
        {"LD_PRELOAD", &settings.preload, false},
        {"HOME", &settings.home, false},
        {"XDG_STATE_HOME", &settings.state_home, false},
        {"TCPSHIM_SESSION", &settings.session, true},
        {"TCPSHIM_LOG", &settings.log, true},
        {"TCPSHIM_RULES", &settings.rules, true},
        {"TCPSHIM_RULES_FILE", &settings.rules_file, true},
        {"TCPSHIM_SEED", &settings.seed, true},
        {"TCPSHIM_SITES", &settings.sites, true},
        {"TCPSHIM_TEST", &settings.test, true},
};

bool settings_is_off(const char *value)
{
	return strcmp(value, "off") == 0;
}

static const char *keep(const char *string, size_t len)
{
	char *copy = kept + kept_bytes;

	if (len >= SETTING_MAX || kept_bytes + len >= sizeof(kept))
		return "";
	memcpy(copy, string, len);
	copy[len] = '\0';
	kept_bytes += len + 1;
	return copy;
}

/* Of any length. Without memory, what stands in the environment
 * itself is still better. */
static const char *keep_long(const char *string)
{
	size_t len = strlen(string);
	char *copy = len < SETTING_MAX ? NULL : raw_map(len + 1);

	if (len < SETTING_MAX && kept_bytes + len < sizeof(kept))
		return keep(string, len);
	if (!copy)
		return string;
	memcpy(copy, string, len); /* its NUL is there */
	return copy;
}

const char *settings_keep(const char *string)
{
	return keep(string, strlen(string));
}

static const char *absolute(const char *path)
{
	char *copy = kept + kept_bytes;
	size_t len = strlen(path);
	long cwd;

	if (path[0] == '/' || path[0] == '\0' || len >= SETTING_MAX ||
	    kept_bytes + 2 * SETTING_MAX > sizeof(kept))
		return path;
	cwd = raw2(SYS_getcwd, copy, SETTING_MAX); /* counts its NUL */
	if (cwd <= 0)
		return path;
	copy[cwd - 1] = '/';
	memcpy(copy + cwd, path, len + 1);
	kept_bytes += (size_t)cwd + len + 1;
	return copy;
}

static void read_entry(const char *entry)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		size_t len = strlen(variables[i].name);

		if (strncmp(entry, variables[i].name, len) == 0 && entry[len] == '=')
			*variables[i].value = variables[i].is_ours ? keep_long(entry + len + 1)
			                                           : settings_keep(entry + len + 1);
	}
}

/* Before libc is up (.preinit_array), environ is NULL; then it stands behind the
 * arguments, where the kernel put it: argc, argv, NULL, envp. */
static char **find_environment(void)
{
	char **argv;

	if (environ || !&__libc_stack_end)
		return environ;
	argv = (char **)__libc_stack_end + 1;
	return argv + *(long *)__libc_stack_end + 1;
}

/* Our own item of LD_PRELOAD, a list with spaces or colons, ld.so(8). */
static void find_library(void)
{
	for (const char *at = settings.preload; *at;) {
		size_t len = strcspn(at, " :");
		const char *item = keep(at, len);

		if (strstr(item, "libtcpshim")) {
			settings.library = strchr(item, '/') ? absolute(item) : item;
			return;
		}
		kept_bytes -= item[0] ? len + 1 : 0;
		at += len + strspn(at + len, " :");
	}
}

void settings_read(void)
{
	for (char **entry = find_environment(); entry && *entry; entry++)
		read_entry(*entry);
	find_library();
	settings.session_given = settings.session;
	settings.log_given = settings.log;
	if (!settings_is_off(settings.session))
		settings.session = absolute(settings.session);
	if (strcmp(settings.log, "stderr") != 0)
		settings.log = absolute(settings.log);
	settings.rules_path = absolute(settings.rules_file);
}
