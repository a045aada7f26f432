/* SPDX-License-Identifier: MIT */
/* wrap_exec.c - the exec and spawn families. None of them calls another through
 * the PLT, so each is here; all come down to five. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "preload/exec.h"
#include "preload/process.h"
#include "sys/real.h"

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	struct exec exec;
	int ret;

	exec_begin(&exec, path, false, envp);
	ret = real.execve(path, argv, exec.envp);
	exec_failed(&exec);
	return ret;
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	struct exec exec;
	int ret;

	exec_begin(&exec, file, true, envp);
	ret = real.execvpe(file, argv, exec.envp);
	exec_failed(&exec);
	return ret;
}

EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
	struct exec exec;
	int ret;

	exec_begin(&exec, NULL, false, envp);
	ret = real.fexecve(fd, argv, exec.envp);
	exec_failed(&exec);
	return ret;
}

EXPORT int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	struct exec exec;
	int ret;

	exec_begin(&exec, path[0] == '/' ? path : NULL, false, envp);
	ret = real.execveat(dir, path, argv, exec.envp, flags);
	exec_failed(&exec);
	return ret;
}

EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* ---- arguments in a list ---- */

/* The number of arguments after first, up to the NULL. */
static size_t count_list(const char *first, va_list rest)
{
	size_t count = 0;

	for (const char *arg = first; arg; arg = va_arg(rest, const char *))
		count++;
	return count;
}

/* argv on the stack, as libc itself does it: a vfork child has no other place.
 * `rest` is left behind the NULL. */
#define LIST_TO_ARGV(argv, first, rest)                                                            \
	va_list counted;                                                                           \
	size_t count, i = 0;                                                                       \
	va_copy(counted, rest);                                                                    \
	count = count_list(first, counted);                                                        \
	va_end(counted);                                                                           \
	char **argv = __builtin_alloca((count + 1) * sizeof(char *));                              \
	for (const char *arg = first; arg; arg = va_arg(rest, const char *))                       \
		memcpy(&argv[i++], &arg, sizeof(arg));                                             \
	argv[i] = NULL

EXPORT int execl(const char *path, const char *first, ...)
{
	va_list rest;

	va_start(rest, first);
	LIST_TO_ARGV(argv, first, rest);
	va_end(rest);
	return execve(path, argv, environ);
}

EXPORT int execlp(const char *file, const char *first, ...)
{
	va_list rest;

	va_start(rest, first);
	LIST_TO_ARGV(argv, first, rest);
	va_end(rest);
	return execvpe(file, argv, environ);
}

EXPORT int execle(const char *path, const char *first, ...)
{
	va_list rest;
	char *const *envp;

	va_start(rest, first);
	LIST_TO_ARGV(argv, first, rest);
	envp = va_arg(rest, char *const *);
	va_end(rest);
	return execve(path, argv, envp);
}

/* ---- spawn ---- */

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                       const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	struct exec exec;
	pid_t child = 0;
	int ret;

	exec_begin_spawn(&exec, path, false, envp);
	ret = real.posix_spawn(&child, path, actions, attr, argv, exec.envp);
	exec_end_spawn(&exec, ret == 0 ? child : 0);
	if (ret == 0 && pid)
		*pid = child;
	return ret;
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                        const posix_spawnattr_t *attr, char *const argv[], char *const envp[])
{
	struct exec exec;
	pid_t child = 0;
	int ret;

	exec_begin_spawn(&exec, file, true, envp);
	ret = real.posix_spawnp(&child, file, actions, attr, argv, exec.envp);
	exec_end_spawn(&exec, ret == 0 ? child : 0);
	if (ret == 0 && pid)
		*pid = child;
	return ret;
}
