/* SPDX-License-Identifier: MIT */
/* cancel - threads are cancelled while they are blocked in a call; the process
 * goes on with sockets as before. */
#include <pthread.h>
#include <sys/syscall.h>

#include "tests/calls/message.h"
#include "cycle.h"

static int listener, full, udp, tcp;
static _Atomic int tid;

static void blocked_in_accept(void)
{
	accept(listener, NULL, NULL);
}

static void blocked_in_accept4(void)
{
	struct address from = EMPTY_ADDRESS;

	accept4(listener, INTO(from), SOCK_CLOEXEC);
}

static void blocked_in_connect(void)
{
	struct address to = local_of(full);

	connect(tcp, AT(to));
}

static void blocked_in_recvfrom(void)
{
	char c;
	struct address from = EMPTY_ADDRESS;

	recvfrom(udp, &c, 1, 0, INTO(from));
}

static void blocked_in_recvmsg(void)
{
	struct message in;

	message_in(&in);
	recvmsg(udp, &in.hdr, 0);
}

static void *run(void *arg)
{
	void (**block)(void) = arg;

	tid = (int)syscall(SYS_gettid);
	(*block)();
	return NULL;
}

/* Asleep in the kernel, as /proc tells. */
static int is_asleep(void)
{
	char path[64], text[512] = "";
	FILE *file;
	size_t n;
	char *state;

	if (tid == 0)
		return 0;
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	n = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	text[n] = '\0';
	state = strrchr(text, ')');
	return state && state[2] == 'S';
}

static void cancel(const char *label, void (*block)(void))
{
	pthread_t thread;
	void *result = NULL;

	tid = 0;
	pthread_create(&thread, NULL, run, &block);
	while (!is_asleep())
		usleep(1000);
	cycle(); /* while the other is blocked: no lock may be held */
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("%s: %s\n", label, result == PTHREAD_CANCELED ? "cancelled" : "returned");
	cycle();
}

/* A listener whose queue is full: to connect there is to wait. */
static int full_listener(void)
{
	int fd = listening("127.0.0.1", 0), i;
	struct address to = local_of(fd);

	for (i = 0; i < 2; i++) {
		int client = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

		connect(client, AT(to));
		if (i == 0)
			wait_for(client, POLLOUT);
	}
	return fd;
}

int main(void)
{
	begin();
	listener = listening("127.0.0.1", 4);
	full = full_listener();
	udp = bound("127.0.0.1", SOCK_DGRAM);
	tcp = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	cancel("accept", blocked_in_accept);
	cancel("accept4", blocked_in_accept4);
	cancel("connect", blocked_in_connect);
	cancel("recvfrom", blocked_in_recvfrom);
	cancel("recvmsg", blocked_in_recvmsg);
	return end();
}
