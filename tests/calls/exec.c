/* SPDX-License-Identifier: MIT */
/* calls: execve execv execvp execvpe execl execlp execle fexecve execveat */
/* Every way to become another program, with the arguments and the environment
 * that it then finds; and every refusal. */
#include "observe.h"

extern char **environ;

static char self[4096];
static char *const args[] = {"child", "one", "two words", "", NULL};
static char *const env[] = {"A=1", "EMPTY=", "B=x y", NULL};

/* What the child prints; the library may add what it needs to stay loaded. */
static int show_self(int argc, char **argv)
{
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < argc; i++)
		printf("arg %d \"%s\"\n", i, argv[i]);
	for (i = 0; environ && environ[i]; i++) {
		if (strncmp(environ[i], "LD_PRELOAD=", 11) && strncmp(environ[i], "TCPSHIM_", 8) &&
		    strncmp(environ[i], "PATH=", 5))
			printf("env \"%s\"\n", environ[i]);
	}
	show_fds();
	return 9;
}

static void in_child(const char *label, void (*become)(void))
{
	pid_t pid;

	section(label);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		become();
		exit(1);
	}
	show_child(label, pid);
}

static void by_execve(void)
{
	TRY(execve(self, args, env));
}

static void by_execve_no_env(void)
{
	TRY(execve(self, args, NULL));
}

static void by_execve_empty_env(void)
{
	TRY(execve(self, args, &env[3]));
}

static void by_execv(void)
{
	TRY(execv(self, args));
}

static void by_execvp(void)
{
	TRY(execvp("observe-exec-child", args));
}

static void by_execvpe(void)
{
	TRY(execvpe("observe-exec-child", args, env));
}

static void by_execl(void)
{
	TRY(execl(self, "child", "a", "b", "c", "d", "e", "f", "g", "h", (char *)NULL));
}

static void by_execlp(void)
{
	TRY(execlp("observe-exec-child", "child", (char *)NULL));
}

static void by_execle(void)
{
	TRY(execle(self, "child", "a", (char *)NULL, env));
}

static void by_fexecve(void)
{
	int fd = (int)MUST(open(self, O_RDONLY | O_CLOEXEC));

	TRY(fexecve(fd, args, env));
}

static void by_execveat(void)
{
#ifdef __GLIBC__
	int fd = (int)MUST(open(self, O_PATH | O_CLOEXEC));

	TRY(execveat(fd, "", args, env, AT_EMPTY_PATH));
#endif
}

static void refusals(void)
{
	static char *const none[] = {NULL};
	char *huge = malloc(4 << 20), *big[] = {"child", huge, NULL};

	memset(huge, 'x', 4 << 20);
	huge[(4 << 20) - 1] = '\0';
	TRY(execve("/nonexistent", args, env));
	TRY(execve("/etc/passwd", args, env));
	TRY(execve("/tmp", args, env));
	TRY(execve("/dev/null/x", args, env));
	TRY(execve("", args, env));
	TRY(execve(nowhere(), args, env));
	TRY(execve(self, nowhere(), env));
	TRY(execve(self, args, nowhere()));
	TRY(execve(self, big, env));
	TRY(execv("/nonexistent", none));
	TRY(execvp("observe-nonexistent", args));
	TRY(execvp("", args));
	TRY(execvpe("/etc/passwd", args, env));
	TRY(execl("/nonexistent", "x", (char *)NULL));
	TRY(execlp("observe-nonexistent", "x", (char *)NULL));
	TRY(execle("/nonexistent", "x", (char *)NULL, env));
	TRY(fexecve(-1, args, env));
	TRY(fexecve(77, args, env));
#ifdef __GLIBC__
	TRY(execveat(AT_FDCWD, "/nonexistent", args, env, 0));
	TRY(execveat(-1, "x", args, env, 0));
	TRY(execveat(AT_FDCWD, self, args, env, 0x8000000));
#endif
	free(huge);
}

/* A script without #! is for the shell, but only with a p in the name. */
static void script(const char *dir)
{
	static char path[4200];
	FILE *file;

	snprintf(path, sizeof path, "%s/observe-script", dir);
	file = fopen(path, "w");
	fprintf(file, "echo script $#\n");
	fclose(file);
	MUST(chmod(path, 0755));
	TRY(execve(path, args, env));
	TRY(execv(path, args));
}

static void by_script(void)
{
	TRY(execvp("observe-script", args));
}

int main(int argc, char **argv)
{
	static char dir[] = "/tmp/observe.XXXXXX", path[128];
	int fd;

	if (argc > 0 && strcmp(argv[0], "child") == 0)
		return show_self(argc, argv);
	begin();
	MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	MUST((long)mkdtemp(dir));
	snprintf(path, sizeof path, "%s/observe-exec-child", dir);
	MUST(symlink(self, path));
	MUST(clearenv());
	MUST(setenv("PATH", dir, 1));
	MUST(setenv("INHERITED", "yes", 1));
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	in_child("execve", by_execve);
	in_child("execve, no environment", by_execve_no_env);
	in_child("execve, empty environment", by_execve_empty_env);
	in_child("execv", by_execv);
	in_child("execvp", by_execvp);
	in_child("execvpe", by_execvpe);
	in_child("execl", by_execl);
	in_child("execlp", by_execlp);
	in_child("execle", by_execle);
	in_child("fexecve", by_fexecve);
	in_child("execveat", by_execveat);
	section("refusals");
	refusals();
	section("script");
	script(dir);
	in_child("script", by_script);
	TRY(close(fd));

	MUST(unlink(path));
	snprintf(path, sizeof path, "%s/observe-script", dir);
	MUST(unlink(path));
	MUST(rmdir(dir));
	return end();
}
