/* SPDX-License-Identifier: MIT */
/* fork_threads - the process forks, again and again, while threads are busy with
 * sockets; each child must be able to work with sockets at once. */
#include <pthread.h>

#include "cycle.h"

enum { THREADS = 3, FORKS = 300 };

static _Atomic int stop;

static void *busy(void *arg)
{
	while (!stop)
		cycle();
	return arg;
}

int main(void)
{
	pthread_t thread[THREADS];
	int i, status, bad = 0;

	begin();
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, busy, NULL);
	for (i = 0; i < FORKS; i++) {
		pid_t pid = i % 2 ? fork() : _Fork();

		if (pid == 0) {
			child_begin();
			cycle();
			cycle();
			_exit(0);
		}
		MUST(waitpid(pid, &status, 0));
		bad += status != 0;
	}
	stop = 1;
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("%d forks, %d bad\n", FORKS, bad);
	return end();
}
