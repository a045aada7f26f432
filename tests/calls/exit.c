/* SPDX-License-Identifier: MIT */
/* calls: exit _exit _Exit quick_exit */
/* Every way to end, with the handlers that then run and the status. */
#include "observe.h"

static void at_exit(void)
{
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, 0))));
	printf("handler of exit\n");
}

static void at_quick_exit_(void)
{
	printf("handler of quick_exit\n");
}

__attribute__((destructor)) static void at_end(void)
{
	printf("destructor\n");
}

static void by_exit(void)
{
	exit(3);
}

static void by_exit_large(void)
{
	exit(0x1234);
}

static void by__exit(void)
{
	_exit(4);
}

static void by__Exit(void)
{
	_Exit(5);
}

static void by_quick_exit(void)
{
	quick_exit(6);
}

static void by_abort(void)
{
	struct rlimit none = {0};

	setrlimit(RLIMIT_CORE, &none);
	abort();
}

static void in_child(const char *label, void (*finish)(void))
{
	pid_t pid;

	section(label);
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		MUST(socket(AF_INET, SOCK_STREAM, 0));
		finish();
	}
	show_child(label, pid);
}

int main(void)
{
	begin();
	atexit(at_exit);
	at_quick_exit(at_quick_exit_);
	in_child("exit", by_exit);
	in_child("exit, status above 255", by_exit_large);
	in_child("_exit", by__exit);
	in_child("_Exit", by__Exit);
	in_child("quick_exit", by_quick_exit);
	in_child("abort", by_abort);
	return end();
}
