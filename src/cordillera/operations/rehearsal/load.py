"""The load: many clients, at a steady rate, one fifth writes, for as long as it is asked."""

import itertools
import random
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread

from cordillera.components.state import EnvironmentState
from cordillera.core.errors import NotReady, Refused
from cordillera.operations.rehearsal.client import Client
from cordillera.operations.rehearsal.record import KINDS, Record, Sample

READERS, WRITERS = 24, 12
"""Clients that read, and that write one kind: a kind that waits keeps no other from being written."""
WRITES = 0.2
SAMPLE_EVERY_S = 1.0
COMPARED_WITHIN_S = 60.0
OK = 200
PAGES = 0.5
"""The part of the reads that asks no resource."""

Observe = Callable[[], EnvironmentState]


class Load:
    """Runs beside whatever is done to the environment meanwhile."""

    def __init__(self, url: str, authority: Path, observe: Observe) -> None:
        self.record = Record(run=secrets.token_hex(4))
        self._url, self._authority, self._observe = url, authority, observe
        self._begun, self._until = 0.0, 0.0
        self._threads: list[Thread] = []

    def refuse_unless_answered(self) -> None:
        """Raises Refused when the app is not made for rehearsals: before anything is lost, say."""
        client = Client(self._url, self._authority)
        answer = client.ask("GET", f"/rehearsal/{KINDS[0]}?run={self.record.run}")
        client.close()
        if answer.status != OK:
            raise Refused(
                f"the app at {self._url} does not answer /rehearsal/ ({answer.status or answer.why})",
                hint="rehearse with one that does: examples/ledger shows what it takes",
            )

    def start(self, *, rate: float, seconds: float) -> None:
        """Begin; returns at once. `rate` is requests a second, all clients together."""
        self._begun = time.monotonic()
        self._until, self.record.seconds = self._begun + seconds, seconds
        reads = _Pace(self._begun, rate * (1 - WRITES))
        self._threads = [self._client(self._read, reads) for _ in range(READERS)]
        for kind in KINDS:
            pace = _Pace(self._begun, rate * WRITES / len(KINDS))
            self._threads += [self._client(self._write, kind, pace) for _ in range(WRITERS)]
        self._threads.append(self._client(self._sample))
        for thread in self._threads:
            thread.start()

    def _client(self, work: Callable[..., None], *args: object) -> Thread:
        return Thread(target=work, args=args, daemon=True)

    def wait(self) -> None:
        """Until the time is up and every client has its answer."""
        for thread in self._threads:
            thread.join()

    def now_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begun

    def event(self, what: str) -> None:
        """Note what was just done to the environment."""
        self.record.events.append((self.now_s(), what))

    def world(self) -> dict[str, list[str]]:
        """What is there, asked of the app. Raises NotReady when it does not tell: nothing is known then."""
        client = Client(self._url, self._authority)
        try:
            return {kind: self._all(client, kind) for kind in KINDS}
        finally:
            client.close()

    def _all(self, client: Client, kind: str) -> list[str]:
        deadline = time.monotonic() + COMPARED_WITHIN_S
        while True:
            answer = client.ask("GET", f"/rehearsal/{kind}?run={self.record.run}")
            if answer.status == OK:
                return answer.text.split()
            if time.monotonic() > deadline:
                raise NotReady(
                    f"the app does not tell what is in its {kind}: {answer.status or answer.why}",
                    hint="what was acknowledged could not be compared with what is there",
                )
            time.sleep(SAMPLE_EVERY_S)

    def _read(self, pace: "_Pace") -> None:
        client = Client(self._url, self._authority)
        while pace.next() < self._until:
            kind, key = self._known()
            path = f"/rehearsal/{kind}/{key}" if key else "/"
            answer = client.ask("GET", path)
            self.record.note("GET", kind, key, answer, self.now_s())
        client.close()

    def _known(self) -> tuple[str, str]:
        """Something that was acknowledged, or a plain page."""
        kind = random.choice(KINDS[:3])  # noqa: S311
        keys = self.record.acknowledged[kind]
        if random.random() < PAGES or not keys:  # noqa: S311
            return "page", ""
        return kind, random.choice(keys)  # noqa: S311

    def _write(self, kind: str, pace: "_Pace") -> None:
        client = Client(self._url, self._authority)
        while pace.next() < self._until:
            key = f"{self.record.run}-{next(_numbers)}"
            answer = client.ask("POST", f"/rehearsal/{kind}/{key}")
            self.record.note("POST", kind, key, answer, self.now_s())
        client.close()

    def _sample(self) -> None:
        while time.monotonic() < self._until:
            self.record.samples.append(sample(self._observe(), self.now_s()))
            time.sleep(SAMPLE_EVERY_S)


def sample(state: EnvironmentState, at_s: float) -> Sample:
    """The part of a status that a timeline shows. Pure."""
    members = [m for r in state.resources.values() if r.type == "database" for m in r.members]
    writer = next((m.zone for m in members if m.role == "writer"), "")
    lag = next((m.lag_s for m in members if m.role == "replica"), None)
    why = next((r.detail for r in state.resources.values() if not r.healthy), "")
    return Sample(at_s, state.healthy, writer, lag, why)


_numbers = itertools.count()


class _Pace:
    """Hands out moments at a steady rate; after a stall it does not run after what was missed."""

    def __init__(self, begun: float, rate: float) -> None:
        self._next, self._step, self._lock = begun, 1 / rate, Lock()

    def next(self) -> float:
        """Wait for the next moment, and say when it is."""
        with self._lock:
            self._next = max(self._next + self._step, time.monotonic() - 1.0)
            moment = self._next
        time.sleep(max(0.0, moment - time.monotonic()))
        return moment
