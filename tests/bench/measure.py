# SPDX-License-Identifier: MIT
"""measure.py - ratios of time, counts of instructions and system calls.

A ratio is the median over many short rounds; in each, the same loop (work.c) runs
in one way and in the other, one right after the other, in two processes that live
through many rounds. Several pairs of processes take turns, since a process keeps the
luck of its memory layout for life.

Instructions (valgrind --tool=callgrind) and system calls (strace -c) are those that
one way adds to a round of the other: counts at two lengths of the loop. They do not
depend on the machine."""

import os
import shutil
import statistics
import subprocess
import sys

PAIRS = 5
ROUND_NS = 2_000_000
SOME, MORE = 500, 2500  # rounds for the counts

BUILD = os.path.abspath(sys.argv[1])
WORK = f"{BUILD}/tests/bench/work"
LIBRARY = f"{BUILD}/libtcpshim.so"


class Variant:
    """A way to run a program: with these variables, behind this prefix."""

    def __init__(self, name, preload=None, prefix=(), **env):
        self.name, self.preload, self.prefix, self.env = name, preload, list(prefix), env

    def environment(self, as_child=False):
        env = {k: v for k, v in os.environ.items() if not k.startswith("TCPSHIM")}
        env.pop("LD_PRELOAD", None)
        env.update(self.env)
        if self.preload:
            env["CHILD_PRELOAD" if as_child else "LD_PRELOAD"] = self.preload
        return env


def pin(cpus):
    return lambda: os.sched_setaffinity(0, cpus)


CPUS = sorted(os.sched_getaffinity(0))


class Worker:
    """A process that runs one row's loop again and again."""

    def __init__(self, row, variant, cpus=None):
        is_start = row.startswith("start")
        command = variant.prefix + [WORK, "start" if is_start else row]
        self.variant = variant
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True, bufsize=1,
                                        env=variant.environment(is_start),
                                        preexec_fn=pin(cpus or CPUS[-1:]))

    def run(self, n):
        """Nanoseconds a round."""
        self.process.stdin.write(f"{n}\n")
        answer = self.process.stdout.readline()
        if not answer:
            raise ChildProcessError(self.variant.name)
        return int(answer) / n

    def stop(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def rounds_for(row, ns):
    """How many make a round of the usual length, or longer where threads share them."""
    length = 5 * ROUND_NS if row.startswith("threads") else ROUND_NS
    return max(2, int(length / ns) // 8 * 8)


def clean(variant):
    state = variant.env.get("XDG_STATE_HOME")
    if state:
        shutil.rmtree(state, ignore_errors=True)


def ratios(row, base, variant, count, cpus):
    """The ratios and the base's times of one pair of processes."""
    pair = [Worker(row, base, cpus), Worker(row, variant, cpus)]
    found, times = [], []
    try:
        warm = [min(worker.run(8) for _ in range(3)) for worker in pair]
        n = [rounds_for(row, ns) for ns in warm]
        if warm[1] < 3 * warm[0]:
            n = [min(n)] * 2
        for i in range(count):
            order = (0, 1) if i % 2 else (1, 0)
            took = [0, 0]
            for which in order:
                took[which] = pair[which].run(n[which])
            found.append(took[1] / took[0])
            times.append(took[0])
            clean(variant)
    except (ChildProcessError, BrokenPipeError):
        pass
    for worker in pair:
        try:
            worker.stop()
        except BrokenPipeError:
            pass
    return found, times


def measure(row, base, variant, rounds):
    """(median ratio, median ns of the base), or None where it cannot run."""
    cpus = CPUS if row.startswith("threads") else CPUS[-1:]
    found, times = [], []
    for _ in range(PAIRS):
        more, took = ratios(row, base, variant, max(1, rounds // PAIRS), cpus)
        found += more
        times += took
        for session in (way.env.get("TCPSHIM_SESSION") for way in (base, variant)):
            if session and os.path.exists(session):
                os.unlink(session)
    return (statistics.median(found), statistics.median(times)) if found else None


# ---- counts -----------------------------------------------------------------

def instructions(row, variant, n):
    run = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", WORK,
                          row, str(n)], env=variant.environment(), capture_output=True, text=True,
                         check=False)
    for line in run.stderr.splitlines():
        if "Collected :" in line:
            return int(line.split(":")[1].split()[0])
    raise RuntimeError(run.stderr)


def system_calls(row, variant, n):
    table = f"{BUILD}/tests/bench/calls.{os.getpid()}"
    env = variant.environment()
    settings = [f"--env={name}={env.pop(name)}" for name in ("LD_PRELOAD", "TCPSHIM_SESSION", "TCPSHIM_RULES_FILE")
                if name in env]
    subprocess.run(["strace", "-f", "-c", "-o", table, *settings, WORK, row, str(n)], env=env,
                   check=True, stderr=subprocess.DEVNULL)
    with open(table, encoding="ascii") as lines:
        totals = [line.split() for line in lines if line.split()[-1:] == ["total"]]
    os.unlink(table)
    if totals:
        return int(totals[-1][3])
    raise RuntimeError("strace -c printed no total")


def slope(count, row, variant, some, more):
    """What one round takes."""
    return (count(row, variant, more) - count(row, variant, some)) / (more - some)


def added(count, row, base, variant, some, more):
    """What the variant adds to one round."""
    return slope(count, row, variant, some, more) - slope(count, row, base, some, more)


# ---- figures of a table ---------------------------------------------------------

def against(value, goal, form):
    """A figure; bold where it misses its goal."""
    text = form.format(0 if abs(value) < 0.5 and "0f" in form else value)
    return text if goal is None or float(text.replace(",", "")) <= goal else f"**{text}**"


def ratio(result, goal=None, form=None):
    form = form or ("{:.3f}" if goal else "{:.2f}")
    return against(result[0], goal, form) if result else "n/a"


def nanoseconds(ns):
    return f"{ns:,.0f} ns" if ns < 10000 else f"{ns / 1000:,.0f} µs"


def say(line):
    print(line, flush=True)
