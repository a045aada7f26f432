/* SPDX-License-Identifier: MIT */
/* calls: __socket __connect __send __sendmmsg __close __dup2 __fcntl fcntl64 */
/* calls: __fork __libc_fork __clone __vfork */
/* The second names that glibc has for its calls. */
#include <dlfcn.h>
#include <sched.h>
#include <signal.h>

#include "message.h"

#ifdef __GLIBC__
/* The call of that name, as a function that takes up to five words. */
static long (*named(const char *name))(long, ...)
{
	long (*call)(long, ...);

	*(void **)&call = dlsym(RTLD_DEFAULT, name);
	if (!call)
		printf("no %s here\n", name);
	return call;
}

static int in_clone(void *arg)
{
	close(*(int *)arg);
	return 8;
}

static void children(int fd)
{
	static char stack[256 << 10] __attribute__((aligned(16)));
	static const char *const name[] = {"__fork", "__libc_fork"};
	pid_t (*call)(void);
	pid_t pid;
	size_t i;

	for (i = 0; i < sizeof name / sizeof name[0]; i++) {
		*(void **)&call = dlsym(RTLD_DEFAULT, name[i]);
		if (!call) {
			printf("no %s here\n", name[i]);
			continue;
		}
		pid = call();
		if (pid == 0) {
			close(fd);
			_exit(7);
		}
		show_child(name[i], pid);
		show_names("parent's", fd);
	}
	pid = (pid_t)named("__clone")((long)in_clone, stack + sizeof stack, SIGCHLD, &fd);
	show_child("__clone", pid);
	show_names("parent's", fd);
}

pid_t __vfork(void) __attribute__((returns_twice));

static void shared_memory_child(int fd)
{
	pid_t pid = __vfork();

	if (pid == 0) {
		close(fd);
		_exit(close(fd) == -1 && errno == EBADF ? 6 : 5);
	}
	show_child("__vfork", pid);
	show_names("parent's", fd);
}

int main(void)
{
	struct message message;
	struct mmsghdr batch[1];
	int sink, fd, udp;
	struct address to;

	begin();
	sink = listening("127.0.0.1", 4);
	to = local_of(sink);
	fd = (int)TRY((int)named("__socket")(AF_INET, SOCK_STREAM, 0));
	TRY((int)named("__connect")(fd, AT(to)));
	show_names("connected", fd);
	TRY((int)named("__connect")(fd, AT(to)));
	TRY((int)named("__send")(fd, "x", 1L, 0));
	TRY((int)named("__send")(-1, "x", 1L, 0));
	TRY((int)named("__fcntl")(fd, F_DUPFD, 20));
	TRY((int)named("fcntl64")(fd, F_DUPFD_CLOEXEC, 20));
	TRY((int)named("__dup2")(fd, 30));
	TRY((int)named("__close")(20));
	TRY((int)named("__close")(20));
	udp = bound("127.0.0.1", SOCK_DGRAM);
	to = local_of(udp);
	message_out(&message, "hello", &to);
	batch[0].msg_hdr = message.hdr;
	TRY((int)named("__sendmmsg")(udp, batch, 1, 0));
	show_poll("udp", udp);
	children(fd);
	shared_memory_child(fd);
	return end();
}
#else
int main(void)
{
	printf("this libc has no such names\n");
	return 0;
}
#endif
