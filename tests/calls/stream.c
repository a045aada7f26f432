/* SPDX-License-Identifier: MIT */
/* calls: recv __recv_chk read __read_chk readv write writev sendfile */
/* calls: __read __write sendfile64 */
/* Bytes on sockets and on files. */
#include <dlfcn.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "observe.h"

#ifdef __GLIBC__
ssize_t __recv_chk(int fd, void *buf, size_t size, size_t room, int flags);
ssize_t __read_chk(int fd, void *buf, size_t size, size_t room);
ssize_t __read(int fd, void *buf, size_t size);
ssize_t __write(int fd, const void *buf, size_t size);
ssize_t sendfile64(int to, int from, off64_t *at, size_t count);

static void second_names(int from, int to, int file)
{
	off64_t at = 2;
	char buf[16];

	section("second names");
	TRY(__write(from, "hello", 5));
	wait_for(to, POLLIN);
	TRY(__recv_chk(to, buf, 1, sizeof buf, 0));
	TRY(__read_chk(to, buf, 1, sizeof buf));
	TRY(__read(to, buf, sizeof buf));
	TRY(__read_chk(-1, buf, 1, sizeof buf));
	TRY(__recv_chk(-1, buf, 1, sizeof buf, 0));
	TRY(sendfile64(from, file, &at, 100));
	printf("at %d\n", (int)at);
	wait_for(to, POLLIN);
	TRY(read(to, buf, sizeof buf));
}
#else
static void second_names(int from, int to, int file)
{
	(void)from;
	(void)to;
	(void)file;
}
#endif

static void both_ways(int from, int to)
{
	char buf[16], rest[16];
	struct iovec out[] = {{(char[]){"hel"}, 3}, {(char[]){"lo"}, 2}};
	struct iovec in[] = {{buf, 2}, {rest, sizeof rest}};

	TRY(write(from, "hello", 5));
	TRY(writev(from, out, 2));
	wait_for(to, POLLIN);
	TRY(recv(to, buf, 3, MSG_PEEK));
	TRY(recv(to, buf, 3, 0));
	TRY(read(to, buf, 2));
	TRY(readv(to, in, 2));
	TRY(write(from, nowhere(), 5));
	TRY(writev(from, out, -1));
	TRY(writev(from, NULL, 0));
	TRY(readv(to, in, -1));
	TRY(recv(to, buf, 1, MSG_DONTWAIT));
	TRY(write(from, "x", 1));
	wait_for(to, POLLIN);
	TRY(recv(to, nowhere(), 1, 0));
	TRY(read(to, nowhere(), 1));
	TRY(read(to, buf, 1));
}

int main(void)
{
	int pair[2], file = -1;
	char buf[16], name[] = "/tmp/streamXXXXXX";
	off_t at = 0;

	begin();
	signal(SIGPIPE, SIG_IGN);
	section("tcp");
	make_pair(pair);
	both_ways(pair[0], pair[1]);
	file = (int)MUST(mkstemp(name));
	MUST(unlink(name));

	section("files");
	TRY(write(file, "a file", 6));
	TRY(read(file, buf, sizeof buf));
	MUST(lseek(file, 0, SEEK_SET));
	TRY(read(file, buf, sizeof buf));
	TRY(recv(file, buf, sizeof buf, 0));
	TRY(sendfile(pair[0], file, &at, 100));
	printf("at %d\n", (int)at);
	wait_for(pair[1], POLLIN);
	TRY(read(pair[1], buf, sizeof buf));
	second_names(pair[0], pair[1], file);

	section("ends");
	MUST(close(pair[1]));
	wait_for(pair[0], POLLIN);
	TRY(read(pair[0], buf, sizeof buf));
	MUST(shutdown(pair[0], SHUT_WR));
	TRY(write(pair[0], "x", 1));
	TRY(writev(pair[0], NULL, 0));
	TRY(sendfile(pair[0], file, NULL, 1));
	MUST(close(pair[0]));
	MUST(close(file));

	section("no descriptor");
	TRY(read(-1, buf, 1));
	TRY(write(-1, "x", 1));
	TRY(recv(-1, buf, 1, 0));
	TRY(readv(-1, NULL, 0));
	TRY(writev(-1, NULL, 0));
	TRY(sendfile(-1, -1, NULL, 1));
	return 0;
}
