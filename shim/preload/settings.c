/* SPDX-License-Identifier: MIT */
/* settings.c - see settings.h. */
#include "preload/settings.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>

#include "sys/raw.h"

extern char **environ;

struct settings settings;

bool settings_is_off(const char *value)
{
	return strcmp(value, "off") == 0;
}

bool settings_join(char *buf, const char *a, const char *b)
{
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	if (a_len + b_len >= SETTING_MAX) {
		buf[0] = '\0';
		return false;
	}
	memcpy(buf, a, a_len);
	memcpy(buf + a_len, b, b_len + 1);
	return true;
}

/* Make a path absolute, in place: the program may change its directory. */
static void make_absolute(char *path)
{
	static char relative[SETTING_MAX];
	long len;

	if (path[0] == '/' || path[0] == '\0')
		return;
	memcpy(relative, path, strlen(path) + 1);
	len = raw2(SYS_getcwd, path, SETTING_MAX); /* counts its NUL */
	if (len <= 0 || (size_t)len + strlen(relative) >= SETTING_MAX) {
		memcpy(path, relative, strlen(relative) + 1);
		return;
	}
	path[len - 1] = '/';
	memcpy(path + len, relative, strlen(relative) + 1);
}

static void find_library(void)
{
	Dl_info info;

	if (!dladdr(&settings, &info) || !info.dli_fname)
		return;
	settings_join(settings.library, info.dli_fname, "");
	make_absolute(settings.library);
}

/* If entry is "name=value", copy the value. */
static void copy_if(char *to, const char *entry, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(entry, name, len) == 0 && entry[len] == '=')
		settings_join(to, entry + len + 1, "");
}

static void read_entry(const char *entry, char *home, char *state_home)
{
	copy_if(settings.preload, entry, "LD_PRELOAD");
	copy_if(settings.session, entry, "TCPSHIM_SESSION");
	copy_if(settings.log, entry, "TCPSHIM_LOG");
	copy_if(home, entry, "HOME");
	copy_if(state_home, entry, "XDG_STATE_HOME");
}

/* Before libc is up (.preinit_array), environ is NULL: ask the kernel. */
static void read_kernels_copy(char *home, char *state_home)
{
	static char block[128 << 10];
	long len = raw_read_file("/proc/self/environ", block, sizeof(block) - 1);

	for (long at = 0; at < len; at += (long)strlen(block + at) + 1)
		read_entry(block + at, home, state_home);
}

static void set_state_directory(const char *home, const char *state_home)
{
	if (state_home[0] == '/')
		settings_join(settings.state, state_home, "/tcpshim");
	else if (home[0] == '/')
		settings_join(settings.state, home, "/.local/state/tcpshim");
}

void settings_read(void)
{
	static char home[SETTING_MAX], state_home[SETTING_MAX];

	if (!environ)
		read_kernels_copy(home, state_home);
	for (char **entry = environ; entry && *entry; entry++)
		read_entry(*entry, home, state_home);
	set_state_directory(home, state_home);
	find_library();
	settings.is_preloaded = strstr(settings.preload, "libtcpshim") != NULL;
	if (!settings_is_off(settings.session))
		make_absolute(settings.session);
	if (strcmp(settings.log, "stderr") != 0)
		make_absolute(settings.log);
}
