/* SPDX-License-Identifier: MIT */
/* delays_held SCENE: sockets that a rule of delay holds back, under the rule alone. Prints what
 * is not as it should be; scene `order` prints in which order they come. */
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "../calls/observe.h"

enum { DELAY_MS = 300, MANY = 6 };

#define CHECK(true)      check(#true, true, __LINE__)
#define FAILS(call, why) (errno = 0, check(#call, (call) == -1 && errno == (why), __LINE__))

static double started;

static void check(const char *text, bool is_true, int line)
{
	if (!is_true)
		printf("%d: not so: %s (%s)\n", line, text, error_name(errno));
}

static double now_ms(void)
{
	struct timespec now;

	MUST(clock_gettime(CLOCK_MONOTONIC, &now));
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static bool is_late(void)
{
	return now_ms() - started >= DELAY_MS;
}

static int is_ready(int fd, short events, int timeout)
{
	struct pollfd p = {.fd = fd, .events = events};

	return poll(&p, 1, timeout) == 1 ? p.revents : 0;
}

/* The first of a pair, with five bytes to read, and told to come later. */
static int pair[2];
static char buf[16];

static void make_ready(void)
{
	make_pair(pair);
	MUST(fcntl(pair[0], F_SETFL, O_NONBLOCK));
	MUST(write(pair[1], "hello", 5));
	usleep(20000);
	started = now_ms();
}

static void hold(void)
{
	make_ready();
	FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
}

/* It comes in time, and goes through. */
static void comes(int fd)
{
	CHECK(is_ready(fd, POLLIN, PATIENCE_MS) & POLLIN);
	CHECK(is_late());
	CHECK(recv(fd, buf, sizeof buf, 0) == 5);
}

/* ---- which descriptor ---- */

static void dups(void)
{
	int before, after;

	make_ready();
	before = (int)MUST(dup(pair[0]));
	FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
	after = (int)MUST(dup(pair[0]));
	CHECK(!is_ready(before, POLLIN, 0));
	CHECK(!is_ready(after, POLLIN, 0));
	MUST(close(pair[0]));
	FAILS(recv(after, buf, sizeof buf, 0), EAGAIN);
	comes(before);
}

static void closes(void)
{
	int held;

	hold();
	held = pair[0];
	MUST(close(held));
	make_ready();
	CHECK(pair[0] == held || pair[1] == held);
	MUST(write(pair[0], "hello", 5));
	CHECK(is_ready(held, POLLIN, PATIENCE_MS) & POLLIN);
	CHECK(recv(held, buf, sizeof buf, 0) == 5);
	CHECK(!is_late());
}

static void forks(void)
{
	pid_t child;
	int status = -1;

	hold();
	child = (pid_t)MUST(fork());
	CHECK(!is_ready(pair[0], POLLIN, 0));
	if (child == 0) {
		comes(pair[0]);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(is_late());
	FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN); /* nothing is left of it */
}

/* ---- which calls count ---- */

static void again(void)
{
	int early = 0;

	hold();
	while (recv(pair[0], buf, sizeof buf, 0) < 0 && errno == EAGAIN && early < 1000000) {
		usleep(1000);
		early++;
	}
	CHECK(is_late());
	CHECK(early > 10);
	CHECK(write(pair[1], "hello", 5) == 5);
	is_ready(pair[0], POLLIN, PATIENCE_MS);
	FAILS(recv(pair[0], buf, sizeof buf, 0), EIO); /* the second call */
}

static void waits_after_all(void)
{
	make_ready();
	MUST(fcntl(pair[0], F_SETFL, 0));
	FAILS(recv(pair[0], buf, sizeof buf, MSG_DONTWAIT), EAGAIN);
	CHECK(recv(pair[0], buf, sizeof buf, 0) == 5);
	CHECK(is_late());
}

static void fails_late(void)
{
	hold();
	while (recv(pair[0], buf, sizeof buf, 0) < 0 && errno == EAGAIN)
		is_ready(pair[0], POLLIN, 50);
	CHECK(errno == ECONNRESET);
	CHECK(is_late());
}

static void refused_late(void)
{
	struct address to = address_of("127.0.0.1", 9);
	int fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), error = -1;
	socklen_t len = sizeof error;

	started = now_ms();
	FAILS(connect(fd, AT(to)), EINPROGRESS);
	CHECK(!is_ready(fd, POLLOUT, 50));
	CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0);
	FAILS(connect(fd, AT(to)), EALREADY);
	CHECK(is_ready(fd, POLLOUT, PATIENCE_MS) & POLLERR);
	CHECK(is_late());
	CHECK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == ETIMEDOUT);
}

/* Dissolved, connect(2), there is nothing left to wait for. */
static void dissolved(void)
{
	struct address to = local_of(listening("127.0.0.1", 4));
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	int fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

	started = now_ms();
	FAILS(connect(fd, AT(to)), EINPROGRESS);
	FAILS(connect(fd, AT(to)), EALREADY);
	CHECK(connect(fd, &none, sizeof none) == 0);
	CHECK(is_ready(fd, POLLOUT, 0) & POLLHUP);
	FAILS(connect(fd, AT(to)), EINPROGRESS);
	CHECK(!is_late());
	CHECK(is_ready(fd, POLLOUT, PATIENCE_MS) == POLLOUT);
}

/* What the kernel decides at once: there is nothing to wait for. */
static void decided(void)
{
	struct address to = local_of(listening("127.0.0.1", 4)), wrong = to;
	int fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));

	started = now_ms();
	wrong.in.sin_addr.s_addr = htonl(INADDR_BROADCAST);
	FAILS(connect(fd, AT(wrong)), ENETUNREACH);
	CHECK(is_ready(fd, POLLOUT, 0) & POLLHUP);
	FAILS(connect(fd, AT(to)), EINPROGRESS);
	CHECK(!is_late());
}

/* ---- who waits ---- */

static int make_epoll(int fd, uint32_t events, uint64_t data)
{
	int epfd = (int)MUST(epoll_create1(0));
	struct epoll_event event = {.events = events, .data.u64 = data};

	MUST(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event));
	return epfd;
}

static uint32_t next_event(int epfd, int timeout)
{
	struct epoll_event event;

	return epoll_wait(epfd, &event, 1, timeout) == 1 ? event.events : 0;
}

/* One direction is held, the other is not. */
static void other_way(void)
{
	int epfd;

	make_ready();
	epfd = make_epoll(pair[0], EPOLLIN | EPOLLOUT, 7);
	FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
	CHECK(is_ready(pair[0], POLLIN | POLLOUT, PATIENCE_MS) == POLLOUT);
	CHECK(next_event(epfd, PATIENCE_MS) == EPOLLOUT);
	CHECK(!is_late());
	comes(pair[0]);
	MUST(write(pair[1], "hello", 5));
	is_ready(pair[0], POLLIN, PATIENCE_MS);
	CHECK(next_event(epfd, PATIENCE_MS) == (EPOLLIN | EPOLLOUT));
}

static void *wait_for_event(void *epfd)
{
	CHECK(next_event(*(int *)epfd, PATIENCE_MS) & EPOLLIN);
	CHECK(is_late());
	return NULL;
}

/* A thread waits already when the hold begins; its edge has been. */
static void waits_already(uint32_t flags)
{
	pthread_t waiter;
	int epfd;

	make_ready();
	epfd = make_epoll(pair[0], EPOLLIN | flags, 7);
	CHECK(next_event(epfd, PATIENCE_MS) & EPOLLIN);
	if (!(flags & EPOLLET))
		FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
	MUST(pthread_create(&waiter, NULL, wait_for_event, &epfd));
	usleep(50000);
	if (flags & EPOLLET) {
		started = now_ms();
		FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
	}
	MUST(pthread_join(waiter, NULL));
	comes(pair[0]);
}

static void *recv_for_ever(void *nothing)
{
	recv(pair[0], buf, sizeof buf, 0);
	return nothing;
}

/* A thread that is cancelled while it is delayed ends. */
static void cancelled(void)
{
	pthread_t thread;
	void *result = NULL;

	make_pair(pair);
	MUST(pthread_create(&thread, NULL, recv_for_ever, NULL));
	usleep(50000);
	MUST(pthread_cancel(thread));
	MUST(pthread_join(thread, &result));
	CHECK(result == PTHREAD_CANCELED);
}

static void *wait_by_poll(void *fd)
{
	comes(*(int *)fd);
	return NULL;
}

static void polls_already(void)
{
	pthread_t waiter;

	make_pair(pair);
	MUST(fcntl(pair[0], F_SETFL, O_NONBLOCK));
	started = now_ms();
	MUST(pthread_create(&waiter, NULL, wait_by_poll, &pair[0]));
	usleep(50000);
	FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
	MUST(write(pair[1], "hello", 5));
	MUST(pthread_join(waiter, NULL));
}

/* An epoll in a poll, as some loops have it. */
static void nested(void)
{
	int epfd;

	make_ready();
	epfd = make_epoll(pair[0], EPOLLIN | EPOLLET, 7);
	FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
	CHECK(!next_event(epfd, 0));
	CHECK(is_ready(epfd, POLLIN, PATIENCE_MS));
	CHECK(is_late());
	CHECK(next_event(epfd, 0) & EPOLLIN);
}

/* Two that the program does not tell apart: one is held, the other is not. */
static void same_data(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_C(7) << 40};
	int held, epfd;

	hold();
	held = pair[0];
	epfd = make_epoll(held, EPOLLIN, event.data.u64);
	make_pair(pair);
	MUST(epoll_ctl(epfd, EPOLL_CTL_ADD, pair[0], &event));
	CHECK(!next_event(epfd, 20));
	MUST(write(pair[1], "hello", 5));
	CHECK(next_event(epfd, PATIENCE_MS) & EPOLLIN);
	CHECK(!is_late());
	MUST(epoll_ctl(epfd, EPOLL_CTL_DEL, pair[0], NULL));
	CHECK(next_event(epfd, PATIENCE_MS) & EPOLLIN);
	CHECK(is_late());
}

/* What the program changes while it is held counts. */
static void changes(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 8}, got;
	int epfd;

	hold();
	epfd = make_epoll(pair[0], EPOLLIN, 7);
	CHECK(!next_event(epfd, 20));
	FAILS(epoll_ctl(epfd, EPOLL_CTL_ADD, pair[0], &event), EEXIST);
	MUST(epoll_ctl(epfd, EPOLL_CTL_MOD, pair[0], &event));
	CHECK(!next_event(epfd, 20));
	CHECK(epoll_wait(epfd, &got, 1, PATIENCE_MS) == 1 && got.data.u64 == 8);
	CHECK(is_late());
	MUST(epoll_ctl(epfd, EPOLL_CTL_DEL, pair[0], NULL));
	FAILS(epoll_ctl(epfd, EPOLL_CTL_DEL, pair[0], NULL), ENOENT);
}

/* As some language run-times wait. */
static void by_number(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 7};
	int epfd = (int)MUST(epoll_create1(0));

	hold();
	CHECK(syscall(SYS_epoll_ctl, epfd, EPOLL_CTL_ADD, pair[0], &event) == 0);
	CHECK(syscall(SYS_epoll_pwait, epfd, &event, 1, 20, NULL, 0L) == 0);
#ifdef SYS_poll
	struct pollfd p = {.fd = pair[0], .events = POLLIN};

	CHECK(syscall(SYS_poll, &p, 1L, 20L) == 0);
	CHECK(syscall(SYS_epoll_wait, epfd, &event, 1, 20) == 0);
#endif
	CHECK(!is_late());
	CHECK(syscall(SYS_epoll_pwait, epfd, &event, 1, PATIENCE_MS, NULL, 0L) == 1);
	CHECK(is_late());
}

static void exclusive(void)
{
	int listener = listening("127.0.0.1", 4), epfd;

	MUST(fcntl(listener, F_SETFL, O_NONBLOCK));
	connected_to(listener, SOCK_STREAM);
	started = now_ms();
	FAILS(accept(listener, NULL, NULL), EAGAIN);
	epfd = make_epoll(listener, EPOLLIN | EPOLLEXCLUSIVE, 7);
	CHECK(!next_event(epfd, 20));
	CHECK(next_event(epfd, PATIENCE_MS) == EPOLLIN);
	CHECK(is_late());
	CHECK(accept(listener, NULL, NULL) >= 0);
	MUST(epoll_ctl(epfd, EPOLL_CTL_DEL, listener, NULL));
}

static void many(void)
{
	struct pollfd fds[200];

	hold();
	for (int i = 0; i < 200; i++)
		fds[i] = (struct pollfd){i % 2 ? pair[0] : pair[1], POLLIN, 0};
	CHECK(poll(fds, 200, 20) == 0);
	CHECK(poll(fds, 200, PATIENCE_MS) == 100 && fds[1].revents == POLLIN && !fds[0].revents);
	CHECK(is_late());
}

/* The rule comes when epoll has been asked long since, and the edge is the only one. */
static void edge_before(void)
{
	ssize_t got = 5;
	int epfd;

	make_ready();
	epfd = make_epoll(pair[0], EPOLLIN | EPOLLET, 7);
	MUST(write(STDOUT_FILENO, "ready\n", 6));
	for (int i = 0; got == 5 && i < 2000; i++) {
		CHECK(next_event(epfd, PATIENCE_MS) & EPOLLIN);
		started = now_ms();
		got = recv(pair[0], buf, sizeof buf, 0);
		usleep(5000);
		if (got == 5)
			MUST(write(pair[1], "hello", 5));
	}
	CHECK(got < 0 && errno == EAGAIN);
	CHECK(next_event(epfd, PATIENCE_MS) & EPOLLIN);
	CHECK(is_late());
	CHECK(recv(pair[0], buf, sizeof buf, 0) == 5);
}

/* More than there are places for: some are not held back, and none is lost. */
static void crowd(void)
{
	enum { LOOPS = 70, EACH = 64, LAST = 8 };
	int fds[EACH], epfd;

	make_pair(pair);
	for (int i = 0; i < EACH; i++)
		fds[i] = (int)MUST(dup(pair[0]));
	for (int i = 0; i < LOOPS; i++) {
		struct epoll_event event = {.events = EPOLLIN};

		epfd = (int)MUST(epoll_create1(0));
		for (int j = 0; j < EACH; j++)
			MUST(epoll_ctl(epfd, EPOLL_CTL_ADD, fds[j], &event));
	}
	for (int i = 0; i < LAST; i++) {
		make_ready();
		epfd = make_epoll(pair[0], EPOLLIN | EPOLLET, 7);
		CHECK(next_event(epfd, PATIENCE_MS) & EPOLLIN);
		if (recv(pair[0], buf, sizeof buf, 0) == 5)
			continue;
		CHECK(next_event(epfd, PATIENCE_MS) & EPOLLIN);
		CHECK(recv(pair[0], buf, sizeof buf, 0) == 5);
	}
}

/* Each has a time of its own. */
static void order(void)
{
	int epfd = (int)MUST(epoll_create1(0));
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	for (int i = 0; i < MANY; i++) {
		make_ready();
		event.data.u64 = (uint64_t)i;
		MUST(epoll_ctl(epfd, EPOLL_CTL_ADD, pair[0], &event));
		FAILS(recv(pair[0], buf, sizeof buf, 0), EAGAIN);
	}
	for (int i = 0; i < MANY; i++)
		printf("%d ", epoll_wait(epfd, &event, 1, -1) == 1 ? (int)event.data.u64 : -1);
	printf("\n");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenes[] = {
	        /* clang-format off */
	        {"dups", dups}, {"closes", closes}, {"forks", forks},
	        {"again", again}, {"fails", fails_late}, {"refused", refused_late},
	        {"cancelled", cancelled}, {"dissolved", dissolved}, {"decided", decided},
	        {"waits", waits_after_all}, {"other-way", other_way}, {"polls-already", polls_already},
	        {"nested", nested}, {"same-data", same_data}, {"changes", changes},
	        {"exclusive", exclusive}, {"many", many}, {"by-number", by_number},
	        {"order", order}, {"crowd", crowd}, {"edge", edge_before},
	        /* clang-format on */
	};
	const char *name = argc > 1 ? argv[1] : "";

	begin();
	if (strcmp(name, "waits-already-level") == 0)
		waits_already(0);
	if (strcmp(name, "waits-already-edge") == 0)
		waits_already(EPOLLET);
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		if (strcmp(name, scenes[i].name) == 0)
			scenes[i].run();
	return 0;
}
