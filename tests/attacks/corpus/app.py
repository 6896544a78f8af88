"""The application behind both: answers whatever it sees with a header that says so."""

import asyncio
import re
import sys

SEEN = b"HTTP/1.1 200 OK\r\nX-App: seen\r\nCache-Control: no-store\r\nContent-Length: 5\r\n\r\n"
LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.I | re.M)
CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.I | re.M)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await _drop_body(reader, head)
            writer.write(SEEN + (b"" if head.startswith(b"HEAD ") else b"seen\n"))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        writer.close()


async def _drop_body(reader: asyncio.StreamReader, head: bytes) -> None:
    if CHUNKED.search(head):
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(size + 2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
    elif told := LENGTH.search(head):
        await reader.readexactly(int(told[1]))


async def main(address: str, port: int) -> None:
    """Serve until ended."""
    server = await asyncio.start_server(_serve, address, port, limit=2**20, backlog=256)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
