"""A cache that is written to while its master's zone is cut off, and what of the acknowledged is left."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
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

PAUSE_S, CUT_FOR_S, HEALED_WITHIN_S = 0.005, 12.0, 90.0
WAIT = ("WAIT", "1", "500")
"""What an app sends after a write that it must not lose."""


@dataclass
class Written:
    """Keys that a thread in a zone writes at the endpoint there, each once."""

    site: Site
    zone: str
    name: str
    cache: str
    port: int
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
        """The longest time without an acknowledgement after `since`."""
        times = [since, *(at for at in self.acknowledged.values() if at > since)]
        return max((b - a for a, b in pairwise(times)), default=0.0)

    def _write(self) -> None:
        number, server = 0, None
        while not self.over.is_set():
            number += 1
            key = f"{self.name}-{number}"
            try:
                server = server or connect(self.site, self.zone, self.cache, self.port)
                if self._set(server, key):
                    self.acknowledged[key] = time.monotonic()
            except (OSError, Denied) as e:
                self.refused += 1
                if server and not isinstance(e, Denied):
                    server.close()
                    server = None
            time.sleep(PAUSE_S)

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
    """An environment with a cache, asked as its app would."""

    environment: Environment
    name: str = "cache"
    port: int = 6381

    @property
    def site(self) -> Site:
        return self.environment.site

    def master(self) -> str:
        return asking.master_among(asking.survey(self.site, self.name)).zone

    def heal(self) -> None:
        eventually(lambda: self.environment.state().healthy, "healthy", within_s=HEALED_WITHIN_S)

    def keys(self) -> set[str]:
        """All that there is, asked until somebody answers."""
        there: list[Any] = []

        def asked() -> bool:
            with suppress(OSError, Denied), self._connect("b") as server:
                there.append(server.ask("KEYS", "*"))
            return bool(there)

        eventually(asked, "the keys can be read")
        return set(there[0])

    def cut(self, tag: str, *, how: Loss = Loss.PARTITIONED, confirmed: bool = False) -> Round:
        """Lose the master's zone for a while, with writers in both."""
        self.heal()
        lost_zone = self.master()
        other = "b" if lost_zone == "a" else "a"
        inside, outside = (self.write(z, f"{tag}-{z}", confirmed) for z in (lost_zone, other))
        time.sleep(2)
        at = time.monotonic()
        LocalVerbs().lose(self.site.environment, lost_zone, how)
        time.sleep(CUT_FOR_S)
        LocalVerbs().restore(self.site.environment, lost_zone)
        back = time.monotonic()
        self.heal()
        healed_s = time.monotonic() - back
        for one in (inside, outside):
            one.stop()
        return self._judged(inside, outside, at, healed_s)

    def _connect(self, zone: str) -> Redis:
        return connect(self.site, zone, self.name, self.port)

    def write(self, zone: str, name: str, confirmed: bool) -> Written:
        return Written(self.site, zone, name, self.name, self.port, confirmed)

    def _judged(self, inside: Written, outside: Written, at: float, healed_s: float) -> Round:
        acknowledged = {**inside.acknowledged, **outside.acknowledged}
        late = [t - at for t in inside.acknowledged.values() if at < t < at + CUT_FOR_S]
        return Round(
            acknowledged=len(acknowledged),
            late=len(late),
            lost=len(set(acknowledged) - self.keys()),
            last_s=max(late, default=0.0),
            back_s=outside.pause_s(at),
            healed_s=healed_s,
        )


def connect(site: Site, zone: str, cache: str, port: int) -> Redis:
    """A connection to the endpoint in a zone. Raises OSError, Denied."""
    at = site.zone(zone)
    made = _net.dial(site, at, at.private, port, timeout_s=3)
    return Redis(made, password=site.vault.get(f"cache/{cache}"))


@contextmanager
def shop(name: str, spec: CacheSpec) -> Iterator[Shop]:
    """An environment of that name with a cache, in a home of its own."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(whole.wanted(name, {"cache": spec}), home) as made:
            yield Shop(made)
