/* SPDX-License-Identifier: MIT */
/* elf.c - see elf.h. */
#include "core/elf.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#if defined(__x86_64__)
#define NATIVE_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define NATIVE_MACHINE EM_AARCH64
#endif
#define NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define GO_SECTION   ".go.buildinfo"

static bool has_interpreter(elf_read *read, int fd, const ElfW(Ehdr) * header)
{
	for (unsigned i = 0; i < header->e_phnum; i++) {
		ElfW(Phdr) segment;

		if (!read(fd, header->e_phoff + i * sizeof(segment), &segment, sizeof(segment)))
			return false;
		if (segment.p_type == PT_INTERP)
			return true;
	}
	return false;
}

static bool is_go(elf_read *read, int fd, const ElfW(Ehdr) * header)
{
	ElfW(Shdr) names, section;
	char name[sizeof(GO_SECTION)];
	uint64_t at = header->e_shoff;

	if (!at || !read(fd, at + header->e_shstrndx * sizeof(names), &names, sizeof(names)))
		return false;
	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (!read(fd, at + i * sizeof(section), &section, sizeof(section)))
			return false;
		if (section.sh_type == SHT_PROGBITS &&
		    read(fd, names.sh_offset + section.sh_name, name, sizeof(name)) &&
		    memcmp(name, GO_SECTION, sizeof(name)) == 0)
			return true;
	}
	return false;
}

enum coverage elf_judge(elf_read *read, int fd)
{
	ElfW(Ehdr) header;

	if (!read(fd, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return COVERAGE_SEEN;
	if (header.e_ident[EI_CLASS] != NATIVE_CLASS || header.e_machine != NATIVE_MACHINE)
		return COVERAGE_CLASS;
	if (!has_interpreter(read, fd, &header))
		return is_go(read, fd, &header) ? COVERAGE_GO : COVERAGE_STATIC;
	return is_go(read, fd, &header) ? COVERAGE_GO : COVERAGE_SEEN;
}

bool elf_interpreter(elf_read *read, int fd, char interpreter[ELF_INTERPRETER_MAX])
{
	char line[ELF_INTERPRETER_MAX];
	size_t start = 2, end;
	size_t len = 0;

	while (len < sizeof(line) && read(fd, len, line + len, 1) && line[len] != '\n')
		if (++len == 2 && memcmp(line, "#!", 2) != 0)
			return false;
	while (start < len && (line[start] == ' ' || line[start] == '\t'))
		start++;
	for (end = start; end < len && line[end] != ' ' && line[end] != '\t'; end++)
		;
	if (len < 2 || end == start || end == sizeof(line))
		return false;
	memcpy(interpreter, line + start, end - start);
	interpreter[end - start] = '\0';
	return true;
}
