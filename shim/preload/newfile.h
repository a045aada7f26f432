/* SPDX-License-Identifier: MIT */
/* newfile.h - makes a new session file: its name, its size, its header. */
#ifndef PRELOAD_NEWFILE_H
#define PRELOAD_NEWFILE_H

#include <stdint.h>

/* what: NULL on success. error: errno, 0 if none. */
struct newfile_problem {
	const char *what;
	int error;
};

/* The directory of sessions, or one in it ("/ports"; "": itself), made if need be, to path
 * (SETTING_MAX bytes). */
struct newfile_problem newfile_directory(char *path, const char *below);

/* The host's ephemeral range; Linux's own default where it cannot be read. */
void newfile_port_range(uint16_t *low, uint16_t *high);

/* TCPSHIM_SEED, a number in decimal or, with 0x, in hexadecimal; or one drawn. */
uint64_t newfile_seed(void);

/* Give a name in the directory of sessions to path (SETTING_MAX bytes): program, time
 * (UTC) and pid. */
struct newfile_problem newfile_name(char *path, const char *program_name);

/* Make an empty session, with the rules that the environment asks for, at path, mode 0600, all at
 * once: nobody sees it half made. Fails with EEXIST if somebody else was faster. */
struct newfile_problem newfile_make(const char *path);

#endif
