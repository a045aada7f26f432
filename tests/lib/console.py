#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""console.py FILE - runs what a text shows: each ```console block is a session of
bash, its lines are commands ("$ ...") and what they print. What differs from run to
run may: times, and which port of 30000-30999 it is.
A command that ends with & goes on; its output is waited for."""

import re
import subprocess
import sys
import threading

PATIENCE = 20
MARK = '--- end of a command'


def blocks(text):
    """The sessions of a text: lists of [command, line...]."""
    for block in re.findall(r'^```console\n(.*?)^```$', text, re.M | re.S):
        steps = []
        for line in block.splitlines():
            if line.startswith('$ '):
                steps.append([line[2:]])
            else:
                steps[-1].append(line)
        yield steps


def alike(line):
    line = re.sub(r'\b\d{4}-\d\d-\d\dT[\d:.]+Z', 'then', line)
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
            printed.append(line)
        return printed[:-1]

    def end(self):
        self.write('kill $(jobs -p) 2>/dev/null; wait')
        self.bash.stdin.close()
        self.bash.stdout.read()
        self.bash.wait()
        self.timer.cancel()


def run(steps):
    shell, good = Shell(), True
    for command, *lines in steps:
        printed = shell.step(command, lines)
        if [alike(line) for line in printed] != [alike(line) for line in lines]:
            print('$ %s' % command, *printed, '--- expected:', *lines, sep='\n')
            good = False
            break
    shell.end()
    return good


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        results = [run(steps) for steps in blocks(file.read())]
    print('%d sessions' % len(results))
    sys.exit(0 if results and all(results) else 1)


main()
