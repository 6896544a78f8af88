"""A mail provider for tests: asks for a login if it is told one, keeps what it takes.

`python standin.py ADDRESS PORT FILE [USER PASSWORD]`
"""

import asyncio
import sys
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Keeper:
    """Writes one line per mail: its stream and subject."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content)
        with self._path.open("a") as file:
            file.write(f"{mail['X-Cordillera-Stream'] or 'transactional'} {mail['Subject']}\n")
        return "250 taken"


def main() -> None:
    address, port, path, *known = sys.argv[1:]

    def allowed(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        login = LoginPassword(*(word.encode() for word in known))
        return AuthResult(success=data == login)

    def made() -> SMTP:
        if not known:
            return SMTP(Keeper(Path(path)))
        return SMTP(
            Keeper(Path(path)), authenticator=allowed, auth_required=True, auth_require_tls=False
        )

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(made, address, int(port))
        await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
