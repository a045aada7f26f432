/* SPDX-License-Identifier: MIT */
/* settings.h - the environment as it was when the library came up, copied:
 * programs overwrite theirs (setproctitle). The only reader of it. */
#ifndef PRELOAD_SETTINGS_H
#define PRELOAD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

enum { SETTING_MAX = 4096 };

/* Strings are "" where there is nothing. Paths are absolute: the program may
 * change its directory. */
struct settings {
	const char *library; /* this library's file, "" if it did not come by LD_PRELOAD */
	const char *preload; /* LD_PRELOAD as it was */
	const char *session; /* TCPSHIM_SESSION; then, the session that we are in, or "off" */
	const char *log;     /* TCPSHIM_LOG */
	const char *session_given, *log_given; /* as they were: perhaps relative */
	const char *home, *state_home;         /* HOME, XDG_STATE_HOME */
	const char *rules;                     /* TCPSHIM_RULES: of any length */
	const char *rules_file;                /* TCPSHIM_RULES_FILE, as it was given */
	const char *rules_path;                /* the same, absolute */
	const char *seed;                      /* TCPSHIM_SEED */
	const char *sites;                     /* TCPSHIM_SITES: tell where calls come from */
	const char *test;                      /* TCPSHIM_TEST: of our own tests */
};

extern struct settings settings;

void settings_read(void);

/* Does a value say "off"? */
bool settings_is_off(const char *value);

/* Keep a copy of a string; "" if there is no room left for it. */
const char *settings_keep(const char *string);

#endif
