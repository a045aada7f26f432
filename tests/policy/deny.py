# SPDX-License-Identifier: MIT
"""Denied: PORT (bind, connect, send), accept from 127.0.0.2; unix DIR/no*."""

import asyncio
import os
import socket
import subprocess
import sys
import threading

from observe import RULED, deny, expect, outcome, show

PORT = int(sys.argv[1])
DIR = sys.argv[2]
TO = ("127.0.0.1", PORT)


def tcp():
    return socket.socket()


def udp():
    return socket.socket(type=socket.SOCK_DGRAM)


def binds():
    with tcp() as one, udp() as two, socket.socket(socket.AF_INET6) as six:
        deny("bind tcp", lambda: one.bind(TO))
        deny("bind udp", lambda: two.bind(TO))
        show("a free port", lambda: six.bind(("::1", 0)))
    with tcp() as one:
        one.bind(("127.0.0.1", 0))
        show("bound", lambda: one.bind(("127.0.0.1", 0)))
    deny("create_server", lambda: socket.create_server(TO).close())


def connects():
    with tcp() as listener:
        listener.bind(("0.0.0.0", PORT))
        listener.listen()
        listener.setblocking(False)
        with tcp() as one:
            deny("connect", lambda: one.connect(TO))
        with tcp() as one:
            one.settimeout(5)
            deny("connect, with time", lambda: one.connect(TO))
        deny("create_connection", lambda: socket.create_connection(TO, 5).close())
        if RULED:
            expect(outcome(listener.accept) == "EAGAIN", "nothing came")
        asyncio.run(connects_later())
        child = "import socket\ntry:\n  socket.create_connection(('127.0.0.1', %d))\n" \
            "except PermissionError:\n  print('denied')" % PORT
        out = subprocess.run([sys.executable, "-c", child], env={}, stdout=subprocess.PIPE)
        expect(out.stdout == (b"denied\n" if RULED else b""), out)


async def connects_later():
    try:
        _, writer = await asyncio.open_connection(*TO)
        writer.close()
        result = None
    except OSError as error:
        result = error

    def again():
        if result:
            raise result
    deny("asyncio", again)


def accepts():
    listener = socket.create_server(("127.0.0.1", 0), backlog=8)
    clients = []
    for source in "127.0.0.2", "127.0.0.2", "127.0.0.3":
        client = tcp()
        client.bind((source, 0))
        client.connect(listener.getsockname())
        clients.append(client)
    peer, address = listener.accept()
    if RULED:
        expect(address[0] == "127.0.0.3", address)
        expect(outcome(lambda: clients[0].recv(1)) == "ECONNRESET", "a reset")
        expect(peer.getpeername() == clients[2].getsockname(), "names")
        listener.settimeout(0.05)
        client = tcp()
        client.bind(("127.0.0.2", 0))
        client.connect(listener.getsockname())
        try:
            listener.accept()
            expect(False, "nobody was to come")
        except TimeoutError:
            pass
    peer.close()
    listener.close()


def packets():
    with udp() as server, udp() as client, udp() as other:
        other.bind(("127.0.0.1", 0))
        server.bind(("0.0.0.0", PORT))
        deny("sendto", lambda: client.sendto(b"x", TO))
        deny("sendmsg", lambda: client.sendmsg([b"x"], [], 0, TO))
        deny("connect", lambda: client.connect(TO))
        with udp() as fresh:
            show("elsewhere", lambda: fresh.sendto(b"x", other.getsockname()))
            show("which comes", lambda: other.recv(9))


def locals_():
    with socket.socket(socket.AF_UNIX) as one:
        deny("unix", lambda: one.bind(DIR + "/no.sock"))
        expect(os.path.exists(DIR + "/no.sock") != RULED, "the file")
    with socket.socket(socket.AF_UNIX) as one:
        show("unix", lambda: one.bind(DIR + "/yes.sock"))
    for name in "/no.sock", "/yes.sock":
        if os.path.exists(DIR + name):
            os.unlink(DIR + name)


def threads():
    results = []

    def work():
        for _ in range(100):
            with tcp() as one:
                results.append(outcome(lambda: one.bind(TO)))
    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if RULED:
        expect(set(results) == {"EACCES"}, set(results))


binds()
connects()
accepts()
packets()
locals_()
threads()
