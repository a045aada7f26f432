/* SPDX-License-Identifier: MIT */
/* calls: getrlimit setrlimit prlimit getrlimit64 setrlimit64 prlimit64 sysconf getdtablesize */
/* The limit of fds, told and set. */
#include "observe.h"

static void show_limits(const char *label)
{
	struct rlimit limit = {0};

	section(label);
	TRY(getrlimit(RLIMIT_NOFILE, &limit));
	printf("soft %ld, hard %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
	TRY(sysconf(_SC_OPEN_MAX));
	TRY(getdtablesize());
	limit = (struct rlimit){0};
	TRY(prlimit(0, RLIMIT_NOFILE, NULL, &limit));
	printf("soft %ld, hard %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
}

/* Linux has nothing against it, the headers have. */
#ifdef __GLIBC__
__attribute__((no_sanitize("nonnull-attribute"))) static void no_limit(void)
{
	struct rlimit *volatile nothing = NULL;

	TRY(getrlimit(RLIMIT_NOFILE, nothing));
	TRY(setrlimit(RLIMIT_NOFILE, nothing));
	TRY(prlimit(0, RLIMIT_NOFILE, nothing, nothing));
}
#endif

int main(void)
{
	struct rlimit limit = {.rlim_cur = 100, .rlim_max = 200}, old = {0};
	int fd;

	begin();
	show_limits("as started");
	TRY(setrlimit(RLIMIT_NOFILE, &limit));
	show_limits("lowered");
	limit.rlim_cur = 50;
	TRY(prlimit(getpid(), RLIMIT_NOFILE, &limit, &old));
	printf("old %ld\n", (long)old.rlim_cur);
	show_limits("lowered again");
#ifdef __GLIBC__
	struct rlimit64 limit64 = {0};

	TRY(getrlimit64(RLIMIT_NOFILE, &limit64));
	printf("soft %ld\n", (long)limit64.rlim_cur);
	limit64.rlim_cur = 40;
	TRY(setrlimit64(RLIMIT_NOFILE, &limit64));
	limit64.rlim_cur = 30;
	TRY(prlimit64(0, RLIMIT_NOFILE, &limit64, NULL));
	show_limits("lowered by 64-bit names");
#endif

	section("other limits and values");
	TRY(getrlimit(RLIMIT_STACK, &old));
	TRY_ANY(sysconf(_SC_PAGESIZE));
	TRY(sysconf(12345));

	section("refusals");
	limit.rlim_cur = 300;
	TRY(setrlimit(RLIMIT_NOFILE, &limit));
	TRY(getrlimit(12345, &limit));
	TRY(prlimit(0x7ffffff, RLIMIT_NOFILE, NULL, &limit));
#ifdef __GLIBC__
	TRY(getrlimit(RLIMIT_NOFILE, nowhere()));
	TRY(setrlimit(RLIMIT_NOFILE, nowhere()));
	TRY(prlimit(0, RLIMIT_NOFILE, nowhere(), NULL));
	no_limit();
#endif

	section("at the limit");
	while ((fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0)
		;
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	return end();
}
