"""The types between what is wanted and how a target does it.

Building parts is pure; one engine per target plans and applies them, unit by unit. A unit is a
stack on aws, a component in a zone on local. See docs/decisions/0002-protocol.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:  # every command reads this file, and few need the manifest's models
    from cordillera.components.state import EnvironmentState
    from cordillera.components.wanted import Wanted

B = TypeVar("B", covariant=True)


class Effect(IntEnum):
    """What applying a change does to the part, mildest first."""

    CREATE = 1
    UPDATE = 2
    RESTART = 3
    REPLACE = 4
    DELETE = 5


class Mode(StrEnum):
    """How much a handover may cost."""

    PLANNED = "planned"
    ACCEPT_LOSS = "accept-loss"


@dataclass(frozen=True)
class Place:
    """Where: an environment, a region of it, perhaps one zone of that."""

    env: str
    region: str
    zone: str = ""


@dataclass(frozen=True)
class Part(Generic[B]):
    """One thing a target makes. `body` never leaves its target; `digest` says when it changed, and is empty
    where what runs the parts compares them itself."""

    component: str
    name: str
    unit: str
    body: B
    digest: str = ""
    holds_data: bool = False

    @property
    def key(self) -> str:
        """The part's identity within its environment."""
        return f"{self.component}/{self.name}"


@dataclass(frozen=True)
class Change:
    """One difference between wanted and found. `certain` is False where only applying tells."""

    component: str
    name: str
    effect: Effect
    holds_data: bool
    certain: bool
    why: str

    @property
    def endangers_data(self) -> bool:
        """True when applying it would lose what the part holds."""
        return self.holds_data and self.effect in (Effect.REPLACE, Effect.DELETE)


@dataclass(frozen=True)
class Plan:
    """What `up` will do. `base` names the state it was made from: if that moved, it is refused.

    `units` is the order; neighbours that `waves` groups together may run at once.
    """

    id: str
    base: str
    units: tuple[str, ...]
    changes: tuple[Change, ...]
    waves: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()
    """What should be known besides, a sentence each."""

    @property
    def endangered(self) -> tuple[Change, ...]:
        """The changes that would lose data."""
        return tuple(change for change in self.changes if change.endangers_data)


@dataclass(frozen=True)
class Note:
    """What whoever waits must know, or must do: a sentence, and the (name, value) pairs that it is about.

    It is told once, whoever repeats it, and never cut.
    """

    text: str
    parts: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """All of it on one line."""
        return ": ".join(filter(None, (self.text, " ".join(f"{k} {v}" for k, v in self.parts))))


@dataclass(frozen=True)
class Progress:
    """How far a unit is, and what is to be known while that holds.

    `failure` is a sentence: it will not get there by waiting.
    """

    done: bool
    detail: str = ""
    failure: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Action:
    """One step of a handover, journalled before it is performed."""

    title: str
    verb: str
    args: Mapping[str, str]


@dataclass(frozen=True)
class Exposure:
    """How many seconds of writes a handover could lose; None is unknown."""

    seconds: float | None
    means: str


Tell = Callable[[str, Progress], None]
"""Hears of a unit and how far it is."""


def unheard(unit: str, progress: Progress) -> None:
    """For those who do not ask how far it is."""


class Engine(Protocol):
    """Plans and applies parts; one per target. Every verb may be called again after a crash."""

    def plan(self, want: "Wanted", at: Place, *, offline: bool = False) -> Plan:
        """Compare what is wanted with what really runs. Touches nothing."""
        ...

    def begin(self, plan: Plan, unit: str, token: str) -> None:
        """Start applying one unit. `token` is the idempotency key."""
        ...

    def poll(self, plan: Plan, unit: str) -> Progress:
        """How far that unit is. Never blocks longer than a few seconds."""
        ...

    def observe(self, at: Place) -> "EnvironmentState":
        """Probe what runs. Never raises for a sick environment: sickness is the answer."""
        ...

    def stop(self, at: Place) -> None:
        """End every process; data stays."""
        ...

    def destroy(self, at: Place, tell: Tell = unheard) -> None:
        """Leave nothing: no process, no address, no file. `tell` hears how far each unit is."""
        ...


class Movable(Protocol):
    """What can be handed to another place: database, cache, objects."""

    def exposure(self, old: Place, new: Place) -> Exposure:
        """What a handover now could lose."""
        ...

    def handover(self, old: Place, new: Place, mode: Mode) -> Sequence[Action]:
        """The steps, in order. Raises Refused when writes could be lost and `mode` is PLANNED."""
        ...

    def perform(self, action: Action, token: str) -> Progress:
        """Do one step; safe to call again with the same token."""
        ...

    def writers(self, places: Sequence[Place]) -> Mapping[Place, bool | None]:
        """Who accepts writes; None is unreachable, which is not the same as fenced."""
        ...
