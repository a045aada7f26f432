/* SPDX-License-Identifier: MIT */
/* program.c - see program.h. */
#include "tools/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/elf.h"

enum { SCRIPTS_MAX = 4 }; /* how many #! the kernel follows, fs/exec.c */

static bool read_at(int fd, uint64_t offset, void *buf, size_t size)
{
	return offset <= INT64_MAX && pread(fd, buf, size, (off_t)offset) == (ssize_t)size;
}

/* Does exec give the process rights that the user did not have? Then the loader
 * runs in secure mode. */
static bool is_privileged(int fd, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return false;
	if ((st.st_mode & S_ISUID) && st.st_uid != uid)
		return true;
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != gid)
		return true;
	/* root had them already: see cap_bprm_creds_from_file() */
	return uid != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0;
}

static enum coverage judge(int fd, uid_t uid, gid_t gid)
{
	enum coverage coverage = elf_judge(read_at, fd);

	if (coverage != COVERAGE_CLASS && is_privileged(fd, uid, gid))
		return COVERAGE_SETUID;
	return coverage;
}

enum coverage program_coverage(const char *path, uid_t uid, gid_t gid, char judged[PATH_MAX])
{
	char interpreter[ELF_INTERPRETER_MAX];
	enum coverage coverage = COVERAGE_SEEN;

	snprintf(judged, PATH_MAX, "%s", path);
	for (int depth = 0; depth <= SCRIPTS_MAX; depth++) {
		int fd = open(judged, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		bool is_script;

		if (fd < 0) {
			judged[0] = '\0';
			return COVERAGE_SEEN;
		}
		is_script = elf_interpreter(read_at, fd, interpreter);
		if (!is_script)
			coverage = judge(fd, uid, gid);
		close(fd);
		if (!is_script)
			break;
		snprintf(judged, PATH_MAX, "%s", interpreter);
	}
	return coverage;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool program_find(const char *name, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(path, PATH_MAX, "%s", name);
		return is_program(path);
	}
	if (!dirs)
		dirs = "/bin:/usr/bin"; /* what execvp() takes then */
	for (;;) {
		int len = (int)strcspn(dirs, ":");

		snprintf(path, PATH_MAX, "%.*s/%s", len ? len : 1, len ? dirs : ".", name);
		if (is_program(path))
			return true;
		if (!dirs[len])
			return false;
		dirs += len + 1;
	}
}
