/* SPDX-License-Identifier: MIT */
/* plugin_lib - what a program loads while it runs. */
#include <sys/socket.h>
#include <unistd.h>

int plugin_work(void);

int plugin_work(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return close(fd) == 0 ? fd : -1;
}
