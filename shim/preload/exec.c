/* SPDX-License-Identifier: MIT */
/* exec.c - see exec.h. Runs in vfork children: all it leaves in the parent's
 * memory is in `thread`, for the parent to free. */
#include "preload/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/elf.h"
#include "core/text.h"
#include "preload/adopt.h"
#include "preload/entry.h"
#include "preload/environment.h"
#include "preload/record.h"
#include "preload/settings.h"
#include "sys/clock.h"
#include "sys/raw.h"

extern char **environ;

/* ---- what the program is ---- */

static bool read_at(int fd, uint64_t offset, void *buf, size_t size)
{
	return raw4(SYS_pread64, fd, buf, size, offset) == (long)size;
}

/* Does exec give rights that the user did not have? Then the loader runs in
 * secure mode, ld.so(8). */
static bool gives_rights(int fd)
{
	struct stat st;
	uint32_t uid = (uint32_t)raw1(SYS_getuid, 0);

	if (raw2(SYS_fstat, fd, &st) != 0)
		return false;
	if (st.st_mode & S_ISUID && st.st_uid != uid)
		return true;
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
	    st.st_gid != (uint32_t)raw1(SYS_getgid, 0))
		return true;
	return uid != 0 && raw4(SYS_fgetxattr, fd, "security.capability", NULL, 0) > 0;
}

static enum coverage judge_path(const char *path, bool *is_there)
{
	enum { SCRIPTS_MAX = 4 }; /* how many #! the kernel follows */
	char interpreter[ELF_INTERPRETER_MAX];
	enum coverage coverage = COVERAGE_SEEN;

	for (int i = 0; i <= SCRIPTS_MAX; i++) {
		long fd = raw4(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
		bool is_script;

		if (fd < 0) {
			*is_there = fd != -ENOENT && fd != -ENOTDIR;
			return COVERAGE_SEEN; /* exec says what is wrong */
		}
		is_script = elf_interpreter(read_at, (int)fd, interpreter);
		if (!is_script)
			coverage = gives_rights((int)fd) ? COVERAGE_SETUID
			                                 : elf_judge(read_at, (int)fd);
		raw_close((int)fd);
		if (!is_script)
			break;
		path = interpreter;
	}
	if (coverage == COVERAGE_SEEN && raw3(SYS_faccessat, AT_FDCWD, settings.session, 6) != 0)
		return COVERAGE_UNREACHABLE; /* another root or user */
	return coverage;
}

/* Where execvp finds it: the first along PATH that may be run. */
static enum coverage judge(const char *path, bool searches, bool *is_there)
{
	char candidate[512];
	const char *dirs = NULL;

	if (!path)
		return COVERAGE_SEEN;
	if (!searches || strchr(path, '/'))
		return judge_path(path, is_there);
	for (char **entry = environ; entry && *entry; entry++)
		if (strncmp(*entry, "PATH=", 5) == 0)
			dirs = *entry + 5;
	for (dirs = dirs ? dirs : "/bin:/usr/bin";; dirs++) {
		size_t len = strcspn(dirs, ":");
		struct text text = text_on(candidate, sizeof(candidate));

		text_bytes(&text, len ? dirs : ".", len ? len : 1);
		text_char(&text, '/');
		text_put(&text, path);
		if (!text.cut && raw3(SYS_faccessat, AT_FDCWD, candidate, 1) == 0)
			return judge_path(candidate, is_there);
		dirs += len;
		if (!*dirs) {
			*is_there = false;
			return COVERAGE_SEEN;
		}
	}
}

/* ---- what the record says ---- */

/* The slot of a vfork child, which has none yet; else our own. */
static struct session_process *entry_to_exec(void)
{
	struct session_process *own = process_entry();
	struct session_process *entry;

	if (!thread.vforks)
		return process_is_watching() ? process_entry() : NULL;
	if (thread.vfork_slot)
		return session_process(process.engine.session, thread.vfork_slot);
	entry = entry_of_child(raw_getpid(), ORIGIN_FORK, &thread.vfork_slot);
	if (entry && own) {
		memcpy(entry->name, own->name, sizeof(entry->name));
		memcpy(entry->program, own->program, sizeof(entry->program));
		atomic_store(&entry->fd_limit, atomic_load(&own->fd_limit));
	}
	return entry;
}

static void put_path(char *to, size_t size, const char *path)
{
	size_t len = path ? strlen(path) : 0;

	memset(to, 0, size);
	if (path)
		memcpy(to, path, len < size ? len : size - 1);
}

static void begin(struct exec *exec, const char *path, bool searches, char *const envp[])
{
	char byte;

	process_is_watching(); /* the library may not be up yet */
	*exec = (struct exec){.envp = envp, .path = path, .is_there = true};
	if (process.is_sandboxed)
		return; /* every step below is a system call */
	if (path && !raw_peek(&byte, path, 1))
		exec->path = path = NULL; /* the kernel says EFAULT */
	if (process.is_recording)
		exec->coverage = judge(path, searches, &exec->is_there);
	exec->envp = environment_repair(envp, exec->coverage == COVERAGE_UNREACHABLE, &exec->map,
	                                &exec->map_size);
}

void exec_begin(struct exec *exec, const char *path, bool searches, char *const envp[])
{
	struct session_process *entry;

	begin(exec, path, searches, envp);
	if (thread.vforks && exec->map) {
		thread.exec_map = exec->map;
		thread.exec_map_size = exec->map_size;
	}
	if (!process.is_recording || process.is_sandboxed)
		return;
	entry = entry_to_exec();
	if (!entry)
		return;
	entry->passed_top = exec->is_there ? adopt_pass_all() : 0;
	entry->next_coverage = (uint8_t)exec->coverage;
	put_path(entry->next, sizeof(entry->next), exec->path);
	entry->last = (struct clock_pair){clock_ticks(), clock_ns(CLOCK_MONOTONIC)};
	atomic_store(&entry->state, PROCESS_EXECING);
}

static void unmap(struct exec *exec)
{
	if (exec->map)
		raw2(SYS_munmap, exec->map, exec->map_size);
	if (thread.vforks)
		thread.exec_map = NULL;
}

void exec_failed(struct exec *exec)
{
	struct session_process *entry;

	unmap(exec);
	if (!process.is_recording || process.is_sandboxed)
		return;
	entry = entry_to_exec();
	if (!entry)
		return;
	entry->next_coverage = COVERAGE_SEEN;
	entry->passed_top = 0;
	atomic_store(&entry->state, PROCESS_LIVE);
}

void exec_begin_spawn(struct exec *exec, const char *path, bool searches, char *const envp[])
{
	struct session_process *entry;

	begin(exec, path, searches, envp);
	entry = process_entry();
	if (entry && !process.is_sandboxed)
		entry->passed_top = adopt_pass_all();
}

/* A program that the library comes up in enters the table by itself. */
void exec_end_spawn(struct exec *exec, pid_t pid)
{
	struct session_process *entry;
	uint32_t slot;

	unmap(exec);
	if (!pid || !process.is_recording || process.is_sandboxed ||
	    exec->coverage == COVERAGE_SEEN)
		return;
	entry = entry_of_child((uint32_t)pid, ORIGIN_SPAWN, &slot);
	if (!entry)
		return;
	entry->coverage = (uint8_t)exec->coverage;
	put_path(entry->program, sizeof(entry->program), exec->path);
	put_path(entry->name, sizeof(entry->name),
	         strrchr(exec->path, '/') ? strrchr(exec->path, '/') + 1 : exec->path);
	atomic_store(&entry->state, PROCESS_LIVE);
}
