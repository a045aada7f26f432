/* SPDX-License-Identifier: MIT */
/* calls: poll __poll_chk ppoll __ppoll_chk select pselect __poll __select */
/* calls: epoll_ctl epoll_wait epoll_pwait epoll_pwait2 */
/* Waiting for descriptors: what is ready, what is left of the time, what is wrong. */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>

#include "observe.h"

#ifdef __GLIBC__
int __poll(struct pollfd *fds, nfds_t count, int timeout);
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);
int __select(int count, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout);
#endif

static const struct timespec at_once = {0, 0}, soon = {0, 5000000}, wrong = {0, -1};

static void caught(int number)
{
	(void)number;
}

/* A signal in a few ms that ends whatever waits. */
static void interrupt_soon(void)
{
	struct sigaction action = {.sa_handler = caught, .sa_flags = SA_RESTART};
	struct itimerval timer = {.it_value = {0, 20000}};

	MUST(sigaction(SIGVTALRM, &action, NULL));
	MUST(sigaction(SIGALRM, &action, NULL));
	MUST(setitimer(ITIMER_REAL, &timer, NULL));
}

static void interrupt_never(void)
{
	signal(SIGALRM, SIG_DFL);
	alarm(LIFETIME_S);
}

static void show_revents(const struct pollfd *fds, int count)
{
	for (int i = 0; i < count; i++)
		printf("%d:%x ", fds[i].fd >= 0 ? i : -1, (unsigned)fds[i].revents);
	printf("\n");
}

/* That no compiler sees through. */
static nfds_t many_more(void)
{
	volatile nfds_t count = (nfds_t)-1;

	return count;
}

static void polls(int a, int b, int file)
{
	struct pollfd fds[5] = {{a, POLLIN | POLLOUT, 0},
	                        {b, POLLIN, 0},
	                        {-1, POLLIN, 7},
	                        {file, POLLIN | POLLOUT, 0},
	                        {9999, POLLIN, 0}};
	struct pollfd *many = calloc(100, sizeof(*many));

	section("poll");
	TRY(poll(fds, 5, -1));
	show_revents(fds, 5);
	TRY(poll(&fds[1], 1, 0));
	TRY(poll(&fds[1], 1, 5));
	TRY(poll(NULL, 0, 5));
	TRY_UNREADABLE(poll(nowhere(), 1, 5));
	TRY_UNREADABLE(poll(fds, many_more(), 5));
	for (int i = 0; i < 100; i++)
		many[i] = (struct pollfd){i % 2 ? a : b, POLLIN | POLLOUT, 0};
	TRY(poll(many, 100, -1));
	free(many);
	TRY(ppoll(fds, 4, &at_once, NULL));
	show_revents(fds, 4);
	TRY(ppoll(&fds[1], 1, &soon, NULL));
	TRY(ppoll(&fds[1], 1, &wrong, NULL));
	TRY(ppoll(fds, 1, NULL, NULL));
	interrupt_soon();
	TRY(poll(&fds[1], 1, -1));
	interrupt_soon();
	TRY(ppoll(&fds[1], 1, NULL, NULL));
	interrupt_never();
#ifdef __GLIBC__
	TRY(__poll(fds, 2, 0));
	TRY(__poll_chk(fds, 2, 0, sizeof fds));
	TRY(__ppoll_chk(fds, 2, &at_once, NULL, sizeof fds));
#endif
}

static fd_set *only(fd_set *set, int fd, int other)
{
	FD_ZERO(set);
	FD_SET(fd, set);
	FD_SET(other, set);
	return set;
}

static void show_set(const char *label, const fd_set *set)
{
	printf("%s:", label);
	for (int fd = 0; fd < FD_SETSIZE; fd++)
		if (FD_ISSET(fd, set))
			printf(" %d", fd);
	printf("\n");
}

static void selects(int a, int b)
{
	fd_set in, out, except;
	int count = (a > b ? a : b) + 1;
	struct timeval span = {0, 0};
	const struct timeval never = {0, -1};

	section("select");
	TRY(select(count, only(&in, a, b), only(&out, a, b), only(&except, a, b), NULL));
	show_set("in", &in);
	show_set("out", &out);
	show_set("except", &except);
	span.tv_usec = 5000;
	TRY(select(count, only(&in, b, b), NULL, NULL, &span));
	show_set("in", &in);
	printf("left: %ld.%06ld\n", (long)span.tv_sec, (long)span.tv_usec);
	span.tv_sec = 1000;
	TRY(select(count, NULL, only(&out, a, b), NULL, &span));
	printf("left: %s\n", span.tv_sec >= 999 ? "most" : "little");
	span = never;
	TRY(select(count, only(&in, a, b), NULL, NULL, &span));
	TRY(select(-1, NULL, NULL, NULL, NULL));
	TRY(select(count + 50, only(&in, count + 49, b), NULL, NULL, NULL));
	show_set("in", &in);
	TRY_UNREADABLE(select(count, nowhere(), NULL, NULL, NULL));
	TRY(pselect(count, only(&in, a, b), only(&out, a, b), NULL, &at_once, NULL));
	show_set("out", &out);
	TRY(pselect(count, only(&in, b, b), NULL, NULL, &soon, NULL));
	TRY(pselect(count, only(&in, b, b), NULL, NULL, &wrong, NULL));
	TRY(pselect(0, NULL, NULL, NULL, &soon, NULL));
	interrupt_soon();
	TRY(select(count, only(&in, b, b), NULL, NULL, NULL));
	show_set("in", &in);
	interrupt_soon();
	TRY(pselect(count, only(&in, b, b), NULL, NULL, NULL, NULL));
	interrupt_never();
#ifdef __GLIBC__
	span = (struct timeval){0, 0};
	TRY(__select(count, only(&in, a, b), NULL, NULL, &span));
#endif
}

static void show_events(const struct epoll_event *events, int count)
{
	for (int i = 0; i < count; i++)
		printf("%d:%x ", (int)events[i].data.u64, events[i].events);
	printf("\n");
}

static void registrations(int epfd, int a, int b, int file)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = 1};

	TRY(epoll_ctl(epfd, EPOLL_CTL_ADD, a, &event));
	TRY(epoll_ctl(epfd, EPOLL_CTL_ADD, a, &event));
	TRY(epoll_ctl(epfd, EPOLL_CTL_MOD, b, &event));
	TRY(epoll_ctl(epfd, EPOLL_CTL_DEL, b, NULL));
	TRY(epoll_ctl(epfd, EPOLL_CTL_ADD, file, &event));
	TRY(epoll_ctl(epfd, EPOLL_CTL_ADD, epfd, &event));
	TRY(epoll_ctl(epfd, EPOLL_CTL_ADD, 9999, &event));
	TRY(epoll_ctl(9999, EPOLL_CTL_ADD, a, &event));
	TRY(epoll_ctl(epfd, 77, a, &event));
	TRY_UNREADABLE(epoll_ctl(epfd, EPOLL_CTL_ADD, b, nowhere()));
	event.data.u64 = 2;
	TRY(epoll_ctl(epfd, EPOLL_CTL_ADD, b, &event));
	event.events = EPOLLIN | EPOLLEXCLUSIVE;
	TRY(epoll_ctl(epfd, EPOLL_CTL_MOD, b, &event));
	event.events = EPOLLIN | EPOLLOUT;
	TRY(epoll_ctl(epfd, EPOLL_CTL_MOD, b, &event));
}

static void epolls(int a, int b, int file)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLONESHOT, .data.u64 = 3};
	struct epoll_event got[4];
	int epfd = (int)MUST(epoll_create1(EPOLL_CLOEXEC)), n;

	section("epoll");
	registrations(epfd, a, b, file);
	n = (int)TRY(epoll_wait(epfd, got, 4, -1));
	show_events(got, n);
	TRY(epoll_wait(epfd, got, 0, 0));
	TRY(epoll_wait(9999, got, 4, 0));
	TRY_UNREADABLE(epoll_wait(epfd, nowhere(), 4, 0));
	TRY(epoll_ctl(epfd, EPOLL_CTL_MOD, b, &event));
	n = (int)TRY(epoll_wait(epfd, got, 4, -1));
	show_events(got, n);
	TRY(epoll_wait(epfd, got, 4, 5));
	event.events = EPOLLOUT | EPOLLET;
	TRY(epoll_ctl(epfd, EPOLL_CTL_MOD, b, &event));
	n = (int)TRY(epoll_pwait(epfd, got, 4, -1, NULL));
	show_events(got, n);
	TRY(epoll_pwait(epfd, got, 4, 0, NULL));
	TRY(epoll_ctl(epfd, EPOLL_CTL_DEL, b, NULL));
	interrupt_soon();
	TRY(epoll_wait(epfd, got, 4, -1));
	interrupt_soon();
	TRY(epoll_pwait(epfd, got, 4, -1, NULL));
	interrupt_never();
#ifdef __GLIBC__
	TRY(epoll_ctl(epfd, EPOLL_CTL_ADD, b, &event));
	TRY(epoll_pwait2(epfd, got, 4, NULL, NULL));
	TRY(epoll_pwait2(epfd, got, 4, &soon, NULL));
	TRY(epoll_pwait2(epfd, got, 4, &wrong, NULL));
#endif
	MUST(close(epfd));
}

int main(void)
{
	int pair[2], file;
	char name[] = "/tmp/waitXXXXXX", buf[8];

	begin();
	make_pair(pair);
	file = (int)MUST(mkstemp(name));
	MUST(unlink(name));
	polls(pair[0], pair[1], file);
	selects(pair[0], pair[1]);
	epolls(pair[0], pair[1], file);

	section("with bytes");
	MUST(write(pair[0], "hello", 5));
	wait_for(pair[1], POLLIN);
	show_poll("readable", pair[1]);
	selects(pair[1], pair[0]);
	MUST(read(pair[1], buf, sizeof buf));
	MUST(close(pair[0]));
	wait_for(pair[1], POLLRDHUP);
	show_poll("at its end", pair[1]);
	return 0;
}
