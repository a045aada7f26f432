# SPDX-License-Identifier: MIT
"""Ports LOW to HIGH: bare by IP_LOCAL_PORT_RANGE, under rules by assign."""

import os
import socket
import struct
import sys

from observe import RULED, expect, outcome, show

LOW, HIGH = int(sys.argv[1]), int(sys.argv[2])
N = HIGH - LOW + 1
RANGE = struct.pack("I", HIGH << 16 | LOW)


def confined(family=socket.AF_INET, kind=socket.SOCK_STREAM):
    one = socket.socket(family, kind)
    if not RULED:
        one.setsockopt(socket.IPPROTO_IP, 51, RANGE)
    return one


def ports(sockets):
    return sorted(one.getsockname()[1] for one in sockets)


ALL = list(range(LOW, HIGH + 1))


def binds(family, kind, address):
    some = [confined(family, kind) for _ in range(N)]
    for one in some:
        show("bind", lambda: one.bind((address, 0)))
    expect(ports(some) == ALL, ports(some))
    more = confined(family, kind)
    show("one more", lambda: more.bind((address, 0)))
    some.pop().close()
    show("after a close", lambda: more.bind((address, 0)))
    for one in some + [more]:
        one.close()


def connects(family, address, others):
    listeners = [socket.create_server((name, int(os.environ["SERVER"])), family=family, backlog=64)
                 for name in [address] + others]
    kept = []
    for listener in listeners:
        some = [confined(family) for _ in range(N)]
        for one in some:
            show("connect", lambda: one.connect(listener.getsockname()))
        expect(ports(some) == ALL, ports(some))
        more = confined(family)
        show("one more", lambda: more.connect(listener.getsockname()))
        show("it has", lambda: more.getsockname()[1])
        late = confined(family)
        late.setblocking(False)
        show("not waiting", lambda: late.connect(listener.getsockname()))
        kept += some + [more, late]
    for one in kept:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()
    for listener in listeners:
        listener.close()


def packets():
    some = [confined(kind=socket.SOCK_DGRAM) for _ in range(N)]
    for one in some:
        show("sendto", lambda: one.sendto(b"x", ("127.0.0.1", 9)))
    expect(ports(some) == ALL, ports(some))
    more = confined(kind=socket.SOCK_DGRAM)
    show("one more", lambda: more.sendto(b"x", ("127.0.0.2", 9)))
    show("one more", lambda: more.connect(("127.0.0.2", 9)))
    expect(outcome(lambda: more.bind(("127.0.0.1", 0))) == "EADDRINUSE", "bind")


binds(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1")
binds(socket.AF_INET6, socket.SOCK_DGRAM, "::1")
connects(socket.AF_INET, "127.0.0.1", ["127.0.0.2", "127.0.0.3"])
connects(socket.AF_INET6, "::1", [])
packets()
