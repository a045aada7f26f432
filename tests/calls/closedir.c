/* SPDX-License-Identifier: MIT */
/* calls: closedir */
/* A directory's fd goes, and a socket may take its number. */
#include "observe.h"

int main(void)
{
	DIR *dir;
	int fd;

	begin();
	dir = opendir("/");
	fd = dirfd(dir);
	show_fds();
	TRY(closedir(dir));
	show_fds();
	TRY(close(fd));
	fd = (int)TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(close(fd));
	fd = (int)MUST(open("/", O_RDONLY | O_DIRECTORY));
	dir = fdopendir(fd);
	TRY(closedir(dir));
	TRY(socket(AF_INET, SOCK_DGRAM, 0));
	return end();
}
