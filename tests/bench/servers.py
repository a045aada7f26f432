# SPDX-License-Identifier: MIT
"""servers.py - what the library costs a real server: its CPU time a request."""

import glob
import os
import shutil
import socket
import statistics
import subprocess
import time

from measure import CPUS, Variant, Worker, pin

REQUESTS = 200

NGINX = """daemon off; worker_processes 1; pid {where}/nginx.pid; error_log {where}/error.log;
events {{ worker_connections 1024; }}
http {{
	access_log off; keepalive_timeout 0;
	client_body_temp_path {where}/t1; proxy_temp_path {where}/t2; fastcgi_temp_path {where}/t3;
	uwsgi_temp_path {where}/t4; scgi_temp_path {where}/t5;
	server {{ listen 127.0.0.1:{port}; location / {{ return 200 "hello\\n"; }} }}
}}
"""


def nginx(where, port):
    path = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    with open(f"{where}/nginx.conf", "w", encoding="ascii") as config:
        config.write(NGINX.format(where=where, port=port))
    return [path, "-p", where, "-c", f"{where}/nginx.conf", "-e", f"{where}/error.log"]


def redis(where, port):
    return ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", where, "--logfile", f"{where}/log"]


SERVERS = [
    ("nginx", nginx, "GET / HTTP/1.0\r\n\r\n"),
    ("redis-server", redis, "PING\r\nQUIT\r\n"),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def tree(pid):
    yield pid
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        with open(path, encoding="ascii") as children:
            for child in children.read().split():
                yield from tree(int(child))


class Server:
    """A server, and a client of its own that asks it for REQUESTS at a time."""

    def __init__(self, command, request, where, variant):
        os.makedirs(where)
        for _ in range(5):  # somebody may take the port in between
            port = free_port()
            self.process = subprocess.Popen(command(where, port), env=variant.environment(),
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                            preexec_fn=pin(CPUS[-1:]))
            if self.listens(port):
                break
            self.end()
        client = Variant("client", SERVER_PORT=str(port), REQUEST=request)
        self.client = Worker("request", client, CPUS[:1])
        self.client.run(REQUESTS)

    def listens(self, port):
        deadline = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return True
            time.sleep(0.05)
        return False

    def end(self):
        self.process.terminate()
        self.process.wait()

    def cpu_ns(self):
        total = 0
        for pid in tree(self.process.pid):
            for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
                with open(path, encoding="ascii") as stat:
                    total += int(stat.read().split()[0])
        return total

    def run(self):
        """CPU nanoseconds a request."""
        before = self.cpu_ns()
        self.client.run(REQUESTS)
        return (self.cpu_ns() - before) / REQUESTS

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop()
        self.end()


def measure_server(command, request, where, base, variant, rounds):
    found, times = [], []
    for i in range(2):
        with Server(command, request, f"{where}/{variant.name}{i}a", base) as one, \
             Server(command, request, f"{where}/{variant.name}{i}b", variant) as other:
            pair = [one, other]
            for j in range(max(1, rounds // 2)):
                took = [0, 0]
                for which in ((0, 1) if j % 2 else (1, 0)):
                    took[which] = pair[which].run()
                found.append(took[1] / took[0])
                times.append(took[0])
    return statistics.median(found), statistics.median(times)
