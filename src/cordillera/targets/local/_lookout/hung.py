"""Ends an HAProxy that takes questions and answers none: it is frozen, and its supervisor starts it anew."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.processes import matching

EVERY_S, ASK_TIMEOUT_S = 1.0, 0.5
SILENT_S = 5.0
"""An edge or a proxy that has not answered for that long is frozen; one that works hard answers sooner."""
PROCESS = "CORDILLERA_PROCESS"
"""The variable by which processes of one configuration are told apart."""


@dataclass(frozen=True)
class Watched:
    """One HAProxy: the name of its process, the socket it answers at, and its configuration's path."""

    name: str
    socket: str
    config: str


class Hung:
    """Remembers when each of some HAProxies answered last."""

    def __init__(self, watched: Sequence[Watched], *, silent_s: float = SILENT_S) -> None:
        self.watched, self._silent_s = tuple(watched), silent_s
        self._answered_at = dict.fromkeys(self.watched, time.monotonic())

    def watch_for_ever(self) -> None:
        """Ask each again and again, and end those that are frozen, until we are ended."""
        while True:
            for one in self.watched:
                self.ask(one, "show pid")
            self.end_frozen()
            time.sleep(EVERY_S)

    def ask(self, one: Watched, command: str) -> str | None:
        """The answer to a runtime command; None when there is none."""
        try:
            answer = _haproxy.ask(Path(one.socket), command, timeout_s=ASK_TIMEOUT_S)
        except NotReady as e:
            if not isinstance(e.__cause__, TimeoutError):
                self._answered_at[one] = time.monotonic()  # it is dead or starting: not frozen
            return None
        self._answered_at[one] = time.monotonic()
        return answer

    def end_frozen(self) -> None:
        """kill -9 of those that have been silent for too long. May be called twice."""
        for one, at in self._answered_at.items():
            if time.monotonic() - at > self._silent_s:
                say(f"{one.name} is frozen: ended")
                self._answered_at[one] = time.monotonic()
                for pid in _pids(one):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


def _pids(one: Watched) -> Iterator[int]:
    """Its master's and its worker's, and those of no other environment."""
    config, mark = one.config.encode(), f"{PROCESS}={one.name}".encode()
    named = set(matching(lambda words: mark in words, file="environ"))
    yield from named.intersection(matching(lambda words: config in words))
