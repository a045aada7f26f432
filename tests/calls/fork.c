/* SPDX-License-Identifier: MIT */
/* calls: fork _Fork clone daemon vfork */
/* Children in their own or in shared memory do socket work; parents go on. */
#include <sched.h>
#include <signal.h>

#include "observe.h"

static int listener, inherited;

/* What every child does. Returns its exit status. */
static int child_work(void)
{
	int fd = (int)TRY(socket(AF_INET, SOCK_STREAM, 0));
	struct address to = local_of(listener);

	TRY(connect(fd, AT(to)));
	show_names("child", fd);
	show_names("inherited", inherited);
	TRY(close(inherited));
	TRY(close(fd));
	return 5;
}

static int in_clone(void *arg)
{
	(void)arg;
	return child_work();
}

static void show_parent(const char *label, pid_t pid)
{
	if (pid < 0)
		printf("%s: %s\n", label, error_name(errno));
	else
		show_child(label, pid);
	show_names("still the parent's", inherited);
	TRY(close(TRY(socket(AF_INET, SOCK_DGRAM, 0))));
}

static void in_vfork(void)
{
	pid_t pid;

	section("vfork");
	pid = vfork();
	if (pid == 0) {
		close(inherited);
		close(socket(AF_INET, SOCK_STREAM, 0));
		_exit(6);
	}
	show_parent("vfork", pid);
}

static void in_daemon(void)
{
	int done[2], go[2];
	pid_t pid;

	section("daemon");
	MUST(pipe(done));
	MUST(pipe(go));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		alarm(LIFETIME_S);
		MUST(close(go[1]));
		MUST(daemon(1, 1));
		wait_for(go[0], POLLHUP); /* the first has ended, and said so */
		child_work();
		_exit(0);
	}
	MUST(close(done[1]));
	MUST(close(go[0]));
	show_child("first", pid);
	MUST(close(go[1]));
	wait_for(done[0], POLLIN); /* the end of the daemon */
	MUST(close(done[0]));
}

int main(void)
{
	enum { STACK = 256 << 10 };
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	begin();
	listener = listening("127.0.0.1", 64);
	inherited = connected_to(listener, SOCK_STREAM);
	section("fork");
	pid = fork();
	if (pid == 0)
		exit(child_work());
	show_parent("fork", pid);
#ifdef __GLIBC__
	section("_Fork");
	pid = _Fork();
	if (pid == 0)
		_exit(child_work());
	show_parent("_Fork", pid);
#endif
	section("clone, like fork");
	show_parent("clone", clone(in_clone, stack + STACK, SIGCHLD, NULL));
	section("clone, shared fds");
	pid = clone(in_clone, stack + STACK, SIGCHLD | CLONE_FILES, NULL);
	show_parent("clone", pid);
	inherited = connected_to(listener, SOCK_STREAM);
	section("clone, shared memory");
	pid = clone(in_clone, stack + STACK, SIGCHLD | CLONE_VM | CLONE_VFORK, NULL);
	show_parent("clone", pid);
#ifdef __GLIBC__
	TRY_UNREADABLE(clone(NULL, stack + STACK, SIGCHLD, NULL));
#endif
	in_vfork();
	in_daemon();
	return end();
}
