"""A cache that is written to while its master's zone is cut off, and what of the acknowledged is left."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from threading import Event, Thread
from typing import Any

import pytest
from tests.targets.local import whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components.cache import CacheSpec
from cordillera.components.target import Loss
from cordillera.targets.local import _cache_ask as asking
from cordillera.targets.local import _net
from cordillera.targets.local._redis import Denied, Redis
from cordillera.targets.local._site import Site
from cordillera.targets.local._verbs import LocalVerbs

PORT = 6381
OTHER = {"a": "b", "b": "a"}
PAUSE_S, CUT_FOR_S, HEALED_WITHIN_S = 0.005, 12.0, 90.0
WAIT = ("WAIT", "1", "500")
"""What an app sends after a write that it must not lose."""


@dataclass
class Written:
    """Keys that a thread writes, each once. `confirmed`: by `WAIT`, or it is not acknowledged."""

    connect: Callable[[], Redis]
    name: str
    confirmed: bool
    acknowledged: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    over: Event = field(default_factory=Event)
    thread: Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = Thread(target=self._write, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.over.set()
        self.thread.join()

    def pause_s(self, since: float) -> float:
        """The longest time without an acknowledgement from `since` until now."""
        times = [since, *(at for at in self.acknowledged.values() if at > since), time.monotonic()]
        return max((b - a for a, b in pairwise(times)), default=0.0)

    def _write(self) -> None:
        number = 0
        server: Redis | None = None
        while not self.over.is_set():
            number += 1
            key = f"{self.name}-{number}"
            try:
                server = server or self.connect()
                if self._set(server, key):
                    self.acknowledged[key] = time.monotonic()
            except (OSError, Denied) as e:
                self.refused += 1
                if server and not isinstance(e, Denied):
                    server.close()
                    server = None
            time.sleep(PAUSE_S)
        if server:
            server.close()

    def _set(self, server: Redis, key: str) -> bool:
        if not self.confirmed:
            return server.ask("SET", key, "v") == "OK"
        done, copies = server.ask_at_once(("SET", key, "v"), WAIT)
        return done == "OK" and int(str(copies)) >= 1


@dataclass(frozen=True)
class Round:
    """What one cut cost: seconds after it, and writes."""

    acknowledged: int
    late: int
    lost: int
    last_s: float
    back_s: float
    healed_s: float


@dataclass
class Shop:
    """An environment with caches, asked as its app would."""

    environment: Environment

    @property
    def site(self) -> Site:
        return self.environment.site

    def master(self, cache: str = "cache") -> str:
        return asking.master_among(asking.survey(self.site, cache)).zone

    def heal(self) -> None:
        eventually(lambda: self.environment.state().healthy, "healthy", within_s=HEALED_WITHIN_S)

    def keys(self, cache: str) -> set[str]:
        """All that there is, asked until somebody answers."""
        there: list[Any] = []

        def asked() -> bool:
            with suppress(OSError, Denied), self.connect("b", cache) as server:
                there.append(server.ask("KEYS", "*"))
            return bool(there)

        eventually(asked, "the keys can be read")
        return set(there[0])

    def cut(
        self,
        tag: str,
        caches: Mapping[str, bool],
        *,
        how: Loss = Loss.PARTITIONED,
        replica: bool = False,
    ) -> Mapping[str, Round]:
        """Lose the zone of the first one's master (or `replica`) for a while, with writers in both.

        `caches` says of each by name whether its writers have each write confirmed by `WAIT`.
        """
        self.heal()
        lost_zone = self.master(next(iter(caches)))
        zones = (lost_zone, OTHER[lost_zone])
        if replica:
            lost_zone, zones = OTHER[lost_zone], (OTHER[lost_zone], lost_zone)
        writers = {
            name: [
                Written(partial(self.connect, zone, name), f"{tag}-{zone}", confirmed)
                for zone in zones
            ]
            for name, confirmed in caches.items()
        }
        time.sleep(2)
        at = time.monotonic()
        LocalVerbs().lose(self.site.environment, lost_zone, how)
        time.sleep(CUT_FOR_S)
        LocalVerbs().restore(self.site.environment, lost_zone)
        back = time.monotonic()
        self.heal()
        healed_s = time.monotonic() - back
        for one in (one for pair in writers.values() for one in pair):
            one.stop()
        return {name: self._judged(name, pair, at, healed_s) for name, pair in writers.items()}

    def connect(self, zone: str, cache: str) -> Redis:
        """A connection to the endpoint in a zone. Raises OSError, Denied."""
        at, port = (
            self.site.zone(zone),
            PORT + 10 * list(self.environment.want.resources).index(cache),
        )
        made = _net.dial(self.site, at, at.private, port, timeout_s=3)
        return Redis(made, password=self.site.vault.get(f"cache/{cache}"))

    def answer(self, zone: str, *words: str, cache: str = "cache") -> Any:
        """What the endpoint in a zone says; None is silence or a refusal."""
        with suppress(OSError, Denied), self.connect(zone, cache) as server:
            return server.ask(*words)
        return None

    def _judged(self, cache: str, writers: Sequence[Written], at: float, healed_s: float) -> Round:
        inside, outside = writers
        acknowledged = {**inside.acknowledged, **outside.acknowledged}
        late = [t - at for t in inside.acknowledged.values() if at < t < at + CUT_FOR_S]
        return Round(
            acknowledged=len(acknowledged),
            late=len(late),
            lost=len(set(acknowledged) - self.keys(cache)),
            last_s=max(late, default=0.0),
            back_s=outside.pause_s(at),
            healed_s=healed_s,
        )


@contextmanager
def shop(name: str, caches: Mapping[str, CacheSpec]) -> Iterator[Shop]:
    """An environment of that name with caches, in a home of its own."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(whole.wanted(name, dict(caches)), home) as made:
            yield Shop(made)
