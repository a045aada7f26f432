/* SPDX-License-Identifier: MIT */
/* empty_env parent - starts itself in every way there is, with nothing in the
 * environment. Each child does one cycle and so shows in the session. */
#include <signal.h>
#include <spawn.h>

#include "cycle.h"

extern char **environ;

static char self[4096];
static char *const args[] = {"child", NULL};
static char *const none[] = {NULL};

static void by_execve(void)
{
	execve(self, args, none);
}

static void by_execve_null(void)
{
	execve(self, args, NULL);
}

static void by_execle(void)
{
	execle(self, "child", (char *)NULL, none);
}

static void by_execvpe(void)
{
	execvpe(self, args, none);
}

static void by_fexecve(void)
{
	fexecve((int)MUST(open(self, O_RDONLY | O_CLOEXEC)), args, none);
}

static void by_execveat(void)
{
	execveat(AT_FDCWD, self, args, none, 0);
}

static void by_clearenv(void)
{
	clearenv();
	execv(self, args);
}

static void by_environ(void)
{
	environ = (char **)none;
	execl(self, "child", (char *)NULL);
}

/* A program that was not written by us, in between. */
static void by_env(void)
{
	execlp("env", "env", "-i", self, (char *)NULL);
}

static const struct {
	const char *name;
	void (*become)(void);
} ways[] = {
        {"execve", by_execve},     {"execve NULL", by_execve_null}, {"execle", by_execle},
        {"execvpe", by_execvpe},   {"fexecve", by_fexecve},         {"execveat", by_execveat},
        {"clearenv", by_clearenv}, {"environ", by_environ},         {"env -i", by_env},
};

int main(int argc, char **argv)
{
	pid_t pid;
	size_t i;

	(void)argv;
	if (argc == 1) {
		cycle();
		return 0;
	}
	begin();
	MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	for (i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		pid = fork();
		if (pid == 0) {
			ways[i].become();
			_exit(1);
		}
		show_child(ways[i].name, pid);
	}
	pid = vfork();
	if (pid == 0) {
		execve(self, args, none);
		_exit(1);
	}
	show_child("vfork", pid);
	printf("spawned: %d\n", posix_spawn(&pid, self, NULL, NULL, args, none));
	show_child("posix_spawn", pid);
	printf("spawned: %d\n", posix_spawnp(&pid, self, NULL, NULL, args, NULL));
	show_child("posix_spawnp", pid);
	printf("children %zu\n", i + 3);
	return end();
}
