/* SPDX-License-Identifier: MIT */
/* elf.c - see elf.h.
 * The file is read piece by piece with pread: a mapping of a file that shrinks
 * meanwhile would be a SIGBUS. */
#include "tools/elf.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
	SCRIPTS_MAX = 4,       /* how many #! the kernel follows, fs/exec.c */
	SCRIPT_LINE_MAX = 256, /* how much of a #! line it reads: BINPRM_BUF_SIZE */
};

#define GO_SECTION ".go.buildinfo"

static bool read_at(int fd, uint64_t offset, void *buf, size_t size)
{
	return offset <= INT64_MAX && pread(fd, buf, size, (off_t)offset) == (ssize_t)size;
}

/* The header of a program that this machine's own loader would take. */
static bool is_native(const ElfW(Ehdr) * header)
{
	ElfW(Ehdr) own;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool known = fd >= 0 && read_at(fd, 0, &own, sizeof(own));

	if (fd >= 0)
		close(fd);
	return !known || (header->e_ident[EI_CLASS] == own.e_ident[EI_CLASS] &&
	                  header->e_ident[EI_DATA] == own.e_ident[EI_DATA] &&
	                  header->e_machine == own.e_machine);
}

static bool has_interpreter(int fd, const ElfW(Ehdr) * header)
{
	for (unsigned i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) segment;

		if (!read_at(fd, header->e_phoff + i * sizeof(segment), &segment, sizeof(segment)))
			return false;
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static bool read_section(int fd, const ElfW(Ehdr) * header, unsigned i, ElfW(Shdr) * section)
{
	return read_at(fd, header->e_shoff + i * sizeof(*section), section, sizeof(*section));
}

static bool is_go(int fd, const ElfW(Ehdr) * header)
{
	ElfW(Shdr) names, section;
	char name[sizeof(GO_SECTION)];

	if (!header->e_shoff || !read_section(fd, header, header->e_shstrndx, &names))
		return false;
	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (!read_section(fd, header, i, &section))
			return false;
		if (read_at(fd, names.sh_offset + section.sh_name, name, sizeof(name)) &&
		    memcmp(name, GO_SECTION, sizeof(name)) == 0)
			return true;
	}
	return false;
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

/* The interpreter of a #! line to path. Returns false if it is no such line. */
static bool read_script(int fd, char path[PATH_MAX])
{
	char line[SCRIPT_LINE_MAX + 1];
	ssize_t len = pread(fd, line, SCRIPT_LINE_MAX, 0);
	char *start;
	size_t word;

	if (len < 2 || memcmp(line, "#!", 2) != 0)
		return false;
	line[len] = '\0';
	start = line + 2 + strspn(line + 2, " \t");
	word = strcspn(start, " \t\n");
	if (word == 0)
		return false;
	memcpy(path, start, word);
	path[word] = '\0';
	return true;
}

static enum coverage judge(int fd, uid_t uid, gid_t gid)
{
	ElfW(Ehdr) header;

	if (!read_at(fd, 0, &header, sizeof(header)) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return COVERAGE_SEEN;
	if (!is_native(&header))
		return COVERAGE_CLASS;
	if (is_privileged(fd, uid, gid))
		return COVERAGE_SETUID;
	if (is_go(fd, &header))
		return COVERAGE_GO;
	return has_interpreter(fd, &header) ? COVERAGE_SEEN : COVERAGE_STATIC;
}

enum coverage elf_coverage(const char *path, uid_t uid, gid_t gid, char judged[PATH_MAX])
{
	enum coverage coverage = COVERAGE_SEEN;

	snprintf(judged, PATH_MAX, "%s", path);
	for (int depth = 0; depth <= SCRIPTS_MAX; depth++) {
		int fd = open(judged, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		bool script;

		if (fd < 0) {
			judged[0] = '\0';
			return COVERAGE_SEEN;
		}
		script = read_script(fd, judged);
		if (!script)
			coverage = judge(fd, uid, gid);
		close(fd);
		if (!script)
			break;
	}
	return coverage;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool elf_find(const char *name, char path[PATH_MAX])
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
