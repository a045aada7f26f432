# SPDX-License-Identifier: MIT
"""Does one call for each line that it reads, and says how it went: see live.c."""

import errno
import socket
import sys
import threading

PORT = int(sys.argv[1])


def say(what, call):
    try:
        call()
        print(what, "fine", flush=True)
    except OSError as error:
        print(what, errno.errorcode[error.errno], flush=True)


def connect():
    with socket.socket() as s:
        s.connect(("127.0.0.1", PORT))


def bind():
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", PORT))
        print("told %d," % (s.getsockname()[1] - PORT), end=" ")


def serve():
    listener = socket.create_server(("127.0.0.1", PORT + 2))

    def loop():
        while True:
            say("accept", lambda: listener.accept()[0].close())

    threading.Thread(target=loop, daemon=True).start()


clients = []


def knock():
    client = socket.socket()
    client.bind(("127.0.0.2", 0))
    client.connect(("127.0.0.1", PORT + 2))
    clients.append(client)


for line in sys.stdin:
    word = line.strip()
    if word == "knock":
        knock()
    else:
        say(word, globals()[word])
