# SPDX-License-Identifier: MIT
"""program.py NAME - one of the things that Python programs do with sockets."""

import array
import asyncio
import concurrent.futures
import multiprocessing
import os
import socket
import subprocess
import sys


def pair_of(listener):
    client = socket.create_connection(listener.getsockname()[:2])
    server, _ = listener.accept()
    return client, server


def talk(client, server):
    client.sendall(b'hello')
    assert server.recv(5, socket.MSG_WAITALL) == b'hello'


def run_subprocess():
    """The child of a vfork closes every fd that its parent goes on to use."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        for _ in range(10):
            client, server = pair_of(listener)
            done = subprocess.run([sys.executable, '-S', '-c', 'print("child")'], close_fds=True,
                                  stdout=subprocess.PIPE, check=True)
            assert done.stdout == b'child\n'
            talk(client, server)
            done = subprocess.run(['/bin/cat'], input=b'text', stdout=subprocess.PIPE, check=True,
                                  pass_fds=[client.fileno()])
            assert done.stdout == b'text'
            talk(server, client)
            client.close()
            server.close()
            client, server = pair_of(listener)
            talk(client, server)
            client.close()
            server.close()


async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


async def ask(host, port):
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b'line\n')
    assert await reader.readline() == b'line\n'
    writer.close()
    await writer.wait_closed()


class Echo(asyncio.DatagramProtocol):
    def __init__(self, answer):
        self.answer = answer
        self.got = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if self.answer:
            self.transport.sendto(data, addr)
        elif not self.got.done():
            self.got.set_result(data)


async def run_asyncio():
    for host in '127.0.0.1', '::1':
        server = await asyncio.start_server(echo, host, 0)
        port = server.sockets[0].getsockname()[1]
        await asyncio.gather(*(ask(host, port) for _ in range(20)))
        server.close()
        await server.wait_closed()
        loop = asyncio.get_running_loop()
        here, _ = await loop.create_datagram_endpoint(lambda: Echo(True), (host, 0))
        there, client = await loop.create_datagram_endpoint(
            lambda: Echo(False), remote_addr=here.get_extra_info('sockname')[:2])
        there.sendto(b'packet')
        assert await asyncio.wait_for(client.got, 10) == b'packet'
        here.close()
        there.close()


def receiver(channel):
    for _ in range(5):
        data, ancillary, _, _ = channel.recvmsg(1, socket.CMSG_SPACE(4))
        fds = array.array('i', ancillary[0][2])
        with socket.socket(fileno=fds[0]) as sock:
            sock.sendall(b'from the other process')
    os._exit(0)


def run_rights():
    ours, theirs = socket.socketpair()
    with socket.create_server(('127.0.0.1', 0)) as listener:
        pid = os.fork()
        if pid == 0:
            ours.close()
            listener.close()
            receiver(theirs)
        theirs.close()
        for _ in range(5):
            client, server = pair_of(listener)
            ours.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                   array.array('i', [server.fileno()]))])
            server.close()
            assert client.recv(100, socket.MSG_WAITALL) == b'from the other process'
            client.close()
        assert os.waitpid(pid, 0)[1] == 0


def dial(address):
    with socket.create_connection(address) as client:
        return client.recv(5, socket.MSG_WAITALL)


def run_processes():
    with socket.create_server(('127.0.0.1', 0), backlog=64) as listener:
        address = listener.getsockname()

        def serve():
            for _ in range(40):
                server, _ = listener.accept()
                server.sendall(b'hello')
                server.close()

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            with multiprocessing.get_context('spawn').Pool(2) as pool:
                serving = threads.submit(serve)
                asked = [threads.submit(dial, address) for _ in range(20)]
                assert pool.map(dial, [address] * 20) == [b'hello'] * 20
                assert [one.result() for one in asked] == [b'hello'] * 20
                serving.result()


def main():
    name = sys.argv[1]
    if name == 'asyncio':
        asyncio.run(run_asyncio())
    else:
        {'subprocess': run_subprocess, 'rights': run_rights, 'processes': run_processes}[name]()
    print('%s: fine' % name)


if __name__ == '__main__':
    main()
