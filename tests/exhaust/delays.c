/* SPDX-License-Identifier: MIT */
/* delays SCENE: what a program sees whose peer is late. Bare, the peer really is; with RULED
 * set it is not, and a rule has to make it look so: what is printed must be the same.
 *
 * "late" is behind DELAY_MS from the first call on, "soon" before; nothing else is said of
 * time. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/time.h>

#include "../calls/observe.h"

enum { DELAY_MS = 300, EARLY_MS = 100, CPU_MS = 100 };

static double now_ms(void)
{
	struct timespec now;

	MUST(clock_gettime(CLOCK_MONOTONIC, &now));
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static double started;

static const char *when(void)
{
	return now_ms() - started < DELAY_MS ? "soon" : "late";
}

#define SAY(call) (errno = UNTOUCHED, say(#call, (long)(call)))

static long say(const char *text, long result)
{
	int error = errno;

	printf("%s: %s = %ld", when(), text, result);
	print_errno(error);
	return result;
}

static bool is_ruled(void)
{
	return getenv("RULED") != NULL;
}

/* ---- what is waited for ---- */

enum what { RECV, ACCEPT, SEND, CONNECT };

static struct {
	enum what what;
	int fd, peer; /* ours, and the other end; for accept and connect: a listener */
	struct address to;
	int filling[3]; /* CONNECT: what keeps the listener's queue full */
} scene;

static void drain(int fd)
{
	char buf[65536];

	while (recv(fd, buf, sizeof buf, MSG_DONTWAIT) > 0)
		usleep(1000);
}

static void act(void)
{
	switch (scene.what) {
	case RECV:
		MUST(write(scene.peer, "hello", 5));
		break;
	case ACCEPT:
		connected_to(scene.fd, SOCK_STREAM);
		break;
	case SEND:
		drain(scene.peer);
		break;
	case CONNECT: /* room for the next attempt of the client */
		for (int i = 0; i < 2; i++)
			MUST(accept(scene.peer, NULL, NULL));
		break;
	}
}

static void *act_late(void *nothing)
{
	usleep((DELAY_MS + 20) * 1000);
	act();
	return nothing;
}

/* Bare, no byte may go out: the other end's buffer is full, and then ours; both make a little
 * room now and then. */
static void fill_buffers(int fd)
{
	static char bytes[65536];
	int small = 4096;

	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
	for (int full = 0; full < 10; full++) {
		while (send(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
			full = 0;
		usleep(50000);
	}
}

/* A full queue drops what comes: the client tries again a second later. */
static void fill_queue(int listener)
{
	struct address to = local_of(listener);

	for (int i = 0; i < 2; i++) {
		scene.filling[i] = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
		connect(scene.filling[i], AT(to));
		usleep(10000);
	}
}

static void make_ends(void)
{
	int pair[2];

	if (scene.what == ACCEPT) {
		scene.fd = listening("127.0.0.1", 4);
	} else if (scene.what == CONNECT) {
		scene.peer = listening("127.0.0.1", 0);
		scene.to = local_of(scene.peer);
		if (!is_ruled())
			fill_queue(scene.peer);
		scene.fd = (int)MUST(socket(AF_INET, SOCK_STREAM, 0));
	} else {
		make_pair(pair);
		scene.fd = pair[0];
		scene.peer = pair[1];
		if (scene.what == SEND && !is_ruled())
			fill_buffers(scene.fd);
	}
}

/* Under the rule it is there at once, and nobody may see it. */
static void begin_scene(bool waits)
{
	pthread_t thread;

	make_ends();
	if (!waits)
		MUST(fcntl(scene.fd, F_SETFL, O_NONBLOCK));
	if (!is_ruled())
		MUST(pthread_create(&thread, NULL, act_late, NULL));
	else if (scene.what != CONNECT)
		act();
	if (is_ruled())
		usleep(20000);
	started = now_ms();
}

static long attempt(void)
{
	char buf[16];
	long ret;

	switch (scene.what) {
	case RECV:
		return SAY(recv(scene.fd, buf, sizeof buf, 0));
	case ACCEPT:
		ret = accept(scene.fd, NULL, NULL);
		say("accept", ret < 0 ? ret : 0);
		return ret;
	case SEND:
		return SAY(send(scene.fd, "x", 1, 0));
	case CONNECT:
		return SAY(connect(scene.fd, AT(scene.to)));
	}
	return -1;
}

static short direction(void)
{
	return scene.what == RECV || scene.what == ACCEPT ? POLLIN : POLLOUT;
}

static void say_error(void)
{
	int error = -1;
	socklen_t len = sizeof error;

	if (scene.what != CONNECT)
		return;
	SAY(getsockopt(scene.fd, SOL_SOCKET, SO_ERROR, &error, &len));
	printf("SO_ERROR %d, %d bytes\n", error, (int)len);
}

/* ---- how it is waited for ---- */

static void by_poll(void)
{
	struct pollfd p = {.fd = scene.fd, .events = direction()};
	struct timespec span = {0, 50000000};

	SAY(poll(&p, 1, 0));
	SAY(poll(&p, 1, 50));
	SAY(ppoll(&p, 1, &span, NULL));
	say_error();
	if (scene.what == CONNECT)
		attempt();
	SAY(poll(&p, 1, PATIENCE_MS));
	printf("revents %x\n", (unsigned)p.revents);
}

static void by_select(void)
{
	struct timeval span = {0, 50000};
	fd_set set;
	bool is_in = direction() == POLLIN;

	FD_ZERO(&set);
	FD_SET(scene.fd, &set);
	SAY(select(scene.fd + 1, is_in ? &set : NULL, is_in ? NULL : &set, NULL, &span));
	printf("left %ld, set %d\n", (long)span.tv_usec, !!FD_ISSET(scene.fd, &set));
	FD_SET(scene.fd, &set);
	SAY(select(scene.fd + 1, is_in ? &set : NULL, is_in ? NULL : &set, NULL, NULL));
	printf("set %d\n", !!FD_ISSET(scene.fd, &set));
}

static int epfd;

static void enter(int op, uint32_t flags)
{
	struct epoll_event event = {.events = (uint32_t)direction() | flags, .data.ptr = &scene};

	MUST(epoll_ctl(epfd, op, scene.fd, &event));
}

static void say_events(int timeout)
{
	struct epoll_event event = {0};

	if (SAY(epoll_wait(epfd, &event, 1, timeout)) > 0)
		printf("events %x of %s\n", event.events, event.data.ptr == &scene ? "it" : "none");
}

static void by_epoll(void)
{
	say_events(0);
	say_events(50);
	say_events(PATIENCE_MS);
}

static bool is_way(const char *way, const char *name)
{
	return strcmp(way, name) == 0;
}

/* Entered before the call that is told to come later, or behind it. */
static void enter_by(const char *way, bool is_before)
{
	bool is_early = strstr(way, "before") != NULL;
	uint32_t flags = 0;

	if (strncmp(way, "epoll", 5) != 0 || is_early != is_before)
		return;
	epfd = (int)MUST(epoll_create1(0));
	if (strstr(way, "edge"))
		flags = EPOLLET;
	if (strstr(way, "once"))
		flags = EPOLLONESHOT;
	enter(EPOLL_CTL_ADD, flags);
}

static void without_waiting(const char *way)
{
	begin_scene(false);
	enter_by(way, true);
	attempt();
	if (scene.what != CONNECT)
		attempt();
	enter_by(way, false);
	if (is_way(way, "poll"))
		by_poll();
	else if (is_way(way, "select"))
		by_select();
	else
		by_epoll();
	say_error();
	attempt();
}

/* ---- calls that wait ---- */

static volatile sig_atomic_t caught_count;

static void caught(int number)
{
	(void)number;
	caught_count++;
}

static void interrupt(int flags)
{
	struct sigaction action = {.sa_handler = caught, .sa_flags = flags};
	struct itimerval timer = {.it_value = {0, EARLY_MS * 500}};

	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(setitimer(ITIMER_REAL, &timer, NULL));
}

static void limit_time(void)
{
	struct timeval span = {0, EARLY_MS * 1000};
	bool is_in = direction() == POLLIN;

	MUST(setsockopt(scene.fd, SOL_SOCKET, is_in ? SO_RCVTIMEO : SO_SNDTIMEO, &span,
	                sizeof span));
}

static void say_timeout(void)
{
	struct timeval span = {0};
	socklen_t len = sizeof span;

	MUST(getsockopt(scene.fd, SOL_SOCKET, SO_SNDTIMEO, &span, &len));
	printf("SO_SNDTIMEO %ld.%06ld\n", (long)span.tv_sec, (long)span.tv_usec);
}

static void waiting(const char *way)
{
	struct pollfd p;

	begin_scene(true);
	if (strstr(way, "time"))
		limit_time();
	if (strstr(way, "signal"))
		interrupt(strstr(way, "restart") ? SA_RESTART : 0);
	attempt();
	printf("caught %d\n", (int)caught_count);
	if (is_way(way, "wait") || strstr(way, "signal-restart"))
		return;
	if (scene.what == CONNECT) { /* under way all the same */
		p = (struct pollfd){.fd = scene.fd, .events = POLLOUT};
		say_timeout();
		SAY(poll(&p, 1, 0));
		if (strstr(way, "again"))
			attempt();
		SAY(poll(&p, 1, PATIENCE_MS));
		say_error();
		show_names("names", scene.fd);
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"recv", "accept", "send", "connect"};
	const char *way = argc > 2 ? argv[2] : "";
	struct rusage used;

	begin();
	for (size_t i = 0; i < 4; i++)
		if (argc > 1 && strcmp(argv[1], names[i]) == 0)
			scene.what = (enum what)i;
	if (strncmp(way, "wait", 4) == 0)
		waiting(way);
	else
		without_waiting(way);
	MUST(getrusage(RUSAGE_SELF, &used));
	if (used.ru_utime.tv_sec || used.ru_stime.tv_sec ||
	    used.ru_utime.tv_usec + used.ru_stime.tv_usec > CPU_MS * 1000)
		printf("too busy: %ld us\n", (long)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
	return 0;
}
