"""The server that keeps mails instead of sending them: one file each, synced before it says yes.

Run as `python -I _mail_capture.py ADDRESS PORT FOLDER`.
"""

import json
import os
import secrets
import sys
import time
from pathlib import Path
from typing import Any

KEPT = 500
SIZE_LIMIT_BYTES = 25 << 20


class Keeper:
    """Handles what aiosmtpd receives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep one mail; the answer that the client gets."""
        try:
            keep(self._folder, envelope.mail_from, envelope.rcpt_tos, envelope.content)
        except OSError as e:
            return f"452 cannot keep it: {e.strerror}"
        return "250 kept"


def keep(folder: Path, sender: str, recipients: list[str], content: bytes) -> None:
    """Write a mail and its envelope, durably; then forget the oldest ones. Raises OSError."""
    at = time.time()
    name = f"{int(at * 1000):013d}{secrets.token_hex(2)}"
    facts = {"at": at, "from": sender or "", "to": recipients}
    _write(folder / f"{name}.eml", content)
    _write(folder / f"{name}.json", json.dumps(facts).encode())
    for old in sorted(folder.glob("*.json"))[:-KEPT]:
        old.with_suffix(".eml").unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    aside = path.with_suffix(".new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)


async def serve(address: str, port: int, folder: Path) -> None:
    """Listen until we are ended."""
    import asyncio

    from aiosmtpd.smtp import SMTP

    def made() -> SMTP:
        return SMTP(
            Keeper(folder), data_size_limit=SIZE_LIMIT_BYTES, enable_SMTPUTF8=True,
            hostname="capture", ident="Cordillera",
        )  # fmt: skip

    server = await asyncio.get_running_loop().create_server(made, address, port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve on the address that was given."""
    import asyncio

    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))


if __name__ == "__main__":
    main()
