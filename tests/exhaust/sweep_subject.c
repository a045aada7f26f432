/* SPDX-License-Identifier: MIT */
/* sweep_subject.c - programs with a known way to take a call that fails, for the tests of
 * sweep: sweep_subject WHAT [N]. Each of them ends with 0 and the line "done" if nothing does. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int number = 3;

static __attribute__((noinline)) int make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static __attribute__((noinline)) void crash(void)
{
	raise(SIGSEGV);
}

/* The last of N sockets must not fail. */
static void run_crash(void)
{
	for (int i = 1; i <= number; i++) {
		int fd = make_socket();

		if (fd < 0 && i == number)
			crash();
		if (fd >= 0)
			close(fd);
	}
}

static void run_spin(void)
{
	int fd;

	while ((fd = make_socket()) < 0)
		;
	close(fd);
}

static void run_hang(void)
{
	if (make_socket() < 0)
		pause();
}

/* Does not want to end, either. */
static void run_stubborn(void)
{
	signal(SIGTERM, SIG_IGN);
	run_hang();
}

static void run_busy(void)
{
	volatile int is_failing = make_socket() < 0;

	while (is_failing)
		;
}

/* Tries again with a new socket, and forgets the old one. */
static void run_leak(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};

	for (int i = 0; i < 3; i++) {
		int fd = make_socket();

		if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 ||
		    errno == ECONNREFUSED) {
			close(fd);
			return;
		}
	}
}

static void run_clean(void)
{
	if (make_socket() >= 0)
		return;
	perror("no <socket> & \"none\" # \x01\xff");
	exit(1);
}

static void run_retry(void)
{
	for (int i = 0; i < 3; i++) {
		int fd = make_socket();

		if (fd >= 0) {
			close(fd);
			return;
		}
		usleep(1000);
	}
	exit(2);
}

static void run_wrong(void)
{
	if (make_socket() < 0)
		puts("all is well");
}

static void run_status(void)
{
	if (make_socket() < 0)
		exit(200);
}

/* N sockets from one place, one from another. */
static void run_loop(void)
{
	for (int i = 0; i < number; i++)
		close(make_socket());
	close(make_socket());
}

static void *make_some(void *unused)
{
	(void)unused;
	for (int i = 0; i < number; i++) {
		int fd = make_socket();

		if (fd < 0)
			abort();
		close(fd);
	}
	return NULL;
}

static void run_threads(void)
{
	pthread_t thread[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, make_some, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
}

/* Nobody looks how the child ended. */
static void run_child(void)
{
	if (fork() == 0) {
		if (make_socket() < 0)
			crash();
		_exit(0);
	}
	wait(NULL);
	close(make_socket());
}

/* One that outlives us, in a session of its own. */
static void run_daemon(void)
{
	int ends[2];
	char byte = 0;

	if (pipe(ends) == 0 && fork() == 0) {
		setsid();
		close(make_socket());
		if (write(ends[1], &byte, 1) == 1)
			sleep(60);
		_exit(0);
	}
	if (read(ends[0], &byte, 1) == 1)
		close(make_socket());
}

/* What it leaves behind starts two more when it is asked to end, and they do not want to. */
static void run_brood(void)
{
	int got;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (make_socket() >= 0 || fork() != 0)
		return;
	sigwait(&set, &got);
	if (fork() == 0 || fork() == 0)
		sleep(60);
	_exit(0);
}

static void run_realtime(void)
{
	if (make_socket() < 0)
		raise(SIGRTMAX);
}

static void run_slow(void)
{
	for (int i = 0; i < number; i++)
		close(make_socket());
	usleep(200000);
}

static void run_unstable(void)
{
	close(make_socket());
	printf("%d\n", (int)getpid());
}

/* More than anybody keeps. */
static void run_chatty(void)
{
	if (make_socket() < 0)
		for (int i = 0; i < 300000; i++)
			puts("0123456789");
}

static void run_nothing(void)
{
}

static const struct {
	const char *name;
	void (*run)(void);
} subjects[] = {
        {"crash", run_crash},       {"spin", run_spin},       {"hang", run_hang},
        {"stubborn", run_stubborn}, {"busy", run_busy},       {"leak", run_leak},
        {"clean", run_clean},       {"retry", run_retry},     {"wrong", run_wrong},
        {"status", run_status},     {"loop", run_loop},       {"threads", run_threads},
        {"child", run_child},       {"daemon", run_daemon},   {"brood", run_brood},
        {"realtime", run_realtime}, {"slow", run_slow},       {"unstable", run_unstable},
        {"chatty", run_chatty},     {"nothing", run_nothing},
};

int main(int argc, char **argv)
{
	if (argc > 2)
		number = atoi(argv[2]);
	for (size_t i = 0; argc > 1 && i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (strcmp(subjects[i].name, argv[1]) != 0)
			continue;
		subjects[i].run();
		puts("done");
		return 0;
	}
	return 99;
}
