# SPDX-License-Identifier: MIT
"""delays_loop.py PORT DELAYED...: an asyncio client. Prints for connect, read and write whether
it took DELAY seconds at least, in words; and whether the loop went on meanwhile, at no cost."""
import asyncio
import sys
import time

DELAY = 0.3
ticks = 0


async def tick():
    global ticks
    while True:
        await asyncio.sleep(DELAY / 10)
        ticks += 1


async def timed(what, awaitable):
    start, before, used = time.monotonic(), ticks, time.process_time()
    result = await awaitable
    is_late = time.monotonic() - start >= DELAY
    print(what, "late" if is_late else "soon")
    if is_late and ticks - before < 3:
        print("the loop stood still")
    if time.process_time() - used > DELAY / 2:
        print("too busy")
    return result


async def main():
    ticker = asyncio.create_task(tick())
    reader, writer = await timed("connect", asyncio.open_connection("127.0.0.1", int(sys.argv[1])))
    writer.write(b"PING\r\n")
    print(await timed("answer", reader.readline()))
    ticker.cancel()
    writer.close()


asyncio.run(main())
