/* SPDX-License-Identifier: MIT */
/* rights - sockets go to another process by SCM_RIGHTS and by exec; there they
 * are used and closed. */
#include "tests/calls/message.h"
#include "cycle.h"

/* The other process: take a socket out of the channel and use it. */
static int receive(int channel)
{
	struct message in;
	int fds[MESSAGE_FDS];
	struct address to;

	message_in(&in);
	MUST(recvmsg(channel, &in.hdr, 0));
	if (message_fds(&in, fds) != 2)
		return 91;
	to = local_of(fds[0]);
	MUST(write(fds[1], "x", 1));
	MUST(close(fds[1]));
	/* a listener, received: connect to it and accept here */
	int client = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));

	MUST(connect(client, AT(to)));
	MUST(close((int)MUST(accept(fds[0], NULL, NULL))));
	MUST(close(client));
	MUST(close(fds[0]));
	return 0;
}

static void send_to_child(void)
{
	int channel[2], pair[2], listener = listening("127.0.0.1", 4), fds[2];
	struct message out;
	pid_t pid;
	char c;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, channel));
	pid = fork(); /* before the sockets exist: they can come by message only */
	if (pid == 0) {
		child_begin();
		MUST(close(listener));
		_exit(receive(channel[1]));
	}
	make_pair(pair);
	fds[0] = listener;
	fds[1] = pair[0];
	message_out(&out, "take", NULL);
	message_carry(&out, fds, 2);
	MUST(sendmsg(channel[0], &out.hdr, 0));
	MUST(close(pair[0]));
	MUST(read(pair[1], &c, 1));
	MUST(close(pair[1]));
	show_child("receiver", pid);
	MUST(close(listener));
	close_pair(channel);
}

static void leave_to_exec(const char *self)
{
	char number[2][16], *const args[] = {"rights", number[0], number[1], NULL};
	int listener = listening("127.0.0.1", 4), fd;
	pid_t pid = fork();

	if (pid == 0) {
		child_begin();
		fd = connected_to(listener, SOCK_STREAM);
		snprintf(number[0], sizeof number[0], "%d", listener);
		snprintf(number[1], sizeof number[1], "%d", fd);
		execv(self, args);
		_exit(1);
	}
	show_child("successor", pid);
	MUST(close(listener));
}

int main(int argc, char **argv)
{
	char self[4096] = "";

	begin();
	if (argc > 2) {
		MUST(close((int)MUST(accept(atoi(argv[1]), NULL, NULL))));
		MUST(write(atoi(argv[2]), "x", 1));
		MUST(close(atoi(argv[1])));
		MUST(close(atoi(argv[2])));
		return 0;
	}
	MUST(readlink("/proc/self/exe", self, sizeof self - 1));
	send_to_child();
	leave_to_exec(self);
	return end();
}
