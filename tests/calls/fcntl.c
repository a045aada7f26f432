/* SPDX-License-Identifier: MIT */
/* calls: fcntl fcntl64 __fcntl */
/* Every kind of third argument: none, a number, a pointer. */
#include "observe.h"

#ifdef __GLIBC__
int __fcntl(int fd, int command, ...);
#endif

int main(void)
{
	int fd, second, pair[2], file;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[] = "/tmp/observe.XXXXXX";

	begin();
	section("duplicates");
	make_pair(pair);
	second = (int)TRY(fcntl(pair[0], F_DUPFD, 20));
	show_names("second", second);
	TRY(fcntl(pair[0], F_DUPFD_CLOEXEC, 20));
	TRY(fcntl(21, F_GETFD));
	TRY(fcntl(pair[0], F_DUPFD, 0));
	TRY(close(pair[0]));
	TRY(close(second));
	show_poll("peer", pair[1]);
	show_fds();

	section("flags");
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	TRY(fcntl(fd, F_GETFL));
	TRY(fcntl(fd, F_SETFL, O_NONBLOCK));
	TRY(fcntl(fd, F_GETFL));
	TRY(fcntl(fd, F_SETFD, FD_CLOEXEC));
	TRY(fcntl(fd, F_GETFD));
	TRY(fcntl(fd, F_SETOWN, getpid()));
	TRY_ANY(fcntl(fd, F_GETOWN));

	section("pointers");
	file = (int)MUST(mkstemp(path));
	TRY(fcntl(file, F_SETLK, &lock));
	TRY(fcntl(file, F_GETLK, &lock));
	printf("lock type %d\n", lock.l_type);
	TRY(fcntl(file, F_SETLK, nowhere()));
	MUST(close(file));
	MUST(unlink(path));

	section("refusals");
	TRY(fcntl(-1, F_GETFD));
	TRY(fcntl(77, F_DUPFD, 0));
	TRY(fcntl(fd, F_DUPFD, -1));
	TRY(fcntl(fd, F_DUPFD, 0x7ffffff));
	TRY(fcntl(fd, 12345, 1));

#ifdef __GLIBC__
	section("other names");
	TRY(fcntl64(fd, F_DUPFD, 30));
	TRY(fcntl64(fd, F_GETFL));
	TRY(__fcntl(fd, F_DUPFD, 30));
	TRY(__fcntl(-1, F_GETFD));
#endif

	section("no fd left");
	fill_fds(40);
	TRY(fcntl(fd, F_DUPFD, 0));
	TRY(fcntl(fd, F_DUPFD_CLOEXEC, 39));
	TRY(fcntl(fd, F_DUPFD, 40));
	TRY(fcntl(-1, F_DUPFD, 0));
	return end();
}
