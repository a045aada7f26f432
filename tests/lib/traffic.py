#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""traffic.py PORT - known traffic for the tests of the report, on PORT and the
two after it: ten connections, three refused, a datagram, and one of each habit
that is a finding."""

import errno
import fcntl
import os
import resource
import socket
import subprocess
import sys

HOST = "127.0.0.1"
PORT = int(sys.argv[1])
REFUSED = PORT + 1
UDP = PORT + 2
NO_PORT = 24  # IP_BIND_ADDRESS_NO_PORT


def listen():
    listener = socket.socket()
    listener.bind(("0.0.0.0", PORT))
    listener.listen(7)
    return listener


def converse(listener, client_first):
    client = socket.create_connection((HOST, PORT))
    server = listener.accept()[0]
    for end in (client, server) if client_first else (server, client):
        end.close()


def bind_first(listener, no_port):
    client = socket.socket()
    if no_port:
        client.setsockopt(socket.IPPROTO_IP, NO_PORT, 1)
    client.bind((HOST, 0))
    client.connect((HOST, PORT))
    server = listener.accept()[0]
    server.close()
    client.close()


def refused():
    with socket.socket() as client:
        for _ in range(7):
            assert client.connect_ex((HOST, REFUSED)) == errno.ECONNREFUSED


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            server.bind((HOST, UDP))
            client.sendto(b"x", (HOST, UDP))
            server.recvfrom(10)


def spin(listener):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    client = socket.create_connection((HOST, PORT))
    resource.setrlimit(resource.RLIMIT_NOFILE, (client.fileno() + 1, limit[1]))
    for _ in range(30):
        try:
            listener.accept()
        except OSError as error:
            assert error.errno == errno.EMFILE
    resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    listener.accept()[0].close()
    client.close()


def pass_on(listener):
    fcntl.fcntl(listener, fcntl.F_SETFD, 0)
    subprocess.run(["/bin/true"], close_fds=False, check=True)


def main():
    listener = listen()
    for client_first in (True, False, True, True, False, True):
        converse(listener, client_first)
    held = [socket.create_connection((HOST, PORT)) for _ in range(2)]
    for _ in held:
        listener.accept()[0].close()
    for client in held:
        client.close()
    bind_first(listener, False)
    bind_first(listener, True)
    refused()
    datagram()
    spin(listener)
    pass_on(listener)
    keep = [socket.socket() for _ in range(3)]
    for client in keep:
        client.connect_ex((HOST, REFUSED))
    sys.stdout.write("done\n")
    sys.stdout.flush()
    os._exit(0)  # keep is never closed


main()
