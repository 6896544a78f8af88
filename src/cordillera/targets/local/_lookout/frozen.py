"""Ends an HAProxy that takes questions and answers none: it is frozen, and its supervisor starts it anew."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cordillera.core.errors import NotReady
from cordillera.targets.local import _haproxy
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._keeper.processes import matching

EVERY_S, ASK_TIMEOUT_S = 2.0, 0.5
MISSES = 3
"""So many questions in a row are missed by one that is frozen. Time would not tell: we may have been, too."""
UNANSWERED = (TimeoutError, BlockingIOError)
"""No answer in time, or no room for one more question. Anything else: it is dead or starting."""
PROCESS = "CORDILLERA_PROCESS"
"""The variable by which processes of one configuration are told apart."""


@dataclass(frozen=True)
class Watched:
    """One HAProxy: the name of its process, the socket it answers at, and its configuration's path."""

    name: str
    socket: str
    config: str


def end(one: Watched) -> None:
    """kill -9 of its master and its worker. May be called twice."""
    for pid in _pids(one):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Frozen:
    """Counts the questions that each of some HAProxies has left unanswered."""

    def __init__(
        self,
        watched: Sequence[Watched],
        *,
        misses: int = MISSES,
        end: Callable[[Watched], None] = end,
    ) -> None:
        self._most, self._end = misses, end
        self._missed = dict.fromkeys(watched, 0)

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        while True:
            self.turn("show pid")
            time.sleep(EVERY_S)

    def turn(self, command: str) -> Mapping[Watched, str]:
        """Ask each once, end those that are frozen; the answers of the others."""
        answers = {
            one: text for one in self._missed if (text := self.ask(one, command)) is not None
        }
        for one, missed in self._missed.items():
            if missed >= self._most:
                say(f"{one.name} is frozen: ended")
                self._missed[one] = 0
                self._end(one)
        return answers

    def ask(self, one: Watched, command: str) -> str | None:
        """The answer to a runtime command; None when there is none."""
        try:
            answer = _haproxy.ask(Path(one.socket), command, timeout_s=ASK_TIMEOUT_S)
        except NotReady as e:
            self._missed[one] = self._missed[one] + 1 if isinstance(e.__cause__, UNANSWERED) else 0
            return None
        self._missed[one] = 0
        return answer


def _pids(one: Watched) -> Iterator[int]:
    """Its processes, and those of no other environment."""
    config, mark = one.config.encode(), f"{PROCESS}={one.name}".encode()
    named = set(matching(lambda words: mark in words, file="environ"))
    yield from named.intersection(matching(lambda words: config in words))
