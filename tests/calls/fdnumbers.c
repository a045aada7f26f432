/* SPDX-License-Identifier: MIT */
/* calls: socket accept close dup2 */
/* fd numbers that go from sockets to other things by calls that no preload
 * sees, and back. */
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "observe.h"

int main(void)
{
	int listener, fd, pair[2], pipes[2];

	begin();
	listener = listening("127.0.0.1", 8);
	section("other things with numbers that sockets had");
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	MUST(close(fd));
	TRY(eventfd(0, 0));
	TRY(close(fd));
	TRY(epoll_create1(0));
	show_names("epoll", fd);
	TRY(connect(fd, (struct sockaddr *)&(struct sockaddr_in){.sin_family = AF_INET}, 16));
	TRY(close(fd));
	TRY(pipe(pipes));
	TRY(listen(pipes[0], 1));
	close_pair(pipes);

	section("a file closed by its stream, its number a socket");
	FILE *file = fopen("/dev/null", "r");
	fd = fileno(file);
	fclose(file);
	show_same("number", fd, TRY(socket(AF_INET, SOCK_STREAM, 0)));
	show_names("socket", fd);
	TRY(close(fd));

	section("sockets in quick succession");
	for (int i = 0; i < 1000; i++) {
		int client = connected_to(listener, SOCK_STREAM);
		int server = (int)MUST(accept(listener, NULL, NULL));

		if (local_port(client) != peer_port(server))
			printf("mixed up\n");
		MUST(dup2(listener, client));
		MUST(close(server));
		MUST(close(client));
	}
	make_pair(pair);
	show_names("last", pair[0]);
	return end();
}
