# SPDX-License-Identifier: MIT
"""exhaust_server.py PORT - a web server that takes its time, so that its clients are
connected all at once; it closes each connection when the client has."""

import socket
import sys
import threading
import time


def serve(client):
    try:
        with client:
            while client.recv(4096):
                time.sleep(0.2)
                client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n')
    except OSError:
        pass


with socket.create_server(('127.0.0.1', int(sys.argv[1])), backlog=100) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
