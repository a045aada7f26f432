/* SPDX-License-Identifier: MIT */
/* calls: sendmmsg recvmmsg */
/* Several messages a call, to and from several peers, and fds in them. */
#include <time.h>

#include "message.h"

enum { COUNT = 3 };

static struct message message[COUNT];
static struct mmsghdr batch[COUNT];

static struct mmsghdr *pack(void)
{
	int i;

	for (i = 0; i < COUNT; i++) {
		batch[i].msg_hdr = message[i].hdr;
		batch[i].msg_len = 0;
	}
	return batch;
}

static void show_batch(int n)
{
	int i;

	for (i = 0; i < n; i++) {
		message[i].hdr = batch[i].msg_hdr;
		printf("%d: length %u, ", i, batch[i].msg_len);
		message_show(&message[i]);
	}
}

static void receive(int fd, int flags)
{
	struct timespec patience = {.tv_sec = 5};
	int i;

	for (i = 0; i < COUNT; i++)
		message_in(&message[i]);
	show_batch((int)TRY(recvmmsg(fd, pack(), COUNT, flags, &patience)));
}

int main(void)
{
	int one = bound("127.0.0.1", SOCK_DGRAM), two = bound("127.0.0.1", SOCK_DGRAM), fd, pair[2];
	struct address to = local_of(one), next = local_of(two);
	struct timespec wrong = {.tv_nsec = -1};

	begin();
	section("to two peers");
	fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	message_out(&message[0], "first", &to);
	message_out(&message[1], "second", &next);
	message_out(&message[2], "third", &to);
	TRY(sendmmsg(fd, pack(), COUNT, 0));
	show_names("after", fd);
	printf("lengths %u %u %u\n", batch[0].msg_len, batch[1].msg_len, batch[2].msg_len);
	receive(one, MSG_WAITFORONE);
	receive(two, MSG_DONTWAIT);
	receive(two, MSG_DONTWAIT);

	section("the second of three fails");
	message_out(&message[0], "first", &to);
	message_out(&message[1], "second", &next);
	message[1].hdr.msg_namelen = 3;
	message_out(&message[2], "third", &to);
	TRY(sendmmsg(fd, pack(), COUNT, 0));
	show_poll("one", one);
	show_poll("two", two);

	section("refusals");
	TRY(sendmmsg(-1, pack(), COUNT, 0));
	TRY(sendmmsg(0, pack(), COUNT, 0));
	TRY(sendmmsg(fd, pack(), 0, 0));
	TRY(recvmmsg(-1, pack(), COUNT, 0, NULL));
	TRY(recvmmsg(0, pack(), COUNT, 0, NULL));
#ifdef __GLIBC__ /* musl looks into the messages itself */
	TRY(sendmmsg(fd, nowhere(), COUNT, 0));
	TRY(recvmmsg(two, nowhere(), COUNT, MSG_DONTWAIT, NULL));
	TRY(recvmmsg(two, pack(), COUNT, MSG_DONTWAIT, &wrong));
#else
	(void)wrong;
#endif

	section("fds in messages");
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	message_out(&message[0], "two fds", NULL);
	message_carry(&message[0], (int[]){one, two}, 2);
	message_out(&message[1], "none", NULL);
	message_out(&message[2], "one fd", NULL);
	message_carry(&message[2], &fd, 1);
	TRY(sendmmsg(pair[0], pack(), COUNT, 0));
	receive(pair[1], MSG_WAITFORONE | MSG_CMSG_CLOEXEC);
	return end();
}
