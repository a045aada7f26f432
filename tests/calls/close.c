/* SPDX-License-Identifier: MIT */
/* calls: close __close posix_close */
/* Closing: once, twice, and what number comes next. */
#include "observe.h"

#ifdef __GLIBC__
int __close(int fd);
#else
int posix_close(int fd, int flags);
#endif

int main(void)
{
	int fd, other, pair[2];

	begin();
	section("close");
	fd = (int)TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(close(fd));
	TRY(close(fd));
	TRY(close(-1));
	TRY(close(12345));
	TRY(close(0x7fffffff));
	TRY(socket(AF_INET, SOCK_DGRAM, 0));
	TRY(close(fd));

	section("the number goes to something else");
	fd = (int)TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(close(fd));
	other = (int)TRY(open("/dev/null", O_RDONLY));
	show_same("number", fd, other);
	show_names("not a socket", other);
	TRY(close(other));
	TRY(pipe(pair));
	close_pair(pair);

	section("a peer sees it");
	make_pair(pair);
	TRY(close(pair[0]));
	wait_for(pair[1], POLLIN);
	show_poll("peer", pair[1]);
	TRY(close(pair[1]));

#ifdef __GLIBC__
	section("__close");
	fd = (int)TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(__close(fd));
	TRY(__close(fd));
#else
	section("posix_close");
	fd = (int)TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(posix_close(fd, 0));
	TRY(posix_close(fd, 0));
	TRY(posix_close(-1, 1));
#endif

	section("standard ones");
	TRY(close(0));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	return end();
}
