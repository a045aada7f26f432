/* SPDX-License-Identifier: MIT */
/* find.c - see find.h; and reader_newest(). */
#include "tools/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/reader.h"
#include "tools/source.h"

/* Clocks are set and pairs drift: how much later a process may seem to have begun. */
enum { START_SLACK_S = 5 };

/* What /proc/PID/stat says. Returns false if it cannot be read. */
static bool read_stat(uint32_t pid, char *state, unsigned long long *start_clk)
{
	char path[32], text[1024];
	const char *behind_name;
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	behind_name = strrchr(text, ')'); /* the name may hold anything */
	return behind_name &&
	       sscanf(behind_name + 1,
	              " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d "
	              "%llu",
	              state, start_clk) == 2;
}

static int64_t clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec;
}

bool find_is_running(uint32_t pid, uint64_t real_ns)
{
	unsigned long long start_clk;
	int64_t start_s;
	char state;

	if (pid == 0 || pid > INT32_MAX || (kill((pid_t)pid, 0) != 0 && errno != EPERM))
		return false;
	if (!read_stat(pid, &state, &start_clk))
		return true;
	start_s = clock_s(CLOCK_REALTIME) - clock_s(CLOCK_BOOTTIME) +
	          (int64_t)(start_clk / (unsigned long long)sysconf(_SC_CLK_TCK));
	return state != 'Z' && state != 'X' &&
	       start_s <= (int64_t)(real_ns / 1000000000) + START_SLACK_S;
}

/* The directory where sessions go if nobody says another. */
static bool default_directory(char *path, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len;

	if (state && state[0] == '/')
		len = snprintf(path, size, "%s/tcpshim", state);
	else
		len = snprintf(path, size, "%s/.local/state/tcpshim", home ? home : "");
	return len > 0 && (size_t)len < size;
}

/* When a file's session was made; 0: it is no session. */
static uint64_t session_start(int dir, const char *name)
{
	size_t len = strlen(name), suffix_len = strlen(SESSION_SUFFIX);
	struct session_header *header;
	struct source source;
	const char *problem;
	uint64_t start;

	if (len < suffix_len || strcmp(name + len - suffix_len, SESSION_SUFFIX) != 0 ||
	    source_open(&source, dir, name) != 0)
		return 0;
	header = source_header(&source, &problem);
	start = header ? header->real_ns : 0;
	free(header);
	source_close(&source);
	return start;
}

/* The name of the newest session in a directory, to name. Returns if there is one. */
static bool newest_in(DIR *dir, char *name, size_t size)
{
	uint64_t newest = 0, start;
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		start = session_start(dirfd(dir), entry->d_name);
		if (start <= newest || strlen(entry->d_name) >= size)
			continue;
		newest = start;
		strcpy(name, entry->d_name);
	}
	return newest > 0;
}

bool reader_newest(char *path, size_t path_size, char *error, size_t error_size)
{
	char name[NAME_MAX + 1];
	bool found = false;
	DIR *dir = NULL;
	size_t len;

	if (default_directory(path, path_size))
		dir = opendir(path);
	if (dir)
		found = newest_in(dir, name, sizeof(name));
	if (!found)
		snprintf(error, error_size, "there is no session in %s%s%s", path, dir ? "" : ": ",
		         dir ? "" : strerror(errno));
	if (dir)
		closedir(dir);
	len = strlen(path);
	return found && snprintf(path + len, path_size - len, "/%s", name) < (int)(path_size - len);
}
