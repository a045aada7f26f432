/* SPDX-License-Identifier: MIT */
/* calls: dup dup2 dup3 __dup2 */
/* Second names of one socket. */
#include "observe.h"

#ifdef __GLIBC__
int __dup2(int fd, int to);
#endif

int main(void)
{
	int pair[2], fd, second, file, last;

	begin();
	section("dup");
	make_pair(pair);
	second = (int)TRY(dup(pair[0]));
	show_names("second", second);
	TRY(close(pair[0]));
	show_poll("peer", pair[1]);
	TRY(close(second));
	wait_for(pair[1], POLLIN);
	show_poll("peer", pair[1]);
	TRY(close(pair[1]));

	section("dup2 over a socket closes that one");
	make_pair(pair);
	fd = (int)MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	TRY(dup2(fd, pair[0]));
	wait_for(pair[1], POLLIN);
	show_poll("peer", pair[1]);
	show_names("duplicate", pair[0]);
	file = (int)MUST(open("/dev/null", O_RDONLY));
	TRY(dup2(file, fd));
	show_names("not a socket any more", fd);
	TRY(dup2(fd, fd));
	TRY(dup2(pair[0], 40));
	TRY(dup3(pair[0], 41, O_CLOEXEC));
	TRY(fcntl(41, F_GETFD));
	show_fds();

	section("refusals");
	TRY(dup(-1));
	TRY(dup(77));
	TRY(dup2(77, 78));
	TRY(dup2(77, 77));
	TRY(dup2(fd, -1));
	TRY(dup2(77, pair[1]));
	show_names("untouched", pair[1]);
	TRY(dup3(fd, fd, 0));
	TRY(dup3(fd, 50, 12345));
	TRY(dup3(77, 78, 0));

#ifdef __GLIBC__
	section("__dup2");
	TRY(__dup2(pair[1], 42));
	show_names("duplicate", 42);
#endif

	section("no fd left");
	last = fill_fds(60);
	TRY(dup(pair[1]));
	TRY(dup(-1));
	TRY(dup2(pair[1], 60));
	TRY(dup3(pair[1], 60, 0));
	TRY(dup2(pair[1], last));
	TRY(dup3(pair[1], last, O_CLOEXEC));
	show_names("duplicate", last);
	return end();
}
