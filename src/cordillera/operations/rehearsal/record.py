"""The oracle: what was acknowledged and what was answered, kept outside of the environment."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock

from cordillera.operations.rehearsal.client import Answer

KINDS = ("database", "cache", "objects", "queue")


@dataclass(frozen=True)
class Sample:
    """What the environment said of itself, `at_s` seconds after the start."""

    at_s: float
    healthy: bool
    writer: str
    lag_s: float | None
    detail: str


@dataclass
class Record:
    """Everything that happened in one rehearsal. `seconds` counts from its start."""

    run: str
    acknowledged: dict[str, set[str]] = field(default_factory=lambda: {k: set() for k in KINDS})
    requests: Counter[int] = field(default_factory=Counter)
    failed_gets: list[tuple[float, str]] = field(default_factory=list)
    failed_writes: list[tuple[float, str]] = field(default_factory=list)
    slowest: dict[int, float] = field(default_factory=dict)
    writes_at: list[float] = field(default_factory=list)
    repeated: int = 0
    samples: list[Sample] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def note(self, method: str, kind: str, key: str, answer: Answer, at_s: float) -> None:
        """One answer, which came `at_s` seconds after the start."""
        with self._lock:
            second = int(at_s)
            self.requests[second] += 1
            self.slowest[second] = max(self.slowest.get(second, 0.0), answer.seconds)
            self.repeated += answer.repeated
            what = f"{kind}: {answer.status or answer.why}"
            if method == "GET" and answer.status != 200:
                self.failed_gets.append((at_s, what))
            elif method == "POST" and answer.status == 201:
                self.acknowledged[kind].add(key)
                if kind == "database":
                    self.writes_at.append(at_s)
            elif method == "POST":
                self.failed_writes.append((at_s, what))

    def lost(self, world: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
        """Kind -> keys that were acknowledged and are not in the world."""
        return {kind: sorted(self.acknowledged[kind] - set(world[kind])) for kind in KINDS}

    def longest_pause_s(self) -> float:
        """The longest time without an acknowledged row."""
        times = sorted(self.writes_at)
        return max((b - a for a, b in pairwise(times)), default=0.0)

    def green_while_failing_s(self) -> float:
        """The longest time that the environment called itself healthy while requests failed."""
        failures = sorted(at for at, _ in (*self.failed_gets, *self.failed_writes))
        longest = 0.0
        for at in failures:
            later = [s.at_s for s in self.samples if s.at_s >= at and not s.healthy]
            seen = [s.at_s for s in self.samples if s.at_s >= at]
            until = min(later, default=max(seen, default=at))
            near = [f for f in failures if at <= f <= until]
            longest = max(longest, min(until, max(near, default=at)) - at)
        return longest
