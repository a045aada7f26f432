/* SPDX-License-Identifier: MIT */
/* calls: sendmsg recvmsg */
/* Messages with addresses and with fds in them. */
#include "message.h"

static void udp(void)
{
	int sink = bound("127.0.0.1", SOCK_DGRAM), fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct address to = local_of(sink);
	struct message out, in;

	section("udp");
	message_out(&out, "hello", &to);
	TRY(sendmsg(fd, &out.hdr, 0));
	show_names("after the first message", fd);
	message_in(&in);
	TRY(recvmsg(sink, &in.hdr, 0));
	message_show(&in);
	show_same("peer's port", port_of(&in.peer), local_port(fd));
	message_out(&out, "hello", NULL);
	TRY(sendmsg(fd, &out.hdr, 0));
	message_out(&out, "truncated", &to);
	TRY(sendmsg(fd, &out.hdr, 0));
	message_in(&in);
	in.part.iov_len = 4;
	TRY(recvmsg(sink, &in.hdr, 0));
	message_show(&in);
	message_in(&in);
	in.hdr.msg_name = NULL;
	TRY(recvmsg(sink, &in.hdr, MSG_DONTWAIT));
	MUST(close(fd));
	MUST(close(sink));
}

/* musl reads and writes the message itself, so that a bad one is a crash. */
static void refusals(void)
{
	int sink = bound("127.0.0.1", SOCK_DGRAM), fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	struct address to = local_of(sink);
	struct message out, in;

	section("refusals");
	message_out(&out, "x", &to);
	message_in(&in);
	TRY(sendmsg(-1, &out.hdr, 0));
	TRY(sendmsg(0, &out.hdr, 0));
#ifdef __GLIBC__
	TRY(sendmsg(fd, nowhere(), 0));
	TRY(recvmsg(fd, nowhere(), MSG_DONTWAIT));
#endif
	TRY(recvmsg(-1, &in.hdr, 0));
	TRY(recvmsg(0, &in.hdr, 0));
	out.hdr.msg_name = nowhere();
	TRY(sendmsg(fd, &out.hdr, 0));
	message_out(&out, "x", &to);
	out.hdr.msg_iov = nowhere();
	TRY(sendmsg(fd, &out.hdr, 0));
#ifdef __GLIBC__
	message_out(&out, "x", &to);
	out.hdr.msg_control = nowhere();
	out.hdr.msg_controllen = 64;
	TRY(sendmsg(fd, &out.hdr, 0));
#endif
	message_out(&out, "x", &to);
	message_carry(&out, &fd, 1);
	TRY(sendmsg(fd, &out.hdr, 0));
	MUST(sendto(fd, "x", 1, 0, AT(to)));
	wait_for(sink, POLLIN);
	in.hdr.msg_name = nowhere();
	TRY(recvmsg(sink, &in.hdr, 0));
	MUST(close(fd));
	MUST(close(sink));
}

/* Send fds over channel, receive them with the room and flags given. */
static void pass(const char *label, const int channel[2], int *fds, int n, size_t room, int flags)
{
	struct message out, in;
	int got[MESSAGE_FDS + 8], i, count;

	section(label);
	message_out(&out, label, NULL);
	message_carry(&out, fds, n);
	TRY(sendmsg(channel[0], &out.hdr, 0));
	message_in(&in);
	in.hdr.msg_name = NULL;
	in.hdr.msg_namelen = 0;
	in.hdr.msg_controllen = room;
	TRY(recvmsg(channel[1], &in.hdr, flags));
	message_show(&in);
	count = message_fds(&in, got);
	for (i = 0; i < count; i++) {
		printf("close-on-exec %d\n", fcntl(got[i], F_GETFD));
		show_names("received", got[i]);
		TRY(close(got[i]));
	}
}

static void rights(void)
{
	int channel[2], pair[2], listener = listening("::1", 1), bad = 77;
	struct message out;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, channel));
	make_pair(pair);
	pass("one socket", channel, &listener, 1, 128, 0);
	pass("two sockets, close-on-exec", channel, pair, 2, 128, MSG_CMSG_CLOEXEC);
	pass("room for one", channel, pair, 2, CMSG_LEN(sizeof(int)), 0);
	pass("no room", channel, pair, 2, 0, 0);
	pass("not a socket", channel, &(int){0}, 1, 128, 0);
	section("a bad fd");
	message_out(&out, "x", NULL);
	message_carry(&out, &bad, 1);
	TRY(sendmsg(channel[0], &out.hdr, 0));

	section("kept alive in flight");
	message_out(&out, "x", NULL);
	message_carry(&out, pair, 1);
	TRY(sendmsg(channel[0], &out.hdr, 0));
	MUST(close(pair[0]));
	show_poll("the other side", pair[1]);
	close_pair(channel);
	wait_for(pair[1], POLLIN);
	show_poll("the other side", pair[1]);
	MUST(close(pair[1]));
	MUST(close(listener));
}

int main(void)
{
	begin();
	udp();
	refusals();
	rights();
	return end();
}
