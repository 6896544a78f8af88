"""One client's connection to the environment: keeps it open, and repeats a request as a browser may.

A request is sent once more, and only when the connection was closed before the first byte of an answer.
"""

import http.client
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 45.0
CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


@dataclass(frozen=True)
class Answer:
    """`status` is 0 when there was none; `why` tells then what happened."""

    status: int
    text: str
    seconds: float
    repeated: bool
    why: str = ""


class Client:
    """For one thread."""

    def __init__(self, url: str, authority: Path) -> None:
        at = urlsplit(url)
        self._host, self._port = at.hostname or "localhost", at.port or 443
        self._context = ssl.create_default_context(cafile=str(authority))
        self._link: http.client.HTTPSConnection | None = None

    def ask(self, method: str, path: str) -> Answer:
        """The answer. Never raises for a server."""
        begun = time.monotonic()
        for attempt in (1, 2):
            try:
                status, text = self._once(method, path)
                return Answer(status, text, time.monotonic() - begun, attempt > 1)
            except CLOSED as e:
                self.close()
                why = type(e).__name__
            except (OSError, http.client.HTTPException) as e:
                self.close()
                return Answer(0, "", time.monotonic() - begun, attempt > 1, type(e).__name__)
        return Answer(0, "", time.monotonic() - begun, repeated=True, why=why)

    def _once(self, method: str, path: str) -> tuple[int, str]:
        if self._link is None:
            self._link = http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT_S, context=self._context
            )
        self._link.request(method, path, body=b"" if method == "POST" else None)
        answer = self._link.getresponse()
        return answer.status, answer.read().decode(errors="replace")

    def close(self) -> None:
        """Let the connection go."""
        if self._link is not None:
            self._link.close()
        self._link = None
