/* SPDX-License-Identifier: MIT */
/* calls: pidfd_getfd */
/* A socket fetched out of another process, here out of this one. */
#include "observe.h"

#ifdef __GLIBC__
#include <sys/pidfd.h>

int main(void)
{
	int pidfd, fd, pair[2];

	begin();
	pidfd = (int)TRY(pidfd_open(getpid(), 0));
	make_pair(pair);
	fd = (int)TRY(pidfd_getfd(pidfd, pair[0], 0));
	show_names("fetched", fd);
	TRY(fcntl(fd, F_GETFD));
	TRY(close(pair[0]));
	show_poll("peer", pair[1]);
	TRY(close(fd));
	wait_for(pair[1], POLLIN);
	show_poll("peer", pair[1]);
	TRY(pidfd_getfd(pidfd, 77, 0));
	TRY(pidfd_getfd(77, 0, 0));
	TRY(pidfd_getfd(0, 0, 0));
	TRY(pidfd_getfd(pidfd, 0, 1));
	return end();
}
#else
int main(void)
{
	printf("this libc has no such call\n");
	return 0;
}
#endif
