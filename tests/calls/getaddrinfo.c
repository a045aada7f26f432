/* SPDX-License-Identifier: MIT */
/* calls: getaddrinfo */
/* Names that need no name server, and refusals. */
#include <netdb.h>

#include "observe.h"

static void ask(const char *name, const char *service, int family, int flags)
{
	struct addrinfo hints = {
	        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = flags};
	struct addrinfo *found = NULL, *i;
	char text[64], port[16];
	int rc = getaddrinfo(name, service, &hints, &found);

	printf("%s, %s: %s\n", name ? name : "NULL", service ? service : "NULL",
	       rc ? gai_strerror(rc) : "found");
	for (i = found; i; i = i->ai_next) {
		getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, port, sizeof port,
		            NI_NUMERICHOST | NI_NUMERICSERV);
		printf("  %s %s %s\n", text, port, i->ai_canonname ? i->ai_canonname : "-");
	}
	if (found)
		freeaddrinfo(found);
}

int main(void)
{
	begin();
	ask("127.0.0.1", "8080", AF_UNSPEC, 0);
	ask("::1", "443", AF_UNSPEC, AI_NUMERICHOST | AI_CANONNAME);
	ask("localhost", "80", AF_INET, AI_CANONNAME);
	ask(NULL, "80", AF_INET, AI_PASSIVE);
	ask("127.0.0.1", NULL, AF_INET, 0);
	ask("127.0.0.1", "80", AF_INET6, 0);
	ask("not-a-number.invalid", "80", AF_UNSPEC, AI_NUMERICHOST);
	ask(NULL, NULL, AF_UNSPEC, 0);
	ask("127.0.0.1", "80", 12345, 0);
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, 0))));
	return end();
}
