/* SPDX-License-Identifier: MIT */
/* faults_bytes - sends and receives that fail, and what they leave behind. */
#include <limits.h>

#include "faults.h"

static int me, peer;

static void caught(int number)
{
	(void)number;
	if (write(STDOUT_FILENO, "SIGPIPE\n", 8) != 8)
		abort();
}

static void make_ends(int side)
{
	int pair[2];

	make_pair(pair);
	me = pair[side];
	peer = pair[1 - side];
	watch(me);
	events_of(epolls[1], 0); /* that it may send is no news */
}

static void end_ends(void)
{
	unwatch();
	MUST(close(me));
	if (peer >= 0)
		MUST(close(peer));
}

/* ---- every call ---- */

static struct iovec part = {(char[]){"x"}, 1};

static void by_send(int flags)
{
	TRY(send(me, "x", 1, flags));
}

static void by_sendto(int flags)
{
	TRY(sendto(me, "x", 1, flags, NULL, 0));
}

static void by_sendmsg(int flags)
{
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

	TRY(sendmsg(me, &msg, flags));
}

static void by_sendmmsg(int flags)
{
	struct mmsghdr msg = {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}};

	TRY(sendmmsg(me, &msg, 1, flags));
}

static void by_write(int flags)
{
	(void)flags;
	TRY(write(me, "x", 1));
}

static void by_writev(int flags)
{
	(void)flags;
	TRY(writev(me, &part, 1));
}

static void by_sendfile(int flags)
{
	int file = (int)MUST(open("/proc/self/exe", O_RDONLY));

	(void)flags;
	TRY(sendfile(me, file, NULL, 1));
	MUST(close(file));
}

static void by_syscall(int flags)
{
	TRY(syscall(SYS_sendto, me, "x", 1, flags, NULL, 0));
}

static void by_syscall_write(int flags)
{
	(void)flags;
	TRY(syscall(SYS_write, me, "x", 1));
}

static void by_recv(int flags)
{
	char buf[4];

	TRY(recv(me, buf, sizeof buf, flags));
}

static void by_recvfrom(int flags)
{
	char buf[4];

	TRY(recvfrom(me, buf, sizeof buf, flags, NULL, NULL));
}

static void by_recvmsg(int flags)
{
	char buf[4];
	struct iovec in = {buf, sizeof buf};
	struct msghdr msg = {.msg_iov = &in, .msg_iovlen = 1};

	TRY(recvmsg(me, &msg, flags));
}

static void by_recvmmsg(int flags)
{
	char buf[4];
	struct iovec in = {buf, sizeof buf};
	struct mmsghdr msg = {.msg_hdr = {.msg_iov = &in, .msg_iovlen = 1}};

	TRY(recvmmsg(me, &msg, 1, flags, NULL));
}

static void by_read(int flags)
{
	char buf[4];

	(void)flags;
	TRY(read(me, buf, sizeof buf));
}

static void by_readv(int flags)
{
	char buf[4];
	struct iovec in = {buf, sizeof buf};

	(void)flags;
	TRY(readv(me, &in, 1));
}

static void by_syscall_read(int flags)
{
	char buf[4];

	(void)flags;
	TRY(syscall(SYS_read, me, buf, sizeof buf));
}

typedef void (*way)(int flags);

static const way sends[] = {by_send,   by_sendto,   by_sendmsg, by_sendmmsg,     by_write,
                            by_writev, by_sendfile, by_syscall, by_syscall_write};
static const way receives[] = {by_recv, by_recvfrom, by_recvmsg,     by_recvmmsg,
                               by_read, by_readv,    by_syscall_read};

enum { SENDS = sizeof sends / sizeof sends[0], RECEIVES = sizeof receives / sizeof receives[0] };

/* ---- the connection is gone ---- */

/* Bare, the peer resets. */
static void break_off(void)
{
	struct linger at_once = {1, 0};

	if (is_ruled())
		return;
	MUST(setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
	MUST(close(peer));
	peer = -1;
	events_of(epolls[0], PATIENCE_MS);
}

/* Everything that is left to be seen. */
static void see_the_end(struct address own)
{
	struct address now = EMPTY_ADDRESS;

	see(me);
	see_error(me);
	by_recv(0);
	by_send(0);
	by_send(MSG_NOSIGNAL);
	by_read(0);
	TRY(shutdown(me, SHUT_WR));
	TRY(listen(me, 1));
	MUST(getsockname(me, INTO(now)));
	show_same("getsockname", memcmp(&now, &own, own.len) == 0, 1);
	TRY(connect(me, AT(own)));
	TRY(connect(me, &own.any, 1));
	see(me);
	TRY(dup2(me, me));
}

/* Under the rule the peer is still there, and learns of it. */
static void see_peer(int error)
{
	char byte;

	if (!is_ruled())
		return;
	EXPECT(recv(peer, &byte, 1, 0) == -1 && errno == error);
	EXPECT(send(peer, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
}

static void reset_by(way fails, int side, int flags)
{
	struct address own;

	make_ends(side);
	own = local_of(me);
	break_off();
	fails(flags);
	see_the_end(own);
	see_peer(ECONNRESET);
	end_ends();
}

static void reset_send(char **argv)
{
	(void)argv;
	signal(SIGPIPE, caught);
	for (int i = 0; i < SENDS; i++)
		reset_by(sends[i], i % 2, 0);
	reset_by(by_send, 0, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void reset_recv(char **argv)
{
	(void)argv;
	signal(SIGPIPE, caught);
	for (int i = 0; i < RECEIVES; i++)
		reset_by(receives[i], i % 2, 0);
	reset_by(by_recv, 0, MSG_DONTWAIT);
	reset_by(by_recv, 0, MSG_PEEK);
}

/* Bare, nothing comes back any more: it runs in a network of its own. */
static void lose(void)
{
	int limit = 500;

	if (is_ruled())
		return;
	MUST(setsockopt(me, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit));
	MUST(system("ip link set lo down"));
	MUST(syscall(SYS_sendto, me, "x", 1, 0, NULL, 0));
	while (!(events_of(epolls[1], PATIENCE_MS) & EPOLLERR))
		;
	MUST(system("ip link set lo up"));
}

static void lost(char **argv)
{
	struct address own;

	(void)argv;
	signal(SIGPIPE, caught);
	for (int i = 0; i < 2; i++) {
		make_ends(i);
		own = local_of(me);
		lose();
		if (i)
			by_send(0);
		else
			by_recv(0);
		events_of(epolls[1], 0); /* under the rule the end is news */
		see_the_end(own);
		end_ends();
	}
}

/* The peer has closed, and what was sent to it was answered by a reset. */
static void hang_up(void)
{
	char bytes[4];

	if (is_ruled())
		return;
	MUST(close(peer));
	peer = -1;
	wait_for(me, POLLIN);
	MUST(recv(me, bytes, sizeof bytes, 0));
	MUST(syscall(SYS_sendto, me, "x", 1, 0, NULL, 0));
	events_of(epolls[1], 0);
}

static void pipe_by(way fails, int flags)
{
	make_ends(0);
	hang_up();
	fails(flags);
	events_of(epolls[1], 0); /* under the rule the end is news */
	see(me);
	see_error(me);
	by_recv(0);
	by_send(MSG_NOSIGNAL);
	see_peer(ECONNRESET);
	end_ends();
}

static void broken_pipe(char **argv)
{
	(void)argv;
	signal(SIGPIPE, caught);
	for (int i = 0; i < SENDS; i++)
		pipe_by(sends[i], 0);
	pipe_by(by_send, MSG_NOSIGNAL);
	pipe_by(by_sendmsg, MSG_NOSIGNAL);
	pipe_by(by_sendmmsg, MSG_NOSIGNAL);
}

/* With no handler the signal ends the program. */
static void broken_pipe_ends(char **argv)
{
	(void)argv;
	make_ends(0);
	hang_up();
	by_write(0);
	printf("it goes on\n");
}

/* ---- unix ---- */

static void broken_unix(char **argv)
{
	int pair[2];
	char buf[4];

	(void)argv;
	signal(SIGPIPE, caught);
	for (int i = 0; i < 2; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		watch(pair[0]);
		if (!is_ruled())
			MUST(close(pair[1]));
		TRY(send(pair[0], "x", 1, i ? MSG_NOSIGNAL : 0));
		printf("poll epoll %x\n", events_of(epolls[0], 0));
		TRY(recv(pair[0], buf, 1, 0));
		TRY(send(pair[0], "x", 1, MSG_NOSIGNAL));
		if (is_ruled())
			EXPECT(recv(pair[1], buf, 1, 0) == 0);
		unwatch();
		MUST(close(pair[0]));
	}
}

/* ---- the connection stays ---- */

/* Bare, there is nothing to be read, or no room to send. */
static void not_now(char **argv)
{
	char buf[4];

	(void)argv;
	for (int i = 0; i < RECEIVES; i++) {
		make_ends(0);
		MUST(fcntl(me, F_SETFL, O_NONBLOCK));
		if (is_ruled()) {
			MUST(send(peer, "y", 1, 0));
			wait_for(me, POLLIN);
		}
		receives[i](0);
		if (!is_ruled())
			MUST(send(peer, "y", 1, 0));
		wait_for(me, POLLIN);
		see(me);
		TRY(recv(me, buf, sizeof buf, 0)); /* nothing was lost */
		end_ends();
	}
}

/* What the kernel says first. Under the rule each send and recv would fail. */
static void order(char **argv)
{
	int fd = (int)MUST(tcp_socket(AF_INET)), listener = listening("127.0.0.1", 1);
	int file = (int)MUST(open("/dev/null", O_RDWR));
	int udp = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));
	int local = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	struct address to = local_of(listener);
	char buf[4];

	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 5; i++) {
		int ends[] = {-1, file, fd, listener, local};

		TRY(send(ends[i], "x", 1, 0));
		TRY(recv(ends[i], buf, 1, MSG_DONTWAIT));
		TRY(read(ends[i], buf, 1));
		TRY(write(ends[i], "x", 1));
	}
	TRY(send(udp, "x", 1, 0));
	TRY(sendmsg(udp, (void *)nowhere(), 0));
	TRY(recvmsg(udp, (void *)nowhere(), MSG_DONTWAIT));
	make_ends(0);
	TRY(read(me, buf, 0));
	TRY(sendmsg(me, (void *)nowhere(), 0));
	TRY(recvmsg(me, (void *)nowhere(), 0));
	TRY(sendto(udp, "x", 1, 0, (void *)nowhere(), to.len));
	MUST(shutdown(me, SHUT_WR));
	by_send(0);
	by_write(0);
	TRY(accept4(listener, NULL, NULL, 4711));
	TRY(accept(fd, NULL, NULL));
	TRY(accept(-1, NULL, NULL));
	TRY(accept(file, NULL, NULL));
	TRY(bind(me, AT(to)));
	TRY(bind(-1, AT(to)));
	TRY(bind(fd, &to.any, 3));
	TRY(listen(udp, 1));
	TRY(listen(-1, 1));
	TRY(socket(AF_INET, 4711, 0));
	TRY(socket(4711, SOCK_STREAM, 0));
	TRY(socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0}));
	TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)nowhere()));
	TRY(connect(me, AT(to)));
	TRY(connect(listener, AT(to)));
	TRY(connect(-1, AT(to)));
	TRY(connect(fd, &to.any, 3));
	TRY(connect(fd, (void *)nowhere(), to.len));
	TRY(close(-1));
	TRY(close(4711));
}

/* Each message of sendmmsg and recvmmsg is one. */
static void messages(char **argv)
{
	struct timespec for_ever = {.tv_sec = LONG_MAX, .tv_nsec = 999999999};
	struct mmsghdr msg[5];
	int in = bound("127.0.0.1", SOCK_DGRAM), out = connected_to(in, SOCK_DGRAM);

	(void)argv;
	memset(msg, 0, sizeof msg);
	for (int i = 0; i < 5; i++)
		msg[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
	TRY(sendmmsg(out, msg, 5, 0));
	TRY(sendmmsg(out, msg, 3, 0));
	TRY(recvmmsg(in, msg, 5, MSG_DONTWAIT, NULL));
	TRY(recvmmsg(in, msg, 5, MSG_WAITFORONE, NULL));
	TRY(recvmmsg(in, msg, 5, MSG_DONTWAIT, NULL));
	TRY(recvmmsg(in, msg, 5, MSG_DONTWAIT, (void *)nowhere()));
	TRY(sendmmsg(out, msg, 3, 0));
	TRY(recvmmsg(in, msg, 3, 0, &for_ever));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"reset-send", reset_send},
	        {"reset-recv", reset_recv},
	        {"pipe", broken_pipe},
	        {"pipe-ends", broken_pipe_ends},
	        {"lost", lost},
	        {"unix", broken_unix},
	        {"not-now", not_now},
	        {"order", order},
	        {"messages", messages},
	        {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
