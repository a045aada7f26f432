/* SPDX-License-Identifier: MIT */
/* site.c - see site.h. Knows libdwfl: a file is opened as it lies on the disk, once. */
#include "tools/site.h"

#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/text.h"
#include "tools/memory.h"

enum { SITE_MAX = 4096 };

struct site_file {
	Dwfl *dwfl;
	Dwfl_Module *module; /* NULL: it cannot be read */
	GElf_Addr base;      /* where offset 0 is */
	UT_hash_handle hh;
	char path[];
};

struct site_names {
	struct site_file *files;
};

static char *debuginfo_path;

static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
        .section_address = dwfl_offline_section_address,
        .debuginfo_path = &debuginfo_path,
};

struct site_names *site_names_new(void)
{
	return memory_new(sizeof(struct site_names));
}

void site_names_free(struct site_names *names)
{
	struct site_file *file, *next;

	HASH_ITER (hh, names->files, file, next) {
		HASH_DEL(names->files, file);
		if (file->dwfl)
			dwfl_end(file->dwfl);
		free(file);
	}
	free(names);
}

/* Offsets count from the page where the first segment begins, dladdr(3). */
static bool find_base(struct site_file *file)
{
	GElf_Addr bias;
	Elf *elf = dwfl_module_getelf(file->module, &bias);
	size_t count = 0;
	GElf_Phdr head;

	if (!elf || elf_getphdrnum(elf, &count) != 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, (int)i, &head) || head.p_type != PT_LOAD)
			continue;
		file->base = bias + (head.p_vaddr & ~(GElf_Addr)4095);
		return true;
	}
	return false;
}

static void open_file(struct site_file *file)
{
	struct stat about;

	/* where it was relative to, nobody knows; and a pipe would keep us waiting */
	if (file->path[0] != '/' || stat(file->path, &about) != 0 || !S_ISREG(about.st_mode))
		return;
	unsetenv("DEBUGINFOD_URLS");
	file->dwfl = dwfl_begin(&callbacks);
	if (!file->dwfl)
		return;
	file->module = dwfl_report_offline(file->dwfl, "", file->path, -1);
	dwfl_report_end(file->dwfl, NULL, NULL);
	if (file->module && !find_base(file))
		file->module = NULL;
}

static struct site_file *file_of(struct site_names *names, const char *path, size_t len)
{
	struct site_file *file;

	HASH_FIND(hh, names->files, path, len, file);
	if (file)
		return file;
	file = memory_new(sizeof(*file) + len + 1);
	memcpy(file->path, path, len);
	open_file(file);
	HASH_ADD(hh, names->files, path, len, file);
	return file;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A return address is behind its call: the line is that of the byte before. */
static bool put_name(struct text *text, struct site_file *file, uint64_t offset)
{
	GElf_Addr address = file->base + offset - 1;
	const char *function = dwfl_module_addrname(file->module, address), *source = NULL;
	Dwfl_Line *line = dwfl_module_getsrc(file->module, address);
	int number = 0;

	if (line)
		source = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
	if (!function && !source)
		return false;
	function = function ? function : "?";
	text_visible(text, function, strlen(function));
	text_put(text, source ? " at " : " in ");
	source = last_part(source ? source : file->path);
	text_visible(text, source, strlen(source));
	if (number > 0) {
		text_char(text, ':');
		text_unsigned(text, (unsigned)number);
	}
	return true;
}

char *site_name(struct site_names *names, const char *frame, size_t len)
{
	char copy[SITE_MAX], buf[SITE_MAX], *plus, *end = copy;
	struct text text = text_on(buf, sizeof(buf));
	struct site_file *file;
	uint64_t offset = 0;

	len = len < sizeof(copy) ? len : sizeof(copy) - 1;
	memcpy(copy, frame, len);
	copy[len] = '\0';
	plus = strrchr(copy, '+');
	if (plus && strncmp(plus, "+0x", 3) == 0)
		offset = strtoull(plus + 3, &end, 16);
	if (offset > 0 && *end == '\0') {
		file = file_of(names, copy, (size_t)(plus - copy));
		if (file->module && put_name(&text, file, offset))
			return memory_copy(buf, text.len);
	}
	text = text_on(buf, sizeof(buf));
	text_visible(&text, copy, len);
	return memory_copy(buf, text.len);
}

char *site_first(struct site_names *names, const char *frames)
{
	return site_name(names, frames, strcspn(frames, "\n"));
}
