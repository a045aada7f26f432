# SPDX-License-Identifier: MIT
"""A program that meets failures in known ways, one behind the other. recover.py WHAT"""
import errno
import select
import socket
import sys
import time


def listener():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(64)
    return s


def connect(address):
    s = socket.socket()
    error = s.connect_ex(address)
    if error:
        s.close()
    return None if error else s


def accept(pause):
    """Accept one connection, however long it takes."""
    s = listener()
    client = connect(s.getsockname())
    while True:
        try:
            s.accept()[0].close()
            client.close()
            return
        except OSError:
            time.sleep(pause)


def spin():
    accept(0)


def wait():
    accept(0.02)


def retry():
    """Connect, waiting longer each time; give up a name at once."""
    s = listener()
    pause = 0.01
    while not connect(s.getsockname()):
        time.sleep(pause)
        pause *= 2
    try:
        socket.getaddrinfo("localhost", 80)
    except socket.gaierror:
        sys.exit(3)


def reset():
    """Send on a connection until it fails, then make another."""
    s = listener()
    client = connect(s.getsockname())
    try:
        for _ in range(9):
            client.send(b"x")
    except OSError:
        client.close()
    client = connect(s.getsockname())


def later():
    """Connect without waiting, until it is made."""
    s = listener()
    for _ in range(9):
        client = socket.socket()
        client.setblocking(False)
        if client.connect_ex(s.getsockname()) == errno.EINPROGRESS:
            select.select([], [client], [])
        if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            return
        client.close()
        time.sleep(0.02)


def hoard():
    """Take descriptors until there are none."""
    held = []
    try:
        while True:
            held.append(socket.socket())
    except OSError:
        held.pop().close()
    socket.socket()


def churn():
    """Close each connection first, and run out of ports."""
    s = listener()
    for _ in range(99):
        client = connect(s.getsockname())
        if not client:
            return
        client.close()


globals()[sys.argv[1]]()
