/* SPDX-License-Identifier: MIT */
/* faults_connect - connects that fail, and what they leave behind. */
#include "faults.h"

/* How the error is told. */
static void ask_so_error(int fd, struct address to)
{
	char byte = 99;
	socklen_t len = 1;

	(void)to;
	TRY(getsockopt(fd, SOL_SOCKET, SO_TYPE, &byte, &len));
	see_error(fd);
}

static void ask_short(int fd, struct address to)
{
	unsigned char byte = 99;
	socklen_t len = 1;

	(void)to;
	TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &byte, &len));
	printf("SO_ERROR %s\n", error_name(byte));
}

static void ask_by_number(int fd, struct address to)
{
	int error = -1;
	socklen_t len = sizeof error;

	(void)to;
	MUST(syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, &error, &len));
	printf("SO_ERROR %s\n", error_name(error));
}

static void ask_dup(int fd, struct address to)
{
	int second = (int)MUST(dup(fd));

	(void)to;
	see_error(second);
	MUST(close(second));
}

static void ask_connect(int fd, struct address to)
{
	TRY(connect(fd, AT(to)));
}

static void ask_send(int fd, struct address to)
{
	(void)to;
	TRY(send(fd, "x", 1, 0));
}

static void ask_sendto(int fd, struct address to)
{
	(void)to;
	TRY(sendto(fd, "x", 1, 0, NULL, 0));
}

static void ask_write(int fd, struct address to)
{
	(void)to;
	TRY(write(fd, "x", 1));
}

static void ask_writev(int fd, struct address to)
{
	struct iovec part = {(char[]){"x"}, 1};

	(void)to;
	TRY(writev(fd, &part, 1));
}

static void ask_sendmsg(int fd, struct address to)
{
	struct iovec part = {(char[]){"x"}, 1};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

	(void)to;
	TRY(sendmsg(fd, &msg, 0));
}

static void ask_sendfile(int fd, struct address to)
{
	int file = (int)MUST(open("/proc/self/exe", O_RDONLY));

	(void)to;
	TRY(sendfile(fd, file, NULL, 1));
	MUST(close(file));
}

static void ask_recv(int fd, struct address to)
{
	char buf[4];

	(void)to;
	TRY(recv(fd, buf, sizeof buf, 0));
}

static void ask_recvfrom(int fd, struct address to)
{
	char buf[4];

	(void)to;
	TRY(recvfrom(fd, buf, sizeof buf, 0, NULL, NULL));
}

static void ask_read(int fd, struct address to)
{
	char buf[4];

	(void)to;
	TRY(read(fd, buf, sizeof buf));
}

static void ask_readv(int fd, struct address to)
{
	char buf[4];
	struct iovec part = {buf, sizeof buf};

	(void)to;
	TRY(readv(fd, &part, 1));
}

static void ask_recvmsg(int fd, struct address to)
{
	char buf[4];
	struct iovec part = {buf, sizeof buf};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};

	(void)to;
	TRY(recvmsg(fd, &msg, 0));
}

static const struct {
	const char *name;
	void (*ask)(int fd, struct address to);
} asks[] = {
        {"SO_ERROR", ask_so_error}, {"short", ask_short},       {"syscall", ask_by_number},
        {"connect", ask_connect},   {"send", ask_send},         {"sendto", ask_sendto},
        {"write", ask_write},       {"writev", ask_writev},     {"sendmsg", ask_sendmsg},
        {"recv", ask_recv},         {"recvfrom", ask_recvfrom}, {"read", ask_read},
        {"readv", ask_readv},       {"recvmsg", ask_recvmsg},   {"sendfile", ask_sendfile},
        {"dup", ask_dup},
};

enum { ASKS = sizeof asks / sizeof asks[0] };

/* Somebody who listens, and an address where connects are to fail: bare one where nobody
 * does, by argument another. */
static struct address good, bad;
static int listener, place;

static void prepare(char **argv, const char *ip)
{
	listener = (int)MUST(tcp_socket(strchr(ip, ':') ? AF_INET6 : AF_INET));
	good = address_of(ip, 0);
	MUST(bind(listener, AT(good)));
	MUST(listen(listener, 64));
	good = local_of(listener);
	place = (int)MUST(tcp_socket(strchr(ip, ':') ? AF_INET6 : AF_INET));
	bad = address_of(ip, port_argument(argv[0]));
	MUST(setsockopt(place, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)));
	MUST(bind(place, AT(bad)));
	if (is_ruled())
		MUST(listen(place, 64));
}

/* In the end it connects elsewhere. */
static void goes_on(int fd, struct address to)
{
	int flags = (int)MUST(fcntl(fd, F_GETFL)), error = 0;

	MUST(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
	if (connect(fd, AT(to)) != 0)
		error = errno;
	if (error)
		printf("first %s\n", error_name(error));
	if (error)
		TRY(connect(fd, AT(to)));
	MUST(fcntl(fd, F_SETFL, flags));
	see(fd);
	see_error(fd);
}

static void fails_at_once(int fd, struct address to)
{
	watch(fd);
	TRY(connect(fd, AT(to)));
	see(fd);
	see_error(fd);
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	TRY(recv(fd, (char[1]){0}, 1, 0));
	TRY(connect(fd, AT(to)));
	goes_on(fd, good);
	unwatch();
	MUST(close(fd));
}

static void fails_later(int fd, struct address to, int how)
{
	section(asks[how].name);
	watch(fd);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	TRY(connect(fd, AT(to)));
	printf("epoll %x, ", events_of(epolls[0], PATIENCE_MS));
	printf("edge %x\n", events_of(epolls[1], PATIENCE_MS));
	see(fd);
	asks[how].ask(fd, to);
	see(fd);
	see_error(fd);
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	TRY(recv(fd, (char[1]){0}, 1, 0));
	goes_on(fd, good);
	unwatch();
	MUST(close(fd));
}

static void connect_at_once(char **argv)
{
	prepare(argv, "127.0.0.1");
	fails_at_once(tcp_socket(AF_INET), bad);
}

static void connect_later(char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	prepare(argv, "127.0.0.1");
	for (int i = 0; i < ASKS; i++)
		fails_later(tcp_socket(AF_INET), bad, i);
}

static void connect_six(char **argv)
{
	struct address mapped;

	prepare(argv, "::1");
	fails_later(tcp_socket(AF_INET6), bad, 0);
	fails_at_once(tcp_socket(AF_INET6), bad);
	MUST(close(listener));
	MUST(close(place));
	prepare(argv, "127.0.0.1");
	mapped = address_of("::ffff:127.0.0.1", ntohs(bad.in.sin_port));
	good = address_of("::ffff:127.0.0.1", ntohs(good.in.sin_port));
	fails_later(tcp_socket(AF_INET6), mapped, 0);
	fails_at_once(tcp_socket(AF_INET6), mapped);
}

/* From an address and port of its own, which stay. */
static void connect_bound(char **argv)
{
	struct address own = address_of("127.0.0.3", 0);
	int fd;

	prepare(argv, "127.0.0.1");
	for (int i = 0; i < 2; i++) {
		fd = tcp_socket(AF_INET);
		MUST(bind(fd, AT(own)));
		if (i)
			fails_later(fd, bad, 0);
		else
			fails_at_once(fd, bad);
	}
}

/* Fast open: the address comes with the first bytes. */
static void connect_fast_open(char **argv)
{
	int fd;

	prepare(argv, "127.0.0.1");
	for (int i = 0; i < 2; i++) {
		fd = tcp_socket(AF_INET);
		if (i)
			MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
		watch(fd);
		TRY(sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, AT(bad)));
		see(fd);
		see_error(fd);
		goes_on(fd, good);
		unwatch();
		MUST(close(fd));
	}
}

/* A child inherits what is to come. */
static void connect_in_child(char **argv)
{
	int fd, status;
	pid_t child;

	prepare(argv, "127.0.0.1");
	fd = tcp_socket(AF_INET);
	MUST(fcntl(fd, F_SETFL, O_NONBLOCK));
	TRY(connect(fd, AT(bad)));
	child = (pid_t)MUST(fork());
	if (child == 0) {
		watch(fd);
		see(fd);
		see_error(fd);
		_exit(0);
	}
	MUST(waitpid(child, &status, 0));
}

/* Nothing comes back: the peer's queue is full. */
static void connect_silence(char **argv)
{
	static const int hows[] = {0, 1, 2, 3, 4, 9, 15};
	int fd, filler[4], syns = 1, limit = 500;

	(void)argv;
	prepare(argv, "127.0.0.1");
	MUST(listen(place, 0));
	for (int i = 0; i < 4 && !is_ruled(); i++) {
		filler[i] = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		connect(filler[i], AT(bad));
	}
	for (int i = 0; i < 8; i++) {
		fd = tcp_socket(AF_INET);
		MUST(setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &syns, sizeof syns));
		MUST(setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit));
		if (i < 7) {
			fails_later(fd, bad, hows[i]);
			continue;
		}
		watch(fd);
		TRY(connect(fd, AT(bad)));
		see(fd);
		goes_on(fd, good);
	}
}

/* To an address given: ADDRESS PORT, at once or later. */
static void connect_to(char **argv)
{
	struct address to = address_of(argv[0], port_argument(argv[1]));
	int fd = (int)MUST(tcp_socket(strchr(argv[0], ':') ? AF_INET6 : AF_INET));
	int flags = argv[2] ? O_NONBLOCK : 0;

	watch(fd);
	MUST(fcntl(fd, F_SETFL, flags));
	TRY(connect(fd, AT(to)));
	if (flags && errno == EINPROGRESS)
		events_of(epolls[1], PATIENCE_MS);
	see(fd);
	see_error(fd);
	see(fd);
	TRY(send(fd, "x", 1, MSG_NOSIGNAL));
	TRY(recv(fd, (char[1]){0}, 1, 0));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"at-once", connect_at_once},
	        {"later", connect_later},
	        {"six", connect_six},
	        {"bound", connect_bound},
	        {"child", connect_in_child},
	        {"fast-open", connect_fast_open},
	        {"silence", connect_silence},
	        {"connect-to", connect_to},
	        {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
