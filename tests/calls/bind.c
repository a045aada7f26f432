/* SPDX-License-Identifier: MIT */
/* calls: bind */
/* Which addresses a socket may take, and in which order bind complains. */
#include "observe.h"

/* A port that nobody has with IPv4: one that the kernel gives to one address, or to IPv6
 * alone, may be in use elsewhere. */
static int free_port(void)
{
	int four = (int)MUST(socket(AF_INET, SOCK_STREAM, 0)), port;
	struct address any = address_of("0.0.0.0", 0);

	MUST(bind(four, AT(any)));
	port = local_port(four);
	MUST(close(four));
	return port;
}

/* Bind, and listen on if asked, two sockets to one port with an option. */
static void conflict(const char *label, const char *first, const char *second, int type, int option,
                     int backlog)
{
	int a = (int)MUST(socket(AF_INET, type, 0)), b = (int)MUST(socket(AF_INET, type, 0));
	struct address to = address_of(first, strcmp(second, "127.0.0.2") == 0 ? free_port() : 0);

	section(label);
	if (option) {
		MUST(setsockopt(a, SOL_SOCKET, option, &(int){1}, sizeof(int)));
		MUST(setsockopt(b, SOL_SOCKET, option, &(int){1}, sizeof(int)));
	}
	TRY(bind(a, AT(to)));
	if (backlog)
		TRY(listen(a, backlog));
	to = address_of(second, local_port(a));
	TRY(bind(b, AT(to)));
	show_names("second", b);
	if (type == SOCK_STREAM)
		TRY(listen(b, 1));
	MUST(close(a));
	MUST(close(b));
}

static void conflicts(void)
{
	static const int option[] = {0, SO_REUSEADDR, SO_REUSEPORT};
	char label[64];
	size_t i;

	for (i = 0; i < sizeof option / sizeof option[0]; i++) {
		snprintf(label, sizeof label, "conflict, option %d", option[i]);
		conflict(label, "127.0.0.1", "127.0.0.1", SOCK_STREAM, option[i], 0);
		conflict("any address", "127.0.0.1", "0.0.0.0", SOCK_STREAM, option[i], 0);
		conflict("listening", "127.0.0.1", "127.0.0.1", SOCK_STREAM, option[i], 1);
		conflict("udp", "127.0.0.1", "127.0.0.1", SOCK_DGRAM, option[i], 0);
		conflict("other address", "127.0.0.1", "127.0.0.2", SOCK_STREAM, option[i], 0);
	}
}

static void six(int v6only)
{
	int six = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	int four = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	struct address to = address_of("::", free_port());

	MUST(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only));
	TRY(bind(six, AT(to)));
	to = address_of("0.0.0.0", local_port(six));
	TRY(bind(four, AT(to)));
	MUST(close(six));
	MUST(close(four));
}

static void refusals(void)
{
	int tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	int tcp6 = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0));
	struct address to = address_of("127.0.0.1", 0), to6 = address_of("::1", 0);
	struct address foreign = address_of("192.0.2.77", 0);

	TRY(bind(tcp, &to.any, 0));
	TRY(bind(tcp, &to.any, 2));
	TRY(bind(tcp, &to.any, sizeof to.in - 1));
	TRY(bind(tcp, &to.any, (socklen_t)-1));
	TRY(bind(tcp, &to.any, 129));
	TRY(bind(tcp, NULL, to.len));
	TRY(bind(tcp, nowhere(), to.len));
	TRY(bind(tcp, at_the_edge(8), to.len));
	TRY(bind(-1, AT(to)));
	TRY(bind(77, AT(to)));
	TRY(bind(0, AT(to)));
	TRY(bind(tcp, AT(to6)));
	TRY(bind(tcp6, AT(to)));
	TRY(bind(tcp6, &to6.any, 27));
	TRY(bind(tcp, AT(foreign)));
	to.any.sa_family = 12345;
	TRY(bind(tcp, AT(to)));
	show_names("after all that", tcp);
	MUST(close(tcp));
	MUST(close(tcp6));
}

static void at_page_end(void)
{
	struct address to = address_of("127.0.0.1", 0);
	struct sockaddr *edge = at_the_edge(to.len);
	int fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));

	section("an address at the end of a page, longer and unaligned ones");
	memcpy(edge, &to.in, to.len);
	TRY(bind(fd, edge, to.len));
	TRY(bind(fd, edge, to.len));
	show_names("bound", fd);
	MUST(close(fd));
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	TRY(bind(fd, &to.any, sizeof to.room));
	MUST(close(fd));
	fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	memcpy((char *)edge - 1, &to.in, to.len);
	TRY(bind(fd, (struct sockaddr *)((char *)edge - 1), to.len));
	show_names("unaligned", fd);
	MUST(close(fd));
}

static void privileged(void)
{
	struct address to = address_of("127.0.0.77", 877);
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0));

	section("a privileged port");
	TRY(bind(fd, AT(to)));
	MUST(close(fd));
}

static void unix_names(void)
{
	struct address name = address_of_unix("bind"),
	               unnamed = {.un.sun_family = AF_UNIX, .len = 2};
	int a = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)),
	    b = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	int c = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	section("unix");
	TRY(bind(a, AT(name)));
	TRY(bind(a, AT(name)));
	TRY(bind(c, AT(name)));
	TRY(bind(b, AT(name)));
	TRY(bind(c, AT(unnamed)));
	show_names("named", a);
	show_names("autobound", c);
	MUST(close(a));
	MUST(close(b));
	MUST(close(c));
}

int main(void)
{
	begin();
	conflicts();
	section("::, dual stack");
	six(0);
	section("::, IPV6_V6ONLY");
	six(1);
	section("refusals");
	refusals();
	at_page_end();
	privileged();
	unix_names();
	section("no fd left: no matter");
	int fd = bound("127.0.0.1", SOCK_STREAM),
	    other = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	struct address to = address_of("127.0.0.1", 0);

	fill_fds(16);
	TRY(bind(other, AT(to)));
	TRY(bind(fd, AT(to)));
	return end();
}
