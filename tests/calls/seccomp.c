/* SPDX-License-Identifier: MIT */
/* calls: socket connect accept bind listen close shutdown dup sendto prctl */
/* A program in a sandbox that kills it for any system call but those that its
 * own source makes: nobody may add one. */
#include "observe.h"

#if defined __GLIBC__ && !defined __SANITIZE_THREAD__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const int allowed[] = {
        SYS_socket, SYS_connect, SYS_accept, SYS_bind,     SYS_listen,     SYS_close,
        SYS_dup,    SYS_sendto,  SYS_write,  SYS_shutdown, SYS_exit_group, SYS_getsockopt,
};

static void enter_sandbox(int by_syscall)
{
	enum { COUNT = sizeof allowed / sizeof allowed[0] };
	struct sock_filter code[2 * COUNT + 2];
	struct sock_fprog program = {.filter = code};
	int i, n = 0;

	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                         offsetof(struct seccomp_data, nr));
	for (i = 0; i < COUNT; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		                                         (unsigned)allowed[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	program.len = (unsigned short)n;
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (by_syscall)
		MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	else
		MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0));
}

static void work(int by_syscall)
{
	int listener = listening("127.0.0.1", 64), sink = bound("127.0.0.1", SOCK_DGRAM), i;
	struct address to = local_of(listener), sink_at = local_of(sink);
	struct address here = address_of("127.0.0.1", 0);

	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	printf("before\n");
	enter_sandbox(by_syscall);
	for (i = 0; i < 2000; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		int udp = socket(AF_INET, SOCK_DGRAM, 0);
		int other = dup(udp);

		if (fd != 5 || udp != 6 || other != 7)
			printf("fds %d %d %d\n", fd, udp, other);
		if (i % 100 == 0 && (connect(fd, AT(to)) != 0 || accept(listener, NULL, NULL) != 8))
			printf("no connection\n");
		if (sendto(udp, "x", 1, MSG_DONTWAIT, AT(sink_at)) != 1)
			printf("not sent\n");
		close(fd);
		close(udp);
		close(other);
		close(8);
	}
	int fd = (int)TRY(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	TRY(connect(fd, AT(to)));
	show_pending_error(fd);
	TRY(close(fd));
	fd = (int)TRY(socket(AF_INET, SOCK_STREAM, 0));
	TRY(bind(fd, AT(here)));
	TRY(listen(fd, 1));
	TRY(shutdown(fd, SHUT_RD));
	TRY(close(fd));
	_exit(0);
}

int main(void)
{
	int by_syscall;

	begin();
	for (by_syscall = 0; by_syscall < 2; by_syscall++) {
		pid_t pid = (pid_t)MUST(fork());

		if (pid == 0)
			work(by_syscall);
		show_child(by_syscall ? "sandbox by syscall()" : "sandbox by prctl()", pid);
	}
	return end();
}
#else
int main(void)
{
	printf("no kernel headers with this libc, or a thread of the sanitizer's own\n");
	TRY(close(TRY(socket(AF_INET, SOCK_STREAM, 0))));
	return 0;
}
#endif
