/* SPDX-License-Identifier: MIT */
/* sweep_child.c - see sweep_child.h. */
#include "tools/sweep_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/launch.h"
#include "tools/sweep_kin.h"

/* How long it may take to follow SIGTERM, and to go after SIGKILL. */
#define GRACE_NS ((uint64_t)1000 * 1000 * 1000)

uint64_t sweep_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- start ---- */

/* The child: become the program, or say why not. */
static _Noreturn void become(const struct sweep_child *child, const struct sweep_start *start,
                             const int out[2], const int err[2], int report)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY), error;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* should we be killed, nobody would end it */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	dup2(null, STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	dup2(err[1], STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
	error = launch_environment(start->library, child->session);
	if (start->wants_sites)
		setenv("TCPSHIM_SITES", "1", 1);
	else
		unsetenv("TCPSHIM_SITES");
	if (!error) {
		execvp(start->argv[0], start->argv);
		error = -errno;
	}
	if (write(report, &error, sizeof(error)) < 0)
		error = -EIO; /* the status below is all that is left */
	_exit(127);
}

static void close_both(const int ends[2])
{
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

/* Fork; and wait until exec has gone well or not. */
static int start_in(struct sweep_child *child, const struct sweep_start *start, const int out[2],
                    const int err[2])
{
	int report[2], error = 0;

	if (pipe2(report, O_CLOEXEC) != 0)
		return -errno;
	fflush(NULL);
	child->start_ns = sweep_now_ns();
	child->pid = fork();
	if (child->pid == 0)
		become(child, start, out, err, report[1]);
	if (child->pid < 0)
		error = -errno;
	else
		setpgid(child->pid, child->pid); /* whoever of us comes first */
	close(report[1]);
	/* nothing to read: exec has closed the other end */
	if (!error && read(report[0], &error, sizeof(error)) != sizeof(error))
		error = 0;
	close(report[0]);
	if (error && child->pid > 0)
		waitpid(child->pid, NULL, 0);
	return error;
}

int sweep_child_start(struct sweep_child *child, const struct sweep_start *start)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};
	int error = pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0 ? 0 : -errno;

	if (!error)
		error = start_in(child, start, out, err);
	if (error) {
		child->pid = 0;
		close_both(out);
		close_both(err);
		return error;
	}
	close(out[1]);
	close(err[1]);
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	child->out = (struct sweep_output){.fd = out[0]};
	child->err = (struct sweep_output){.fd = err[0]};
	child->stage = STAGE_RUNS;
	child->has_ended = child->timed_out = child->was_stopped = false;
	child->vanished = 0;
	child->busy_ns = 0;
	child->watch.fd = -1;
	if (start->rule)
		sweep_watch_begin(&child->watch, child->session, start->rule, start->turn,
		                  child->start_ns);
	child->deadline_ns = start->timeout_ns ? child->start_ns + start->timeout_ns : SWEEP_NEVER;
	return 0;
}

/* ---- output ---- */

static void keep_tail(struct sweep_output *output, const char *bytes, size_t len)
{
	const size_t room = sizeof(output->tail);
	size_t kept = output->tail_len;

	if (len >= room) {
		memcpy(output->tail, bytes + len - room, room);
		output->tail_len = room;
		return;
	}
	if (kept + len > room) {
		size_t lost = kept + len - room;

		memmove(output->tail, output->tail + lost, kept - lost);
		kept -= lost;
	}
	memcpy(output->tail + kept, bytes, len);
	output->tail_len = kept + len;
}

static void end_output(struct sweep_output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	output->fd = -1;
}

void sweep_child_read(struct sweep_output *output)
{
	char bytes[1 << 16];
	ssize_t got = 0;

	if (output->fd < 0)
		return;
	/* one at a time: a program that writes without end must not keep us here */
	got = read(output->fd, bytes, sizeof(bytes));
	if (got > 0) {
		output->hash = sweep_hash(output->hash, bytes, (size_t)got);
		output->bytes += (uint64_t)got;
		keep_tail(output, bytes, (size_t)got);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_output(output);
	}
}

/* The end of the last line that says something. */
static void last_line(char said[SWEEP_SAID_MAX + 1], const struct sweep_output *output)
{
	size_t end = output->tail_len, begin;

	while (end > 0 && strchr(" \t\r\n", output->tail[end - 1]))
		end--;
	begin = end;
	/* behind a carriage return, it is the last that a terminal shows */
	while (begin > 0 && output->tail[begin - 1] != '\n' && output->tail[begin - 1] != '\r' &&
	       end - begin < SWEEP_SAID_MAX)
		begin--;
	memset(said, 0, SWEEP_SAID_MAX + 1);
	memcpy(said, output->tail + begin, end - begin);
}

/* ---- its processes ---- */

static void send_all(struct sweep_child *child, int number)
{
	kill(-child->pid, number);
	sweep_kin_send(child->session, child->pid, number);
	kill(-child->pid, SIGCONT);
	child->stage = number == SIGKILL ? STAGE_KILLED : STAGE_ASKED;
	child->deadline_ns = sweep_now_ns() + GRACE_NS;
}

static void note_end(struct sweep_child *child, const siginfo_t *info)
{
	bool exited = info->si_code == CLD_EXITED;

	child->has_ended = true;
	child->end = (struct sweep_end){
	        .status = exited ? info->si_status : -1,
	        .signal = exited ? 0 : info->si_status,
	        .took_ns = sweep_now_ns() - child->start_ns,
	};
	if (child->stage != STAGE_RUNS)
		return;
	/* now: what still runs will die of us */
	child->vanished = sweep_kin_vanished(child->session, child->pid);
	send_all(child, SIGTERM);
}

static uint64_t cpu_ns(const struct rusage *usage)
{
	return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000;
}

static void finish(struct sweep_child *child)
{
	struct rusage usage;
	int status;

	if (wait4(child->pid, &status, 0, &usage) == child->pid)
		child->end.busy_ns = cpu_ns(&usage);
	if (child->end.busy_ns < child->busy_ns)
		child->end.busy_ns = child->busy_ns;
	end_output(&child->out);
	end_output(&child->err);
	sweep_watch_end(&child->watch);
	child->end.timed_out = child->timed_out;
	child->end.output = child->out.hash;
	last_line(child->end.said, &child->err);
	child->stage = STAGE_OVER;
}

static bool is_over(const struct sweep_child *child)
{
	return child->has_ended && child->out.fd < 0 && child->err.fd < 0 &&
	       sweep_kin_send(child->session, child->pid, 0) == 0;
}

void sweep_child_step(struct sweep_child *child)
{
	siginfo_t info = {.si_pid = 0};
	uint64_t now = sweep_now_ns();
	bool is_due = child->deadline_ns && now >= child->deadline_ns;

	if (!child->has_ended &&
	    waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == child->pid)
		note_end(child, &info);
	if (is_over(child)) {
		finish(child);
	} else if (child->stage == STAGE_RUNS && (sweep_watch_look(&child->watch, now) || is_due)) {
		child->timed_out = true;
		child->busy_ns = sweep_kin_busy_ns(child->session, child->pid);
		send_all(child, SIGTERM);
	} else if (is_due && child->stage == STAGE_ASKED) {
		send_all(child, SIGKILL);
	} else if (is_due && child->has_ended) { /* somebody else holds its output */
		finish(child);
	}
}

void sweep_child_stop(struct sweep_child *child)
{
	child->was_stopped = true;
	if (child->stage == STAGE_RUNS)
		send_all(child, SIGTERM);
}
