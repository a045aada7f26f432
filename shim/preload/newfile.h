/* SPDX-License-Identifier: MIT */
/* newfile.h - makes a new session file: its name, its size, its header. */
#ifndef PRELOAD_NEWFILE_H
#define PRELOAD_NEWFILE_H

/* what: NULL on success. error: errno, 0 if none. */
struct newfile_problem {
	const char *what;
	int error;
};

/* Make the default directory if need be, and give a name in it to path
 * (SETTING_MAX bytes): program, time (UTC) and pid. */
struct newfile_problem newfile_name(char *path, const char *program_name);

/* Make an empty session at path, mode 0600, all at once: nobody sees it half
 * made. Fails with EEXIST if somebody else was faster. */
struct newfile_problem newfile_make(const char *path);

#endif
