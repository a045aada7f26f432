/* SPDX-License-Identifier: MIT */
/* calls: socket */
/* What socket() makes, and what it refuses, also when no fd is left. */
#include "observe.h"

static void kinds(void)
{
	section("kinds");
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, 0))));
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))));
	TRY(close(TRY(socket(AF_INET, SOCK_DGRAM, 0))));
	TRY(close(TRY(socket(AF_INET6, SOCK_STREAM, 0))));
	TRY(close(TRY(socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP))));
	TRY(close(TRY(socket(AF_UNIX, SOCK_STREAM, 0))));
	TRY(close(TRY(socket(AF_UNIX, SOCK_DGRAM, 0))));
	TRY(close(TRY(socket(AF_UNIX, SOCK_SEQPACKET, 0))));
	TRY(close(TRY(socket(AF_NETLINK, SOCK_RAW, 0))));
	TRY(close(TRY(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))));
}

static void flags(void)
{
	int plain = TRY(socket(AF_INET, SOCK_STREAM, 0));
	int both = TRY(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));

	section("flags");
	TRY(fcntl(plain, F_GETFD));
	TRY(fcntl(plain, F_GETFL));
	TRY(fcntl(both, F_GETFD));
	TRY(fcntl(both, F_GETFL));
	show_names("fresh", both);
	TRY(close(plain));
	TRY(close(both));
}

static void refusals(void)
{
	TRY(socket(-1, SOCK_STREAM, 0));
	TRY(socket(12345, SOCK_STREAM, 0));
	TRY(socket(AF_INET, 77, 0));
	TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
	TRY(socket(AF_INET, SOCK_STREAM, 12345));
	TRY(socket(AF_INET, SOCK_SEQPACKET, 0));
	TRY(socket(AF_UNIX, SOCK_STREAM, 12345));
	TRY(socket(AF_INET, SOCK_STREAM | 0x40000000, 0));
}

int main(void)
{
	int last;

	begin();
	kinds();
	flags();
	section("refusals");
	refusals();

	section("no fd left: other refusals come first");
	last = fill_fds(16);
	TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(socket(AF_UNIX, SOCK_DGRAM, 0));
	refusals();
	TRY(close(last));
	TRY(socket(AF_INET6, SOCK_STREAM, 0));
	return end();
}
