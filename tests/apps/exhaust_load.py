# SPDX-License-Identifier: MIT
"""exhaust_load.py PORT N REQUEST - what a server does that N clients hold at once. Says how
many of them had a good answer while all were there, and whether a new client has one when
they are gone."""

import select
import socket
import sys
import time

HOLD, PATIENCE = 0.4, 4
port, count, request = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].encode() + b'\r\n'
if request.startswith(b'GET'):
    request += b'Host: here\r\n\r\n'


def is_good(answer):
    return b' 200 ' in answer or answer.startswith(b'+PONG')


def hold():
    clients = [socket.socket() for _ in range(count)]
    answered = 0
    for client in clients:
        client.setblocking(False)
        client.connect_ex(('127.0.0.1', port))
    asked, end = set(), time.monotonic() + PATIENCE
    waiting = set(clients)
    while waiting and time.monotonic() < end:
        reads, writes, _ = select.select(waiting & asked, waiting - asked, [], 0.05)
        for client in writes:
            if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                client.send(request)
            asked.add(client)
        for client in reads:
            waiting.discard(client)
            try:
                answered += is_good(client.recv(1000))
            except OSError:
                pass
            end = time.monotonic() + HOLD  # that nobody else has an answer
    time.sleep(max(0, min(HOLD, end - time.monotonic())))
    for client in clients:
        client.close()
    return answered


def is_served():
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with socket.create_connection(('127.0.0.1', port), 1) as client:
                client.sendall(request)
                if is_good(client.recv(1000)):
                    return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


answered = hold()
print('%d of %d, then %s' % (answered, count, 'served' if is_served() else 'not served'))
