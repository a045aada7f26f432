/* SPDX-License-Identifier: MIT */
/* uring - sets up an io_uring, through which sockets could be made unseen.
 * Exits 77 where the kernel forbids it. */
#include <sys/syscall.h>

#include "cycle.h"

int main(void)
{
	char params[256] = {0};
	long fd;

	begin();
	fd = syscall(SYS_io_uring_setup, 4, params);
	if (fd < 0) {
		printf("%s\n", error_name(errno));
		return 77;
	}
	close((int)fd);
	cycle();
	return end();
}
