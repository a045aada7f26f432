# SPDX-License-Identifier: MIT
"""exhaust_asyncio.py serve PORT | ask PORT N - asyncio, as server or as N clients at once.
The clients tell what became of them: how many were answered, how many met which error."""

import asyncio
import collections
import errno
import sys

PATIENCE = 2


async def answer(reader, writer):
    try:
        while await reader.readuntil(b'\r\n\r\n'):
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi\n')
            await writer.drain()
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def serve(port):
    async with await asyncio.start_server(answer, '127.0.0.1', port) as server:
        await server.serve_forever()


async def ask(port):
    try:
        reader, writer = await asyncio.open_connection('127.0.0.1', port)
        writer.write(b'GET / HTTP/1.1\r\nHost: here\r\n\r\n')
        line = await reader.readline()
        writer.close()
        return 'answered' if line else 'closed'
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


async def ask_all(port, count):
    said = await asyncio.gather(*(asyncio.wait_for(ask(port), PATIENCE) for _ in range(count)),
                                return_exceptions=True)
    words = collections.Counter(s if isinstance(s, str) else type(s).__name__ for s in said)
    print(', '.join('%d %s' % (n, word) for word, n in sorted(words.items())))


if sys.argv[1] == 'serve':
    asyncio.run(serve(int(sys.argv[2])))
else:
    asyncio.run(ask_all(int(sys.argv[2]), int(sys.argv[3])))
