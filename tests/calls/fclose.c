/* SPDX-License-Identifier: MIT */
/* calls: fclose freopen freopen64 */
/* Sockets inside streams. */
#include "observe.h"

static FILE *stream_of(int pair[2], const char *mode)
{
	make_pair(pair);
	return fdopen(pair[0], mode);
}

int main(void)
{
	char line[32] = "";
	int pair[2], fd;
	FILE *file;

	begin();
	section("fclose");
	file = stream_of(pair, "w");
	fprintf(file, "hello\n");
	TRY(fclose(file));
	wait_for(pair[1], POLLIN);
	show_poll("peer", pair[1]);
	file = fdopen(pair[1], "r");
	printf("read: %s", fgets(line, sizeof line, file));
	TRY(fclose(file));
	show_fds();

	section("fclose after close");
	file = stream_of(pair, "w");
	MUST(close(pair[0]));
	TRY(fclose(file));
	MUST(close(pair[1]));

	section("freopen: the fd becomes a file");
	file = stream_of(pair, "r");
	fd = fileno(file);
	TRY_ANY(freopen("/dev/null", "r", file));
	show_same("number", fd, fileno(file));
	show_poll("peer", pair[1]);
	show_fds();
	TRY(fclose(file));
	MUST(close(pair[1]));

	section("freopen fails: closed all the same");
	file = stream_of(pair, "r");
	TRY_ANY(freopen("/nonexistent/file", "r", file));
	show_fds();
	MUST(close(pair[1]));

#ifdef __GLIBC__
	section("freopen64");
	file = stream_of(pair, "r");
	TRY_ANY(freopen64("/dev/null", "r", file));
	TRY(fclose(file));
	MUST(close(pair[1]));
#endif

	section("a plain file");
	file = fopen("/dev/null", "r");
	TRY(fclose(file));
	TRY_ANY(freopen("/dev/null", "r", stdin));
	TRY(fclose(stdin));
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	return end();
}
