# SPDX-License-Identifier: MIT
"""delays_plain.py CALL: makes the call with a timer's signals all the time. It must succeed, and
take DELAY seconds at least."""
import signal
import socket
import sys
import time

DELAY = 0.3


def main():
    fd = socket.socket() if sys.argv[1] != "socket" else None
    calls = {
        "socket": socket.socket,
        "bind": lambda: fd.bind(("127.0.0.1", 0)),
        "listen": lambda: fd.listen(1),
        "close": lambda: fd.close(),
        "getaddrinfo": lambda: socket.getaddrinfo("127.0.0.1", 80),
    }
    signal.signal(signal.SIGALRM, lambda number, frame: None)
    signal.setitimer(signal.ITIMER_REAL, DELAY / 10, DELAY / 10)
    start = time.monotonic()
    calls[sys.argv[1]]()
    took = time.monotonic() - start
    signal.setitimer(signal.ITIMER_REAL, 0)  # at its end the interpreter handles no signals
    sys.exit(0 if took >= DELAY else "too soon")


main()
