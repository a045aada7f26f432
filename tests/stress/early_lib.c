/* SPDX-License-Identifier: MIT */
/* early_lib - a library that works with sockets before main and after it. */
#include <sys/socket.h>
#include <unistd.h>

void early_lib_used(void);

void early_lib_used(void)
{
}

__attribute__((constructor)) static void begin(void)
{
	close(socket(AF_INET, SOCK_STREAM, 0));
}

__attribute__((destructor)) static void end(void)
{
	close(socket(AF_INET, SOCK_STREAM, 0));
}
