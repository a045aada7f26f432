/* SPDX-License-Identifier: MIT */
/* calls: syscall */
/* Socket calls by their number, as some language run-times make them. */
#include <sys/syscall.h>

#include "observe.h"

int main(void)
{
	struct address to, from = EMPTY_ADDRESS;
	int listener, fd, pair[2];
	long page;

	begin();
	section("sockets");
	listener = listening("127.0.0.1", 4);
	to = local_of(listener);
	fd = (int)TRY(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
	TRY(syscall(SYS_connect, fd, AT(to)));
	show_names("connected", fd);
	TRY(syscall(SYS_connect, fd, AT(to)));
	TRY(syscall(SYS_accept4, listener, INTO(from), SOCK_CLOEXEC));
	show_same("peer's port", port_of(&from), local_port(fd));
	TRY(syscall(SYS_sendto, fd, "hello", 5L, 0L, NULL, 0L));
	TRY(syscall(SYS_shutdown, fd, SHUT_WR));
	TRY(syscall(SYS_dup, fd));
	TRY(syscall(SYS_close, fd));
	TRY(syscall(SYS_close, fd));
	TRY(syscall(SYS_close, -1));
	TRY(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair));
	printf("%d %d\n", pair[0], pair[1]);
	TRY(syscall(SYS_dup3, fd, 30, 0));
	TRY(syscall(SYS_fcntl, pair[0], F_DUPFD, 31));
	TRY(syscall(SYS_bind, listener, AT(to)));
	TRY(syscall(SYS_listen, listener, 3));
	TRY(syscall(SYS_getsockname, listener, INTO(from)));
	show_fds();

	section("others: six arguments, large results");
	page = syscall(SYS_mmap, NULL, 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	               -1L, 0L);
	printf("mapped %s\n", page > 0x100000 ? "high" : "not");
	*(volatile char *)page = 1;
	TRY(syscall(SYS_munmap, page, 4096L));
	show_same("getpid", syscall(SYS_getpid), getpid());
	TRY(syscall(SYS_write, 1, "written\n", 8L));

	section("refusals");
	TRY(syscall(-1));
	TRY(syscall(99999));
	TRY(syscall(SYS_socket, 12345, SOCK_STREAM, 0));
	TRY(syscall(SYS_connect, fd, nowhere(), 16));
	TRY(syscall(SYS_write, -1, "", 0L));

#ifdef SYS_close_range
	section("close_range");
	TRY(syscall(SYS_close_range, 3, ~0U, 0));
#endif
	return end();
}
