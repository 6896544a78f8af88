"""Sends whole requests over raw connections, many at once, and says what became of each."""

import base64
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from tests.attacks.corpus.cases import Case

PATIENCE_S = 2.5
AT_ONCE = 6
TROUBLE = (502, 503, 504)
CLOSED, NOTHING = 0, -1


@dataclass(frozen=True)
class Verdict:
    """`status` is CLOSED when there was no answer, NOTHING when none came in time.

    `got` is the request as the application got it; empty when it did not tell.
    """

    status: int
    seen: bool
    got: bytes = b""

    @property
    def refused(self) -> bool:
        """It was answered or closed, and not by the application, nor because that was out of reach."""
        return not self.seen and self.status not in (NOTHING, *TROUBLE)


class Line:
    """One connection that is kept as long as the other side keeps it."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._made: socket.socket | None = None

    def ask(self, case: Case) -> Verdict:
        """Send it; what was answered. A connection that was closed meanwhile is made anew, once."""
        kept = self._made is not None and not case.alone
        if not kept:
            self.close()
        answer = self._once(case.raw)
        if answer == Verdict(CLOSED, seen=False) and kept:
            self.close()
            answer = self._once(case.raw)
        if case.alone or answer.status <= CLOSED:
            self.close()
        return answer

    def close(self) -> None:
        if self._made is not None:
            self._made.close()
        self._made = None

    def _once(self, raw: bytes) -> Verdict:
        if self._made is None:
            self._made = self._connect()
            self._made.settimeout(PATIENCE_S)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):
                self._made.sendall(raw)
            return self._answer(raw.startswith(b"HEAD "))
        except TimeoutError:
            return Verdict(NOTHING, seen=False)
        except (OSError, ValueError):
            return Verdict(CLOSED, seen=False)

    def _answer(self, headless: bool) -> Verdict:
        assert self._made is not None
        got = b""
        while b"\r\n\r\n" not in got:
            more = self._made.recv(65536)
            if not more:
                return Verdict(CLOSED, seen=b"X-App" in got)
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        seen = b"x-app: seen" in head.lower()
        told = self._rest(head.lower(), body, headless)
        plain = seen and b"chunked" not in head.lower() and not headless
        got = base64.b64decode(told) if plain else b""
        verdict = Verdict(int(head.split(b" ", 2)[1]), seen, got)
        if b"connection: close" in head.lower():
            self.close()
        return verdict

    def _rest(self, head: bytes, body: bytes, headless: bool) -> bytes:
        """The answer's body, read to its end: what comes then is the next one's."""
        assert self._made is not None
        length = next(
            (h[15:] for h in head.split(b"\r\n") if h.startswith(b"content-length:")), None
        )
        if headless or (length is None and b"chunked" not in head):
            return b""
        more = b" "
        while more and (
            len(body) < int(length) if length is not None else not body.endswith(b"0\r\n\r\n")
        ):
            more = self._made.recv(65536)
            body += more
        return body


def send(cases: Sequence[Case], connect: Callable[[Case], socket.socket]) -> list[Verdict]:
    """The verdict of each, in their order."""

    def some(at: int) -> list[Verdict]:
        lines: dict[bool, Line] = {}
        found = []
        for case in cases[at::AT_ONCE]:
            line = lines.setdefault(case.rest, Line(lambda c=case: connect(c)))  # type: ignore[misc]
            found.append(line.ask(case))
        for line in lines.values():
            line.close()
        return found

    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = list(pool.map(some, range(AT_ONCE)))
    return [parts[i % AT_ONCE][i // AT_ONCE] for i in range(len(cases))]
