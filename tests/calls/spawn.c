/* SPDX-License-Identifier: MIT */
/* calls: posix_spawn posix_spawnp */
/* Programs started in one call, with fds moved on the way. */
#include <spawn.h>

#include "observe.h"

extern char **environ;

static int show_self(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < argc; i++)
		printf("arg %d \"%s\"\n", i, argv[i]);
	for (i = 0; environ && environ[i]; i++) {
		if (strncmp(environ[i], "LD_PRELOAD=", 11) && strncmp(environ[i], "TCPSHIM_", 8))
			printf("env \"%s\"\n", environ[i]);
	}
	show_fds();
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, 0))));
	return 9;
}

static pid_t pid = -1;

/* Like TRY; but the child prints, too, so let it end first. */
#define TRY_SPAWN(call) (errno = UNTOUCHED, outcome(#call, call))

static void outcome(const char *text, int result)
{
	int error = errno;

	if (result == 0)
		show_child("child", pid);
	errno = error;
	observe(text, result);
	pid = -1;
}

int main(int argc, char **argv)
{
	char self[4096] = "", *const args[] = {"child", "one", NULL};
	char *const env[] = {"A=1", NULL}, *const none[] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int fd;

	if (argc > 0 && strcmp(argv[0], "child") == 0)
		return show_self(argc, argv);
	begin();
	MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	section("posix_spawn");
	TRY_SPAWN(posix_spawn(&pid, self, NULL, NULL, args, env));

	section("empty environment, no place for the pid");
	TRY_SPAWN(posix_spawn(NULL, self, NULL, NULL, args, none));

	section("fds moved");
	MUST(posix_spawn_file_actions_init(&actions));
	MUST(posix_spawn_file_actions_adddup2(&actions, fd, 20));
	MUST(posix_spawn_file_actions_addopen(&actions, 21, "/dev/null", O_RDONLY, 0));
	MUST(posix_spawnattr_init(&attr));
	outcome("spawned", posix_spawn(&pid, self, &actions, &attr, args, env));
	MUST(posix_spawn_file_actions_addclose(&actions, 0));
	TRY_SPAWN(posix_spawn(&pid, self, &actions, &attr, args, env));
	MUST(posix_spawn_file_actions_adddup2(&actions, 77, 78));
	TRY_SPAWN(posix_spawn(&pid, self, &actions, &attr, args, env));
	MUST(posix_spawn_file_actions_destroy(&actions));
	MUST(posix_spawnattr_destroy(&attr));

	section("posix_spawnp");
	TRY_SPAWN(posix_spawnp(&pid, "true", NULL, NULL, (char *const[]){"true", NULL}, env));

	section("refusals");
	TRY_SPAWN(posix_spawn(&pid, "/nonexistent", NULL, NULL, args, env));
	TRY_SPAWN(posix_spawn(&pid, "/etc/passwd", NULL, NULL, args, env));
	TRY_SPAWN(posix_spawnp(&pid, "observe-nonexistent", NULL, NULL, args, env));
	printf("pid %d\n", (int)pid);
	TRY(waitpid(-1, NULL, 0));
	show_names("the parent's", fd);
	return end();
}
