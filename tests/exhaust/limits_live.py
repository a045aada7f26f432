# SPDX-License-Identifier: MIT
# limits_live.py - answers one line for each that it reads: for limits that change while it
# runs, and for what a program is told of them.
import errno
import os
import resource
import socket
import sys

held = []
os.closerange(3, 100)


def fill(make):
    made = []
    try:
        while len(made) < 100:
            made.append(make())
    except OSError as error:
        return f"{len(made)} {errno.errorcode[error.errno]}"
    finally:
        for one in made:
            one.close()
    return f"{len(made)} and more"


def limits():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert os.sysconf("SC_OPEN_MAX") == soft
    return f"{soft} {hard}"


def hold(count):
    held.extend(socket.socket() for _ in range(int(count)))
    return "held"


def release():
    while held:
        held.pop().close()
    return "released"


def lower(soft):
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(soft), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return limits()


orders = {
    "room": lambda: fill(socket.socket),
    "files": lambda: fill(lambda: open("/dev/null", "rb", 0)),
    "limits": limits,
    "hold": hold,
    "release": release,
    "lower": lower,
}

for line in sys.stdin:
    words = line.split()
    print(orders[words[0]](*words[1:]), flush=True)
