/* SPDX-License-Identifier: MIT */
/* travel.c - a moved socket on its way: to a child, to the program after exec, to another
 * process by SCM_RIGHTS. And packets that are moved. Run as in move.c. */
#include "moved.h"

/* ---- TCP sockets that go to others ---- */

struct moved {
	int listener, client, accepted;
};

static struct moved make_moved(void)
{
	struct address at = address_of("127.0.0.1", asked);
	struct moved moved = {.listener = tcp_socket(AF_INET), .client = tcp_socket(AF_INET)};

	MUST(setsockopt(moved.listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)));
	MUST(bind(moved.listener, AT(at)));
	MUST(listen(moved.listener, 4));
	MUST(connect(moved.client, AT(at)));
	moved.accepted = (int)MUST(accept(moved.listener, NULL, NULL));
	return moved;
}

static void check_moved(const struct moved *moved)
{
	struct address at = address_of("127.0.0.1", asked);
	int fd = tcp_socket(AF_INET);

	EXPECT(is_told(moved->listener, "127.0.0.1", asked));
	EXPECT(is_told(moved->accepted, "127.0.0.1", asked));
	EXPECT(is_told_to(moved->client, "127.0.0.1", asked));
	EXPECT(is_really(moved->listener, "127.0.0.1", place()));
	EXPECT(is_really_to(moved->client, "127.0.0.1", place()));
	EXPECT(connect(fd, AT(at)) == 0); /* what a new one meets is the same */
	fd = accept(moved->listener, NULL, NULL);
	EXPECT(is_told(fd, "127.0.0.1", asked));
	close(fd);
}

static struct moved moved_argument(char **argv)
{
	take_ports(argv);
	return (struct moved){atoi(argv[2]), atoi(argv[3]), atoi(argv[4])};
}

/* After exec. */
static void arrived(char **argv)
{
	struct moved moved = moved_argument(argv);

	check_moved(&moved);
	printf("arrived\n");
}

/* After exec: sends them to another process. */
static void posted(char **argv)
{
	struct moved moved = moved_argument(argv);
	struct message m;

	check_moved(&moved);
	message_out(&m, "x", NULL);
	message_carry(&m, &moved.listener, 3);
	MUST(sendmsg(atoi(argv[5]), &m.hdr, 0));
}

static void start(const char *part, const struct moved *moved, char **argv, int fd)
{
	char number[4][12];
	char *words[] = {"travel",  (char *)part, argv[0],   argv[1], number[0],
	                 number[1], number[2],    number[3], NULL};
	char *empty[] = {is_ruled() ? "RULED=1" : NULL, NULL};
	const int fds[] = {moved->listener, moved->client, moved->accepted, fd};
	pid_t pid;

	for (int i = 0; i < 4; i++)
		snprintf(number[i], sizeof number[i], "%d", fds[i]);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		execve("/proc/self/exe", words, empty);
		_exit(98);
	}
	show_child(part, pid);
}

static void sockets(char **argv)
{
	struct moved moved, came;
	struct message m;
	int pair[2];
	pid_t pid;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	take_ports(argv);
	pid = fork();
	if (pid == 0) { /* forked before anything was moved */
		message_in(&m);
		MUST(recvmsg(pair[1], &m.hdr, 0));
		MUST(message_fds(&m, &came.listener) == 3 ? 0 : -1);
		check_moved(&came);
		message_in(&m);
		MUST(recvmsg(pair[1], &m.hdr, 0));
		MUST(message_fds(&m, &came.listener) == 3 ? 0 : -1);
		check_moved(&came);
		exit(0);
	}
	moved = make_moved();
	check_moved(&moved);
	message_out(&m, "x", NULL);
	message_carry(&m, &moved.listener, 3);
	MUST(sendmsg(pair[0], &m.hdr, 0));
	start("arrived", &moved, argv, 0);
	start("posted", &moved, argv, pair[0]);
	show_child("other", pid);
	pid = fork();
	if (pid == 0) {
		check_moved(&moved);
		exit(0);
	}
	show_child("forked", pid);
}

/* ---- packets ---- */

/* A server at REAL answers; it is asked at ASKED. */
static void packets(char **argv)
{
	struct address at, to, from;
	int server, fd = udp_socket(AF_INET);
	struct message m;
	struct mmsghdr many[2];
	struct message one[2];
	unsigned char bytes[64];
	char byte;

	take_ports(argv);
	to = address_of("127.0.0.1", asked);
	at = address_of("127.0.0.1", place());
	server = bound_at("127.0.0.1", place(), SOCK_DGRAM);

	section("recvfrom");
	TRY(sendto(fd, "x", 1, 0, AT(to)));
	from = EMPTY_ADDRESS;
	TRY(recvfrom(server, &byte, 1, 0, INTO(from)));
	for (int i = 0; i < 8; i++)
		MUST(sendto(server, "y", 1, 0, AT(from)));
	for (socklen_t len = 0; len < 40; len += 16) {
		socklen_t room = len;

		memset(bytes, 0xee, sizeof bytes);
		TRY(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)bytes, &room));
		printf("room %d, %d: %02x %02x%02x\n", (int)len, (int)room, bytes[0], bytes[2],
		       bytes[3]);
		EXPECT(bytes[len < 16 ? len : 16] == 0xee);
	}
	TRY(recvfrom(fd, &byte, 1, 0, NULL, NULL));
	at = EMPTY_ADDRESS;
	TRY(recvfrom(fd, &byte, 1, MSG_PEEK, INTO(at)));
	EXPECT(is_at(&at, "127.0.0.1", asked));

	section("recvmsg, recvmmsg");
	message_in(&m);
	TRY(recvmsg(fd, &m.hdr, 0));
	EXPECT(is_at(&(struct address){.len = m.hdr.msg_namelen, .in = m.peer.in}, "127.0.0.1",
	             asked));
	message_in(&m);
	m.hdr.msg_name = NULL;
	m.hdr.msg_namelen = 0;
	TRY(recvmsg(fd, &m.hdr, 0));
	for (int i = 0; i < 2; i++) {
		message_in(&one[i]);
		many[i].msg_hdr = one[i].hdr;
	}
	TRY(recvmmsg(fd, many, 2, MSG_DONTWAIT, NULL));
	printf("%d %d\n", (int)many[0].msg_hdr.msg_namelen, (int)many[1].msg_hdr.msg_namelen);
	EXPECT(ntohs(one[0].peer.in.sin_port) == asked);
	EXPECT(ntohs(one[1].peer.in.sin_port) == asked);
	TRY(recv(fd, &byte, 1, MSG_DONTWAIT));

	section("connected");
	TRY(connect(fd, AT(to)));
	EXPECT(is_told_to(fd, "127.0.0.1", asked));
	EXPECT(is_really_to(fd, "127.0.0.1", place()));
	TRY(send(fd, "x", 1, 0));
	from = EMPTY_ADDRESS;
	TRY(recvfrom(server, &byte, 1, 0, INTO(from)));
	MUST(sendto(server, "y", 1, 0, AT(from)));
	at = EMPTY_ADDRESS;
	TRY(recvfrom(fd, &byte, 1, 0, INTO(at)));
	EXPECT(is_at(&at, "127.0.0.1", asked));

	section("connected elsewhere, and dissolved");
	at = local_of(server = bound("127.0.0.1", SOCK_DGRAM));
	TRY(connect(fd, AT(at)));
	EXPECT(is_told_to(fd, "127.0.0.1", port_of(&at)));
	MUST(sendto(server, "y", 1, 0, AT(from)));
	from = EMPTY_ADDRESS;
	TRY(recvfrom(fd, &byte, 1, 0, INTO(from)));
	EXPECT(is_at(&from, "127.0.0.1", port_of(&at)));
	TRY(connect(fd, AT(to)));
	EXPECT(is_told_to(fd, "127.0.0.1", asked));
	at.any.sa_family = AF_UNSPEC;
	TRY(connect(fd, AT(at)));
	TRY(getpeername(fd, INTO(at)));
	TRY(connect(fd, AT(to)));
	EXPECT(is_told_to(fd, "127.0.0.1", asked));
}

/* Under: move send,connect of two ports to REAL. Who was asked last is who answers. */
static void many_to_one(char **argv)
{
	int server, fd = udp_socket(AF_INET), other = udp_socket(AF_INET), asked_too;
	struct address one, two, from, got;
	char byte;

	take_ports(argv);
	asked_too = port_argument(argv[2]);
	server = bound_at("127.0.0.1", real, SOCK_DGRAM);
	one = address_of("127.0.0.1", asked);
	two = address_of("127.0.0.9", asked_too);
	for (int i = 0; i < 6; i++) {
		struct address to = i % 2 ? one : two;

		EXPECT(sendto(fd, "x", 1, 0, AT(to)) == 1);
		EXPECT(sendto(other, "x", 1, 0, AT(one)) == 1);
		from = EMPTY_ADDRESS;
		MUST(recvfrom(server, &byte, 1, 0, INTO(from)));
		MUST(sendto(server, "y", 1, 0, AT(from)));
		from = EMPTY_ADDRESS;
		MUST(recvfrom(server, &byte, 1, 0, INTO(from)));
		MUST(sendto(server, "y", 1, 0, AT(from)));
		got = EMPTY_ADDRESS;
		MUST(recvfrom(fd, &byte, 1, 0, INTO(got)));
		EXPECT(memcmp(&got.in, &to.in, sizeof to.in) == 0);
		got = EMPTY_ADDRESS;
		MUST(recvfrom(other, &byte, 1, 0, INTO(got)));
		EXPECT(memcmp(&got.in, &one.in, sizeof one.in) == 0);
	}
	MUST(close(other)); /* its number goes to one that never asked */
	other = (int)MUST(dup2(udp_socket(AF_INET), other));
	one = address_of("127.0.0.1", real);
	MUST(sendto(other, "x", 1, 0, AT(one)));
	from = EMPTY_ADDRESS;
	MUST(recvfrom(server, &byte, 1, 0, INTO(from)));
	MUST(sendto(server, "y", 1, 0, AT(from)));
	got = EMPTY_ADDRESS;
	MUST(recvfrom(other, &byte, 1, 0, INTO(got)));
	EXPECT(is_at(&got, "127.0.0.1", real));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"sockets", sockets}, {"arrived", arrived},         {"posted", posted},
	        {"packets", packets}, {"many-to-one", many_to_one}, {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
