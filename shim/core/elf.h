/* SPDX-License-Identifier: MIT */
/* elf.h - will the dynamic loader bring the library up in this program?
 * Knows ELF headers, Go's mark and #! lines. Every byte of the file is hostile;
 * how it is read is the caller's business. */
#ifndef CORE_ELF_H
#define CORE_ELF_H

#include "core/session.h"

enum { ELF_INTERPRETER_MAX = 256 /* what the kernel reads of a #! line: BINPRM_BUF_SIZE */ };

/* Fill buf with size bytes of the open file fd from offset. Returns false if
 * there are not as many. */
typedef bool elf_read(int fd, uint64_t offset, void *buf, size_t size);

/* STATIC, GO, CLASS or SEEN; SEEN also for what is no ELF file: exec itself says
 * it better. Rights (SETUID) are not in the file. */
enum coverage elf_judge(elf_read *read, int fd);

/* The interpreter of a #! line. Returns false if the file does not start with
 * one. */
bool elf_interpreter(elf_read *read, int fd, char interpreter[ELF_INTERPRETER_MAX]);

#endif
