"""The oracle: what was acknowledged and what was answered, kept outside of the environment."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock

from cordillera.operations.rehearsal.client import Answer

PATIENCE_S = 2.0
"""An answer that takes longer is a failure to whoever waits for it."""
JOINED_S = 1.5

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
    """Everything that happened in one rehearsal, in seconds from its start.

    `waits` are spans in which a client waited longer than a person would, with what for.
    """

    run: str
    seconds: float = 0.0
    acknowledged: dict[str, list[str]] = field(default_factory=lambda: {k: [] for k in KINDS})
    requests: Counter[int] = field(default_factory=Counter)
    failed_gets: list[tuple[float, str]] = field(default_factory=list)
    failed_writes: list[tuple[float, str]] = field(default_factory=list)
    slowest: dict[int, float] = field(default_factory=dict)
    writes_at: dict[str, list[float]] = field(default_factory=lambda: {k: [] for k in KINDS})
    waits: list[tuple[float, float, str]] = field(default_factory=list)
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
            if answer.seconds > PATIENCE_S:
                self.waits.append((at_s - answer.seconds + PATIENCE_S, at_s, f"{method} {kind}"))
            what = f"{kind}: {answer.status or answer.why}"
            if method == "GET" and answer.status != 200:
                self.failed_gets.append((at_s, what))
            elif method == "POST" and answer.status == 201:
                self.acknowledged[kind].append(key)
                self.writes_at[kind].append(at_s)
            elif method == "POST":
                self.failed_writes.append((at_s, what))

    def lost(self, world: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
        """Kind -> keys that were acknowledged and are not in the world."""
        return {kind: sorted(set(self.acknowledged[kind]) - set(world[kind])) for kind in KINDS}

    def longest_pause_s(self, kind: str) -> float:
        """The longest time without an acknowledged write of that kind, up to the end."""
        times = [0.0, *sorted(self.writes_at[kind]), self.seconds]
        return max(b - a for a, b in pairwise(times))

    def green_while_failing_s(self) -> float:
        """The longest time that the environment called itself healthy while clients failed or waited."""
        return max((longest_green(span, self.samples) for span in self._bad_spans()), default=0.0)

    def _bad_spans(self) -> list[tuple[float, float]]:
        """Spans in which somebody failed or waited, joined where less than JOINED_S is between them."""
        moments = [(at, at) for at, _ in (*self.failed_gets, *self.failed_writes)]
        joined: list[tuple[float, float]] = []
        for begin, end in sorted([*moments, *((begin, end) for begin, end, _ in self.waits)]):
            if joined and begin - joined[-1][1] < JOINED_S:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((begin, end))
        return joined


def longest_green(span: tuple[float, float], samples: Sequence[Sample]) -> float:
    """The longest time within `span` from a healthy sample (or its begin) to the next unhealthy one. Pure."""
    begin, end = span
    ill = [s.at_s for s in samples if begin <= s.at_s <= end and not s.healthy]
    before = [s for s in samples if s.at_s < begin]
    if before and not before[-1].healthy:
        ill = [begin, *ill]
    edges = [begin, *ill, end]
    greens = [
        (a, b)
        for a, b in pairwise(edges)
        if a == begin or any(a < s.at_s <= b and s.healthy for s in samples)
    ]
    return max((b - a for a, b in greens), default=0.0)
