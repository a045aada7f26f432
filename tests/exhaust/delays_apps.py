# SPDX-License-Identifier: MIT
"""delays_apps.py PORT-FILE: a server for the clients of the tests. Speaks just enough HTTP and
Redis, at once; writes its port to the file."""
import socket
import sys
import threading

HTTP = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def serve(connection):
    with connection:
        while True:
            asked = connection.recv(4096)
            if not asked:
                return
            if asked.startswith(b"GET "):
                connection.sendall(HTTP)
                return
            connection.sendall(b"+PONG\r\n" if asked.upper().find(b"PING") >= 0 else b"+OK\r\n")


def main():
    listener = socket.create_server(("127.0.0.1", 0))
    with open(sys.argv[1], "w", encoding="ascii") as file:
        file.write(f"{listener.getsockname()[1]}\n")
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


main()
