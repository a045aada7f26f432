/* SPDX-License-Identifier: MIT */
/* settings.h - the environment as it was when the library came up, copied:
 * programs overwrite theirs (setproctitle). The only reader of it. */
#ifndef PRELOAD_SETTINGS_H
#define PRELOAD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

enum { SETTING_MAX = 4096 };

struct settings {
	char library[SETTING_MAX]; /* absolute path of this library */
	char preload[SETTING_MAX]; /* LD_PRELOAD */
	char session[SETTING_MAX]; /* TCPSHIM_SESSION; made absolute */
	char log[SETTING_MAX];     /* TCPSHIM_LOG; made absolute */
	char state[SETTING_MAX];   /* default directory of sessions, "" if there is no home */
	bool is_preloaded;         /* the library came by LD_PRELOAD, so it can come again */
};

extern struct settings settings;

void settings_read(void);

/* Is path[0..] a value that says "off"? */
bool settings_is_off(const char *value);

/* Join two strings to buf of SETTING_MAX bytes. Returns false if they do not fit. */
bool settings_join(char *buf, const char *a, const char *b);

#endif
