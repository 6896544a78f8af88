"""The application behind both: answers whatever it sees with a header that says so, and what it saw."""

import asyncio
import base64
import re
import sys

SEEN = b"HTTP/1.1 200 OK\r\nX-App: seen\r\nCache-Control: no-store\r\nContent-Length: %d\r\n\r\n"
LENGTH = re.compile(rb"^content-length:\s*(\d+)", re.I | re.M)
CHUNKED = re.compile(rb"^transfer-encoding:.*chunked", re.I | re.M)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            told = base64.b64encode(head + await _body(reader, head))
            writer.write(SEEN % len(told) + (b"" if head.startswith(b"HEAD ") else told))
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        writer.close()


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    """The body as it came, in chunks or not."""
    read = b""
    if CHUNKED.search(head):
        while size := int((line := await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            read += line + await reader.readexactly(size + 2)
        read += line
        while (line := await reader.readuntil(b"\r\n")) != b"\r\n":
            read += line
        return read + line
    told = LENGTH.search(head)
    return await reader.readexactly(int(told[1])) if told else b""


async def main(address: str, port: int) -> None:
    """Serve until ended."""
    server = await asyncio.start_server(_serve, address, port, limit=2**20, backlog=256)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
