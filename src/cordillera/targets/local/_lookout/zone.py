"""Another failure domain, as its lookout answers ours."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

ASK_TIMEOUT_S = 1.0
MOST_BYTES = 1 << 16


class Zone:
    """`ending` are the spares that it is about to end: nothing is to be sent there any more."""

    def __init__(self, name: str, address: str, port: int) -> None:
        self.name, self.address, self._port = name, address, port
        self._answered_at = time.monotonic()
        self.ending: set[str] = set()

    def look(self) -> None:
        """Ask it once."""
        text = fetch(self.address, self._port, "/")
        if text is not None:
            self._answered_at = time.monotonic()
        self.ending = set(json.loads(text or "[]"))

    @property
    def silent_s(self) -> float:
        """For how long it has not answered: it is dead, frozen or cut off."""
        return time.monotonic() - self._answered_at


def fetch(address: str, port: int, path: str) -> str | None:
    """A good answer's body; None for anything else. Without a path it is enough that somebody listens."""
    try:
        with _link(address, port, ASK_TIMEOUT_S) as link:
            if not path:
                return ""
            link.request("GET", path)
            answer = link.getresponse()
            well = answer.status < http.HTTPStatus.BAD_REQUEST
            return answer.read(MOST_BYTES).decode(errors="replace") if well else None
    except (OSError, http.client.HTTPException):
        return None


def hangs(address: str, port: int, path: str, patience_s: float) -> bool:
    """Whether a server takes a question and answers nothing at all for that long; any answer is one."""
    try:
        with _link(address, port, patience_s) as link:
            link.request("GET", path or "/")
            link.getresponse()
    except TimeoutError:
        return True
    except (OSError, http.client.HTTPException):
        return False
    return False


@contextmanager
def _link(address: str, port: int, timeout_s: float) -> Iterator[http.client.HTTPConnection]:
    link = http.client.HTTPConnection(address, port, timeout=timeout_s)
    try:
        link.connect()
        yield link
    finally:
        link.close()
