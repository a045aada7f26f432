# SPDX-License-Identifier: MIT
"""server.py -b ADDRESS -d DIRECTORY PORT - http.server for IPv6 without asking
a name server who it is."""

import functools
import http.server
import socket
import socketserver
import sys


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 64
    server_bind = socketserver.TCPServer.server_bind


handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[4])
Server((sys.argv[2], int(sys.argv[5])), handler).serve_forever()
