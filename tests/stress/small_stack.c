/* SPDX-License-Identifier: MIT */
/* small_stack - socket work in threads with the smallest stack there is. */
#include <pthread.h>

#include "cycle.h"

enum { STACK = 16 << 10, GUARD = 4 << 10 };

/* cycle() itself needs little; printf would need more. */
static void *work(void *arg)
{
	struct address to = address_of("127.0.0.1", 0);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0),
	    fd;

	if (bind(listener, AT(to)) || listen(listener, 1) || getsockname(listener, INTO(to)))
		return arg;
	if (connect(client, AT(to)))
		return arg;
	fd = accept(listener, NULL, NULL);
	return close(fd) || close(client) || close(listener) ? arg : NULL;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *result = NULL;
	int i;

	begin();
	pthread_attr_init(&attr);
	if (pthread_attr_setstacksize(&attr, STACK) != 0)
		return 93;
	pthread_attr_setguardsize(&attr, GUARD);
	for (i = 0; i < 20; i++) {
		if (pthread_create(&thread, &attr, work, &i) != 0)
			return 92;
		pthread_join(thread, &result);
		printf("thread: %s\n", result ? "failed" : "fine");
	}
	return end();
}
