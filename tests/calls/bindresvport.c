/* SPDX-License-Identifier: MIT */
/* calls: bindresvport rresvport rresvport_af */
/* Ports below 1024, that libc binds by itself: for root only. */
#include <netdb.h>

#include "observe.h"

#ifdef __GLIBC__
static void show_reserved(int fd)
{
	int port = fd < 0 ? 0 : local_port(fd);

	printf("port: %s\n", port == 0 ? "none" : port < 1024 ? "reserved" : "ordinary");
	if (fd >= 0)
		TRY(close(fd));
}

int main(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET};
	struct sockaddr_in wrong = {.sin_family = AF_INET6};
	int fd, port = 1023;

	begin();
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	TRY(bindresvport(fd, &wrong));
	if (TRY(bindresvport(fd, &here)) == 0)
		printf("told: %s\n", ntohs(here.sin_port) < 1024 ? "reserved" : "ordinary");
	show_reserved(fd);
	fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	TRY(bindresvport(fd, NULL));
	show_reserved(fd);
	TRY(bindresvport(-1, NULL));
	TRY(bindresvport(0, NULL));
	show_reserved((int)TRY(rresvport(&port)));
	printf("told: %s\n", port < 1024 ? "reserved" : "ordinary");
	port = 1000;
	show_reserved((int)TRY(rresvport_af(&port, AF_INET6)));
	TRY(rresvport_af(&port, AF_UNIX));
	return end();
}
#else
int main(void)
{
	printf("this libc has no such calls\n");
	return 0;
}
#endif
