/* SPDX-License-Identifier: MIT */
/* move.c - a program that is moved does not know it: it runs bare at the ports that it
 * names, and under rules that move it from port ASKED to port REAL; both must print the
 * same. What the kernel knows is asked past the library. */
#include "moved.h"

/* ---- what is told, byte by byte ---- */

static void show_bytes(const char *label, const unsigned char *bytes, int n, socklen_t len)
{
	printf("%s: %d:", label, (int)len);
	for (int i = 0; i < n; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

typedef int name_call(int fd, struct sockaddr *addr, socklen_t *len);

/* Every size of buffer, and bad ones. */
static void show_told(const char *name, name_call *call, int fd)
{
	static const socklen_t sizes[] = {0, 1, 2, 3, 4, 8, 15, 16, 17, 27, 28, 29, 64};
	unsigned char bytes[64];
	socklen_t len;

	section(name);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		memset(bytes, 0xee, sizeof bytes);
		len = sizes[i];
		TRY(call(fd, (struct sockaddr *)bytes, &len));
		show_bytes("told", bytes, 32, len);
	}
	len = 64;
	TRY(call(fd, nowhere(), &len));
	TRY(call(fd, at_the_edge(8), &len));
	TRY(call(fd, NULL, &len));
	TRY(call(fd, (struct sockaddr *)bytes, NULL));
	TRY(call(fd, (struct sockaddr *)bytes, nowhere()));
	len = (socklen_t)-1;
	TRY(call(fd, (struct sockaddr *)bytes, &len));
	len = 0;
	TRY(call(fd, NULL, &len));
	TRY(call(-1, (struct sockaddr *)bytes, &len));
	TRY(call(0, (struct sockaddr *)bytes, &len));
}

/* ---- TCP ---- */

/* The port was used by the run before. */
static int reusing(int fd)
{
	MUST(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)));
	return fd;
}

/* bind and connect to ADDRESS:ASKED; a listener of ours is there, moved too. */
static void tcp(char **argv)
{
	struct address at, from = EMPTY_ADDRESS;
	const char *ip = argv[2], *really_ip = is_ruled() ? argv[3] : ip;
	int listener, fd, accepted, two;

	take_ports(argv);
	at = address_of(ip, asked);
	listener = reusing(tcp_socket(at.any.sa_family));
	TRY(bind(listener, AT(at)));
	show_told("getsockname, bound", getsockname, listener);
	TRY(listen(listener, 4));
	EXPECT(is_really(listener, really_ip, place()));
	fd = tcp_socket(at.any.sa_family);
	TRY(connect(fd, AT(at)));
	EXPECT(is_really_to(fd, really_ip, place()));
	show_told("getpeername", getpeername, fd);
	TRY_ANY(accepted = accept(listener, INTO(from)));
	if (strcmp(ip, really_ip) == 0) /* else it comes from where its family goes */
		EXPECT(is_at(&from, ip, local_port(fd)));
	show_told("getsockname, accepted", getsockname, accepted);
	EXPECT(port_of(&from) == local_port(fd) && peer_port(accepted) == local_port(fd));
	EXPECT(is_really(accepted, really_ip, place()));

	section("other names of the socket");
	two = dup(fd);
	EXPECT(is_told_to(two, ip, asked));
	MUST(dup2(fd, 60));
	EXPECT(is_told_to(60, ip, asked));
	EXPECT(is_told_to(fcntl(fd, F_DUPFD, 70), ip, asked));
	EXPECT(is_told(dup(listener), ip, asked));
	EXPECT(is_told(fcntl(accepted, F_DUPFD_CLOEXEC, 80), ip, asked));
	MUST(close(fd));
	EXPECT(is_told_to(two, ip, asked));

	section("the number goes to another socket");
	MUST(dup2(tcp_socket(at.any.sa_family), two));
	TRY(getpeername(two, INTO(from)));
	MUST(dup2(tcp_socket(at.any.sa_family), 60));
	show_names("another", 60);
	MUST(close(accepted));
	EXPECT(!is_told(tcp_socket(at.any.sa_family), ip, asked));
}

/* Non-blocking, to one who listens and to one who does not. */
static void waiting(char **argv)
{
	struct address to, nobody;
	int listener, fd, error;
	socklen_t len = sizeof error;

	take_ports(argv);
	listener = reusing(tcp_socket(AF_INET));
	to = address_of("127.0.0.1", place());
	MUST(bind(listener, AT(to)));
	MUST(listen(listener, 4));
	to = address_of("127.0.0.1", asked);
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	TRY(connect(fd, AT(to)));
	wait_for(fd, POLLOUT);
	show_poll("connected", fd);
	TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
	printf("error %d\n", error);
	EXPECT(is_told_to(fd, "127.0.0.1", asked) && is_really_to(fd, "127.0.0.1", place()));
	TRY(connect(fd, AT(to)));
	MUST(close(listener));

	nobody = to;
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	TRY(connect(fd, AT(nobody)));
	TRY(getpeername(fd, INTO(to)));
	wait_for(fd, POLLOUT);
	show_pending_error(fd);
	TRY(getpeername(fd, INTO(to)));
	fd = tcp_socket(AF_INET);
	TRY(connect(fd, AT(nobody)));
	TRY(getpeername(fd, INTO(to)));
}

/* A listener at 0.0.0.0 or :: that is moved to one address. */
static void everywhere(char **argv)
{
	const char *ip = argv[2], *really_ip = argv[3], *from = argv[4];
	struct address at = address_of(ip, port_argument(argv[0])), to;
	int listener = reusing(tcp_socket(at.any.sa_family)), fd;

	take_ports(argv);
	TRY(bind(listener, AT(at)));
	TRY(listen(listener, 4));
	EXPECT(is_told(listener, ip, asked));
	if (!is_ruled())
		return;
	EXPECT(is_really(listener, really_ip, real));
	to = address_of(from, real);
	fd = tcp_socket(to.any.sa_family);
	EXPECT(connect(fd, AT(to)) == 0);
	fd = accept(listener, NULL, NULL);
	EXPECT(fd >= 0 && local_port(fd) == asked);
}

/* The socket's family has no way there. */
static void no_way(char **argv)
{
	struct address to = address_of("127.0.0.1", port_argument(argv[0]));
	int fd = tcp_socket(AF_INET);

	EXPECT(bind(fd, AT(to)) == -1 && errno == EAFNOSUPPORT);
	EXPECT(connect(fd, AT(to)) == -1 && errno == EAFNOSUPPORT);
	EXPECT(sendto(udp_socket(AF_INET), "x", 1, 0, AT(to)) == -1 && errno == EAFNOSUPPORT);
	EXPECT(is_told(fd, "0.0.0.0", 0) && is_really(fd, "0.0.0.0", 0));
	to = address_of("127.0.0.1", 0);
	EXPECT(bind(fd, AT(to)) == 0);
}

/* To port 0 or to a range LOW-HIGH (within it, what the kernel says): told as asked. */
static void to_range(char **argv)
{
	int low = atoi(argv[1]), high = port_argument(argv[2]), n = high - low + 1, fd, port;
	struct address at = address_of("127.0.0.1", port_argument(argv[0]));
	char used[65536] = {0};

	for (int i = 0; i < (low ? n : 3); i++) {
		struct address is;

		fd = tcp_socket(AF_INET);
		EXPECT(bind(fd, AT(at)) == 0);
		is = really(SYS_getsockname, fd);
		port = port_of(&is);
		EXPECT(port >= low && port <= high && !used[port]);
		used[port] = 1;
		EXPECT(is_told(fd, "127.0.0.1", port_of(&at)));
		EXPECT(listen(fd, 1) == 0 && is_told(fd, "127.0.0.1", port_of(&at)));
	}
	fd = tcp_socket(AF_INET);
	if (low)
		EXPECT(bind(fd, AT(at)) == -1 && errno == EADDRINUSE && local_port(fd) == 0);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"tcp", tcp},       {"waiting", waiting},   {"everywhere", everywhere},
	        {"no-way", no_way}, {"to-range", to_range}, {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
