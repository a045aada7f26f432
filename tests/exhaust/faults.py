# SPDX-License-Identifier: MIT
# faults.py - what programs in Python meet.
import asyncio
import errno
import socket
import sys


def moved(port, other):
    listener = socket.create_server(("127.0.0.1", int(other)))
    client = socket.socket()
    client.connect(("127.0.0.1", int(port)))  # waits where it was interrupted
    print(client.getpeername() == ("127.0.0.1", int(port)))
    server, _ = listener.accept()
    client.sendall(b"hello")
    print(server.recv(5).decode())


async def serve(reader, writer):
    try:
        writer.write(await reader.read(1))
        await writer.drain()
    except OSError:
        pass
    writer.close()


async def visit(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"x")
    answer = await reader.read(1)
    writer.close()
    return "served" if answer else "ended"


async def visits(count):
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    results = []
    for _ in range(int(count)):
        try:
            visitor = visit(server.sockets[0].getsockname())
            results.append(await asyncio.wait_for(visitor, 10))
        except OSError as problem:
            results.append(errno.errorcode[problem.errno])
    print(*results)


if sys.argv[1] == "moved":
    moved(*sys.argv[2:])
else:
    asyncio.run(visits(*sys.argv[2:]))
