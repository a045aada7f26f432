/* SPDX-License-Identifier: MIT */
/* launch.c - see launch.h.
 * All signals that matter are blocked and fetched one by one, so that nothing
 * happens between two instructions. A signal that the kernel sent (si_code
 * SI_KERNEL: the terminal) reached the program too; any other was meant for us
 * and is handed on. */
#include "tools/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int fetched[] = {SIGCHLD, SIGINT,  SIGQUIT, SIGTERM,  SIGHUP,
                              SIGUSR1, SIGUSR2, SIGTSTP, SIGWINCH, SIGCONT};

static sigset_t fetched_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(fetched) / sizeof(fetched[0]); i++)
		sigaddset(&set, fetched[i]);
	return set;
}

/* With SIGCHLD ignored, as some parents leave it, there would be no status. */
static void hold_signals(struct launch *launch)
{
	struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t set = fetched_set();

	sigprocmask(SIG_BLOCK, &set, &launch->mask);
	sigaction(SIGCHLD, &normal, &launch->on_child);
}

static void release_signals(const struct launch *launch)
{
	sigaction(SIGCHLD, &launch->on_child, NULL);
	sigprocmask(SIG_SETMASK, &launch->mask, NULL);
}

/* The rules are in the session; what asked for them is not the program's. */
int launch_environment(const char *library, const char *session)
{
	static const char *const ours[] = {"TCPSHIM_RULES", "TCPSHIM_RULES_FILE", "TCPSHIM_SEED"};
	const char *others = getenv("LD_PRELOAD");
	char *preload = NULL;
	int failed;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		unsetenv(ours[i]);
	if (others && *others) {
		if (asprintf(&preload, "%s:%s", library, others) < 0)
			return -ENOMEM;
		library = preload;
	}
	failed =
	        setenv("LD_PRELOAD", library, 1) != 0 || setenv("TCPSHIM_SESSION", session, 1) != 0;
	free(preload);
	return failed ? -ENOMEM : 0;
}

/* The child: become the program, or say why not. */
static _Noreturn void become(const struct launch *launch, char **argv, const char *library,
                             const char *session, int report)
{
	int error = launch_environment(library, session);

	release_signals(launch);
	if (!error) {
		execvp(argv[0], argv);
		error = -errno;
	}
	if (write(report, &error, sizeof(error)) < 0)
		error = -EIO; /* the status below is all that is left */
	_exit(127);
}

int launch_start(struct launch *launch, char **argv, const char *library, const char *session)
{
	int ends[2], error = 0;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	fflush(NULL);
	hold_signals(launch);
	launch->pid = fork();
	if (launch->pid == 0)
		become(launch, argv, library, session, ends[1]);
	if (launch->pid < 0)
		error = -errno;
	close(ends[1]);
	/* nothing to read: exec has closed the other end */
	if (!error && read(ends[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(ends[0]);
	if (!error)
		return 0;
	if (launch->pid > 0)
		waitpid(launch->pid, NULL, 0);
	release_signals(launch);
	return error;
}

static bool is_terminal_stop(int status)
{
	int stop = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;

	return stop == SIGTSTP || stop == SIGTTIN || stop == SIGTTOU;
}

/* After SIGCHLD. Returns true when the program has ended. */
static bool collect(const struct launch *launch, int *status)
{
	while (waitpid(launch->pid, status, WNOHANG | WUNTRACED) == launch->pid) {
		if (!WIFSTOPPED(*status))
			return true;
		/* our shell shall see the job stop; SIGSTOP cannot be blocked */
		if (is_terminal_stop(*status)) {
			kill(getpid(), SIGSTOP);
			kill(launch->pid, SIGCONT);
		}
	}
	return false;
}

int launch_wait(struct launch *launch)
{
	sigset_t set = fetched_set();
	siginfo_t info;
	int status = 0;

	for (;;) {
		int got = sigwaitinfo(&set, &info);

		if (got == SIGCHLD) {
			if (collect(launch, &status))
				break;
		} else if (got > 0 && info.si_code != SI_KERNEL) {
			kill(launch->pid, got);
		}
	}
	release_signals(launch);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
