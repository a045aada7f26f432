/* SPDX-License-Identifier: MIT */
/* signals - a timer's handler makes and closes sockets while two threads do the
 * same, and one of them is in malloc half of the time. Prints how many. */
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "cycle.h"

enum { ROUNDS = 3000 };

static volatile sig_atomic_t handled;

static void on_timer(int signal)
{
	int error = errno, fd;

	(void)signal;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || close(fd) != 0)
		_exit(97);
	handled++;
	errno = error;
}

static void *work(void *arg)
{
	int i, fd;

	for (i = 0; i < ROUNDS; i++) {
		errno = UNTOUCHED;
		fd = socket(AF_INET, SOCK_DGRAM, 0);
		free(malloc(1000 + (size_t)i));
		if (fd < 0 || close(fd) != 0 || errno != UNTOUCHED)
			exit(96);
	}
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec often = {{0, 100000}, {0, 100000}}, never = {{0, 0}, {0, 0}};
	sigset_t set;
	pthread_t thread;
	timer_t timer;

	begin();
	MUST(sigaction(SIGUSR1, &action, NULL));
	MUST(timer_create(CLOCK_MONOTONIC, &event, &timer));
	MUST(timer_settime(timer, 0, &often, NULL));
	pthread_create(&thread, NULL, work, NULL);
	work(NULL);
	pthread_join(thread, NULL);
	while (handled < 100)
		work(NULL);
	MUST(timer_settime(timer, 0, &never, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("tcp %d\n", (int)handled);
	return end();
}
