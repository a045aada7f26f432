/* SPDX-License-Identifier: MIT */
/* full_table one|none - becomes itself anew with one fd free, the least that the
 * dynamic loader can start with. none: there the last one is taken before any
 * constructor runs. */
#include "cycle.h"

enum { LIMIT = 64 };

static void before_everything(int argc, char **argv, char **env)
{
	(void)env;
	if (argc > 2 && strcmp(argv[1], "none") == 0)
		MUST(dup(0));
}

__attribute__((section(".preinit_array"),
               used)) static void (*const first)(int, char **, char **) = before_everything;

static int child(void)
{
	int fd;

	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(accept(0, NULL, NULL));
	TRY(open("/dev/null", O_RDONLY));
	for (fd = LIMIT - 1; fd > LIMIT - 10; fd--)
		close(fd);
	cycle();
	printf("did a cycle\n");
	return end();
}

int main(int argc, char **argv)
{
	char self[4096] = "", *const args[] = {"full_table", argc > 1 ? argv[1] : "one", "child",
	                                       NULL};
	int last;

	begin();
	if (argc > 2)
		return child();
	MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	last = fill_fds(LIMIT);
	MUST(close(last));
	TRY(execv(self, args));
	return 1;
}
