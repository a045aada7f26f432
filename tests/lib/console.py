#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""console.py FILE - runs what a text shows in its ```console blocks, in one bash; the
lines are commands ("$ ...") and what they print. What differs from run to run may:
times, process numbers, seeds, which port of 30000-30999 it is, and the figures of what spins, with
the ends of lines there. A command that ends with & goes on; its output is waited for."""

import re
import subprocess
import sys
import threading

PATIENCE = 120
MARK = '--- end of a command'
KILLED = re.compile(r'bash: line \d+: +\d+ Terminated')


def blocks(text):
    """The blocks of a text: lists of [command, line...]."""
    for block in re.findall(r'^```console\n(.*?)^```$', text, re.M | re.S):
        steps = []
        for line in block.splitlines():
            if line.startswith('$ '):
                steps.append([line[2:]])
            else:
                steps[-1].append(line)
        yield steps


def unwrapped(lines):
    """A sentence of a report, indented by six or more, as one line."""
    whole = []
    for line in lines:
        if whole and line.startswith(' ' * 6) and whole[-1].startswith(' ' * 6):
            whole[-1] += line[5:]
        else:
            whole.append(line)
    return whole


def alike(line):
    line = re.sub(r'\b\d{4}-\d\d-\d\dT[\d:.]+Z', 'then', line)
    line = line.rstrip()
    line = re.sub(r'\b(\w+)\[\d+\]', r'\1[pid]', line)
    line = re.sub(r'\bseed 0x[\da-f]+', 'seed', line)
    if re.search('in a row|a second', line):
        line = re.sub(r'\b\d[\d,.]*( [mun]?s\b)?', 'n', line)
    return re.sub(r'\b30\d{3}\b', '30nnn', line)


class Shell:
    def __init__(self):
        self.bash = subprocess.Popen(['bash'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.timer = threading.Timer(PATIENCE, self.bash.kill)
        self.timer.start()

    def write(self, line):
        self.bash.stdin.write(line + '\n')

    def read(self):
        return self.bash.stdout.readline()[:-1]

    def step(self, command, lines):
        """Run a command. Returns what it printed: as many lines if it stays behind."""
        self.write(command)
        if command.endswith('&'):
            return [self.read() for _ in lines]
        self.write('echo; echo "%s"' % MARK)
        printed = []
        while self.bash.poll() is None:
            line = self.read()
            if line == MARK:
                break
            if not KILLED.match(line):
                printed.append(line)
        return printed[:-1]

    def end(self):
        self.write('kill $(jobs -p) 2>/dev/null; wait; exit')
        self.bash.stdin.close()
        self.bash.stdout.read()
        self.bash.wait()
        self.timer.cancel()


def run(shell, steps):
    """A block of them; what it has left running is waited for."""
    for command, *lines in steps:
        printed = shell.step(command, lines)
        if [*map(alike, unwrapped(printed))] != [*map(alike, unwrapped(lines))]:
            print('$ %s' % command, *printed, '--- expected:', *lines, sep='\n')
            return False
    shell.step('wait', [])
    return True


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        all_steps = list(blocks(file.read()))
    shell = Shell()
    good = all_steps and all(run(shell, steps) for steps in all_steps)
    shell.end()
    print('%d blocks' % len(all_steps))
    sys.exit(0 if good else 1)


main()
