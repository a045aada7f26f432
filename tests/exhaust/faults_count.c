/* SPDX-License-Identifier: MIT */
/* faults_count - how many calls fail, and which. */
#include <pthread.h>
#include <stdatomic.h>

#include "tests/policy/policy.h"

/* One letter a call. */
static char try_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return errno == ENOBUFS ? 'B' : errno == EMFILE ? 'M' : errno == ENOMEM ? 'm' : '?';
	close(fd);
	return '.';
}

static void pattern(char **argv)
{
	int calls = atoi(argv[0]);

	for (int i = 0; i < calls; i++)
		putchar(try_socket());
	putchar('\n');
}

/* Which fail while some are open. */
static void opening(char **argv)
{
	int calls = atoi(argv[0]), fds[100], n = 0;

	for (int i = 0; i < calls; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		putchar(fd < 0 ? 'F' : '.');
		if (fd >= 0)
			fds[n++] = fd;
		else
			close(fds[--n]);
	}
	putchar('\n');
}

/* In time: until it fails no more. */
static void waiting(char **argv)
{
	char now, before = 0;

	(void)argv;
	for (int i = 0; i < 300; i++) {
		now = try_socket();
		if (now != before)
			putchar(now);
		before = now;
		usleep(10000);
	}
	putchar('\n');
}

static _Atomic int *failures;
static int calls;

static void *work(void *arg)
{
	(void)arg;
	for (int i = 0; i < calls; i++)
		if (try_socket() != '.')
			atomic_fetch_add(failures, 1);
	return NULL;
}

static void threads(int n)
{
	pthread_t thread[16];

	for (int i = 0; i < n; i++)
		pthread_create(&thread[i], NULL, work, NULL);
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
}

/* THREADS PROCESSES CALLS: processes of so many threads of so many calls, and the same again
 * behind an exec. */
static void many(char **argv)
{
	int n = atoi(argv[0]), processes = atoi(argv[1]), left = 2 * processes;
	char *again[] = {(char[]){"/proc/self/exe"}, (char[]){"threads"}, argv[0], argv[2], NULL};
	int out[2], status;

	calls = atoi(argv[2]);
	failures = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(pipe(out));
	for (int i = 0; i < 2 * processes; i++) {
		if (fork() != 0)
			continue;
		if (i % 2) {
			dup2(out[1], STDOUT_FILENO);
			execv(again[0], again);
		}
		threads(n);
		_exit(0);
	}
	while (left > 0 && wait(&status) > 0)
		left--;
	close(out[1]);
	for (FILE *from = fdopen(out[0], "r"); from && fscanf(from, "%d", &n) == 1;)
		atomic_fetch_add(failures, n);
	printf("%d\n", atomic_load(failures));
}

static void behind_exec(char **argv)
{
	_Atomic int own = 0;

	failures = &own;
	calls = atoi(argv[1]);
	threads(atoi(argv[0]));
	printf("%d\n", atomic_load(failures));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
	        {"pattern", pattern}, {"opening", opening},     {"waiting", waiting},
	        {"many", many},       {"threads", behind_exec}, {NULL, NULL},
	};

	(void)argc;
	return run_part(parts, argv);
}
