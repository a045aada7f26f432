/* SPDX-License-Identifier: MIT */
/* work.c - the loops that the benchmark times.
 *
 *   work ROW      reads numbers of rounds from stdin, one a line, and answers
 *                 each with the nanoseconds that they took
 *   work ROW N    does N rounds and ends, for those who count instructions
 *   work          prints the names of the rows
 *
 * What a row does not want timed it does while the stopwatch stands. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { BATCH = 256, PACKET = 64, CLIENTS = 20 };

static struct sockaddr_in server; /* of the listener, or of nobody */
static int listener, client, accepted;
static uint64_t elapsed, since;

static int need(int result, const char *what)
{
	if (result >= 0)
		return result;
	perror(what);
	exit(1);
}

/* ---- the stopwatch ---- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void start(void)
{
	since = now();
}

static void stop(void)
{
	elapsed += now() - since;
}

/* ---- what a row needs first ---- */

static void nothing(void)
{
}

static void port_at(int fd, in_addr_t address)
{
	socklen_t len = sizeof(server);

	server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	need(bind(fd, (struct sockaddr *)&server, len), "bind");
	need(getsockname(fd, (struct sockaddr *)&server, &len), "getsockname");
}

static void any_port(int fd)
{
	port_at(fd, INADDR_LOOPBACK);
}

/* Accepted sockets inherit SO_LINGER: they end with a reset, and no port waits. */
static void listen_at(in_addr_t address)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	listener = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
	port_at(listener, address);
	setsockopt(listener, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	need(listen(listener, 16), "listen");
}

static void with_listener(void)
{
	listen_at(INADDR_LOOPBACK);
}

/* Clients are sent to 127.0.0.1; a rule may send them to any other address. */
static void with_listener_anywhere(void)
{
	listen_at(INADDR_ANY);
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

static void with_connection(void)
{
	with_listener();
	client = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
	need(connect(client, (struct sockaddr *)&server, sizeof(server)), "connect");
	accepted = need(accept(listener, NULL, NULL), "accept");
}

static void with_udp_peer(void)
{
	any_port(need(socket(AF_INET, SOCK_DGRAM, 0), "socket"));
}

/* A port where nobody listens. */
static void with_nobody(void)
{
	any_port(need(socket(AF_INET, SOCK_STREAM, 0), "socket"));
}

static void hold(int count)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	while (count-- > 0)
		need(socket(AF_INET, SOCK_STREAM, 0), "socket (ulimit -Hn is too low)");
}

static void with_1000(void)
{
	hold(1000);
}

static void with_10000(void)
{
	hold(10000);
}

static void with_19000(void)
{
	hold(19000);
}

/* ---- the rows ---- */

static void sockets(long n)
{
	start();
	while (n-- > 0)
		close(socket(AF_INET, SOCK_STREAM, 0));
	stop();
}

static void bound(long n)
{
	struct sockaddr_in any = {.sin_family = AF_INET};

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	start();
	while (n-- > 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		need(bind(fd, (struct sockaddr *)&any, sizeof(any)), "bind");
		close(fd);
	}
	stop();
}

static void connections(long n)
{
	start();
	while (n-- > 0) {
		struct sockaddr_in peer;
		socklen_t len = sizeof(peer);
		int fd = socket(AF_INET, SOCK_STREAM, 0), to;

		need(connect(fd, (struct sockaddr *)&server, sizeof(server)), "connect");
		to = need(accept(listener, (struct sockaddr *)&peer, &len), "accept");
		close(to);
		close(fd);
	}
	stop();
}

static void udp(long n)
{
	start();
	while (n-- > 0) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		need(connect(fd, (struct sockaddr *)&server, sizeof(server)), "connect");
		close(fd);
	}
	stop();
}

static void refused(long n)
{
	start();
	while (n-- > 0) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		if (connect(fd, (struct sockaddr *)&server, sizeof(server)) == 0)
			exit(1);
		close(fd);
	}
	stop();
}

static void send_recv(long n)
{
	char packet[PACKET] = "";

	start();
	while (n-- > 0) {
		need((int)send(client, packet, sizeof(packet), 0), "send");
		need((int)recv(accepted, packet, sizeof(packet), 0), "recv");
	}
	stop();
}

static void write_read(long n)
{
	char packet[PACKET] = "";

	start();
	while (n-- > 0) {
		need((int)write(client, packet, sizeof(packet)), "write");
		need((int)read(accepted, packet, sizeof(packet)), "read");
	}
	stop();
}

/* open is not timed: close alone is. */
static void close_files(long n)
{
	int fd[BATCH];

	for (long done = 0; done < n;) {
		long count = n - done < BATCH ? n - done : BATCH;

		for (long i = 0; i < count; i++)
			fd[i] = need(open("/dev/null", O_RDONLY), "/dev/null");
		start();
		for (long i = 0; i < count; i++)
			close(fd[i]);
		stop();
		done += count;
	}
}

static void forks(long n)
{
	start();
	while (n-- > 0) {
		pid_t pid = need(fork(), "fork");

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	stop();
}

/* Programs start with CHILD_PRELOAD; this one has none itself. */
static void starts(long n)
{
	char name[] = "true", *argv[] = {name, NULL};

	start();
	while (n-- > 0) {
		int status;
		pid_t pid;

		if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ) != 0)
			exit(1);
		waitpid(pid, &status, 0);
		if (status != 0)
			exit(1);
	}
	stop();
}

static void with_child_preload(void)
{
	const char *preload = getenv("CHILD_PRELOAD");

	if (preload)
		setenv("LD_PRELOAD", preload, 1);
}

/* ---- a client: connections to SERVER_PORT, a REQUEST on each, read to the end ---- */

static const char *request;

static void with_server(void)
{
	const char *port = getenv("SERVER_PORT");

	request = getenv("REQUEST");
	if (!port || !request)
		exit(2);
	server = (struct sockaddr_in){.sin_family = AF_INET,
	                              .sin_port = htons((uint16_t)atoi(port)),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void requests(long n)
{
	char answer[512];
	int fd[CLIENTS];

	start();
	for (long done = 0; done < n; done += CLIENTS) {
		for (int i = 0; i < CLIENTS; i++) {
			fd[i] = need(socket(AF_INET, SOCK_STREAM, 0), "socket");
			need(connect(fd[i], (struct sockaddr *)&server, sizeof(server)), "connect");
			need((int)send(fd[i], request, strlen(request), 0), "send");
		}
		for (int i = 0; i < CLIENTS; i++) {
			while (need((int)recv(fd[i], answer, sizeof(answer), 0), "recv") > 0)
				;
			close(fd[i]);
		}
	}
	stop();
}

/* ---- threads: a pool that waits at a barrier ---- */

static pthread_barrier_t gate;
static long share; /* rounds a thread */

static void *thread_main(void *nothing_at_all)
{
	for (;;) {
		pthread_barrier_wait(&gate);
		for (long i = 0; i < share; i++)
			close(socket(AF_INET, SOCK_STREAM, 0));
		pthread_barrier_wait(&gate);
	}
	return nothing_at_all;
}

static int pool;

static void with_threads(int count)
{
	pthread_t thread;

	pool = count;
	pthread_barrier_init(&gate, NULL, (unsigned)count + 1);
	for (int i = 0; i < count; i++)
		pthread_create(&thread, NULL, thread_main, NULL);
}

static void with_2_threads(void)
{
	with_threads(2);
}

static void with_8_threads(void)
{
	with_threads(8);
}

static void threads(long n)
{
	share = n / pool;
	start();
	pthread_barrier_wait(&gate);
	pthread_barrier_wait(&gate);
	stop();
}

static const struct row {
	const char *name;
	void (*prepare)(void);
	void (*run)(long n);
} rows[] = {
        {"socket", nothing, sockets},
        {"bind", nothing, bound},
        {"connect", with_listener, connections},
        {"anywhere", with_listener_anywhere, connections},
        {"udp", with_udp_peer, udp},
        {"refused", with_nobody, refused},
        {"send", with_connection, send_recv},
        {"write", with_connection, write_read},
        {"close", nothing, close_files},
        {"threads2", with_2_threads, threads},
        {"threads8", with_8_threads, threads},
        {"open1000", with_1000, sockets},
        {"open19000", with_19000, sockets},
        {"fork", nothing, forks},
        {"fork10000", with_10000, forks},
        {"start", with_child_preload, starts},
        {"request", with_server, requests},
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

static const struct row *find(const char *name)
{
	for (int i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	fprintf(stderr, "work: no row '%s'\n", name);
	exit(2);
}

static void answer(const struct row *row)
{
	long n;

	while (scanf("%ld", &n) == 1) {
		elapsed = 0;
		row->run(n);
		printf("%llu\n", (unsigned long long)elapsed);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	const struct row *row;

	if (argc < 2) {
		for (int i = 0; i < ROWS; i++)
			puts(rows[i].name);
		return 0;
	}
	row = find(argv[1]);
	row->prepare();
	if (argc > 2)
		row->run(atol(argv[2]));
	else
		answer(row);
	return 0;
}
