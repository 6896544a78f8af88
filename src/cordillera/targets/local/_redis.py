"""Asking Redis servers and Sentinels: one connection, one question at a time."""

import socket
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

Reply = str | int | None | list["Reply"]


class Denied(Exception):
    """The server answered with an error."""


class Redis:
    """A connection over a socket that was made elsewhere, and is closed with it.

    Raises OSError, Denied.
    """

    def __init__(self, made: socket.socket, *, password: str = "", user: str = "default") -> None:
        self._socket, self._file = made, made.makefile("rb")
        if password:
            self._log_in(user, password)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._file.close()
        self._socket.close()

    def ask(self, *words: str) -> Reply:
        """The answer to a command. Raises Denied, OSError."""
        return self.ask_at_once(words)[0]

    def ask_at_once(self, *commands: Sequence[str]) -> list[Reply]:
        """The answers to commands that arrive together: the server does nothing else in between.

        Raises Denied, OSError.
        """
        self._socket.sendall(b"".join(map(_packed, commands)))
        return [self._reply() for _ in commands]

    def info(self, section: str) -> Mapping[str, str]:
        """A section of INFO as a mapping."""
        lines = str(self.ask("INFO", section)).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def setting(self, name: str) -> str:
        """A setting's value; empty for an unknown one."""
        found = self.ask("CONFIG", "GET", name)
        return str(found[1]) if isinstance(found, list) and len(found) > 1 else ""

    def master(self, name: str) -> str:
        """The address that a Sentinel holds for the master called `name`; empty when unknown."""
        found = self.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
        return f"{found[0]}:{found[1]}" if isinstance(found, list) else ""

    def watched(self, name: str) -> Mapping[str, str]:
        """What a Sentinel knows of the master called `name`; empty when it does not watch it."""
        try:
            found = self.ask("SENTINEL", "MASTER", name)
        except Denied:
            return {}
        words = [str(word) for word in found] if isinstance(found, list) else []
        return dict(zip(words[::2], words[1::2], strict=True))

    def _log_in(self, user: str, password: str) -> None:
        try:
            self.ask("AUTH", user, password)
        except (OSError, Denied):
            self.close()
            raise

    def _reply(self) -> Reply:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server hung up")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise Denied(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._text(int(rest))
        if kind == b"*":
            return None if rest == "-1" else [self._reply() for _ in range(int(rest))]
        return rest

    def _text(self, length: int) -> str | None:
        if length < 0:
            return None
        return self._file.read(length + 2)[:-2].decode(errors="replace")


def _packed(words: Sequence[str]) -> bytes:
    parts = (f"${len(word.encode())}\r\n{word}\r\n" for word in words)
    return f"*{len(words)}\r\n{''.join(parts)}".encode()


def through(path: str, *, timeout_s: float, password: str, user: str = "default") -> Redis:
    """A connection through a Unix socket. Raises OSError, Denied."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(timeout_s)
    try:
        made.connect(path)
    except OSError:
        made.close()
        raise
    return Redis(made, password=password, user=user)


def over_the_network(address: str, port: int, *, timeout_s: float, password: str) -> Redis:
    """A connection to an address. Raises OSError, Denied."""
    return Redis(socket.create_connection((address, port), timeout_s), password=password)
