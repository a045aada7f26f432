# SPDX-License-Identifier: MIT
"""Moved from ASKED to REAL: bind and connect of TCP, send and connect of UDP."""

import array
import asyncio
import http.server
import os
import socket
import socketserver
import subprocess
import sys
import threading
import urllib.request

from observe import RULED, expect, show

ASKED, REAL = int(sys.argv[1]), int(sys.argv[2])
HERE = ("127.0.0.1", ASKED)
PLACE = REAL if RULED else ASKED


def listening_ports():
    """What the kernel says, of this network namespace."""
    with open("/proc/net/tcp") as table:
        rows = [row.split() for row in table.readlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A"}


def server():
    return socket.create_server(HERE)


def names():
    with server() as listener, socket.create_connection(HERE) as client:
        expect(PLACE in listening_ports(), "it listens there")
        peer, address = listener.accept()
        show("listener", listener.getsockname)
        show("peer", client.getpeername)
        show("accepted", lambda: peer.getsockname() == HERE)
        expect(address == client.getsockname() == peer.getpeername(), "the client")
        with client.dup() as two:
            show("dup", two.getpeername)
        # to a child that has but the descriptor, and an empty environment
        child = "import socket\ns = socket.socket(fileno=%d)\n" \
            "print(s.getsockname(), s.getpeername()[1])"
        for one in client, peer:
            out = subprocess.run([sys.executable, "-c", child % one.fileno()], env={},
                                 pass_fds=[one.fileno()], stdout=subprocess.PIPE, check=True)
            expect(str(ASKED) in out.stdout.decode(), out)
            expect(RULED == (str(REAL) not in out.stdout.decode()) or not RULED, out)
        # and to a process that was there before
        peer.close()


def rights():
    left, right = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _, fds, _, _ = socket.recv_fds(right, 1, 1)
        with socket.socket(fileno=fds[0]) as one:
            show("received", one.getsockname)
        os._exit(0)
    with server() as listener:
        socket.send_fds(left, [b"x"], array.array("i", [listener.fileno()]))
        os.waitpid(pid, 0)


def web():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"%d" % self.connection.getsockname()[1])

        def log_message(self, *args):
            pass

    socketserver.TCPServer.allow_reuse_address = True
    with http.server.HTTPServer(HERE, Handler) as httpd:
        threading.Thread(target=httpd.handle_request, daemon=True).start()
        with urllib.request.urlopen("http://127.0.0.1:%d/" % ASKED, timeout=5) as answer:
            show("http", answer.read)


async def loops():
    async def handle(reader, writer):
        writer.write(repr(writer.get_extra_info("sockname")).encode())
        writer.close()

    async with await asyncio.start_server(handle, *HERE, reuse_address=True):
        reader, writer = await asyncio.open_connection(*HERE)
        print("asyncio", writer.get_extra_info("peername"), await reader.read())
        writer.close()


def packets():
    with socket.socket(type=socket.SOCK_DGRAM) as one, \
            socket.socket(type=socket.SOCK_DGRAM) as two:
        two.bind(("127.0.0.1", PLACE))
        show("sendto", lambda: one.sendto(b"x", HERE))
        source = two.recvfrom(9)[1]
        two.sendto(b"y", source)
        two.sendto(b"z", source)
        show("recvfrom", lambda: one.recvfrom(9))
        show("recvmsg", lambda: one.recvmsg(9))
        one.connect(HERE)
        show("peer", one.getpeername)
        one.send(b"x")
        two.sendto(b"y", two.recvfrom(9)[1])
        show("recvfrom", lambda: one.recvfrom(9))


names()
rights()
web()
asyncio.run(loops())
packets()
