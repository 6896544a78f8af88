"""`up` waits until what it made does all that was promised, for a while."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tests.fakes import Hours, MemoryEngine, World

from cordillera.components.protocol import Engine, Note, Place, Plan, Progress
from cordillera.components.state import EnvironmentState, ResourceState, ServiceState, ZoneState
from cordillera.components.wanted import Wanted
from cordillera.operations import provision
from cordillera.operations.provision import SETTLE_WITHIN, SETTLING, Step

AT = Place("acme/test", "local")
WELL = EnvironmentState("acme/test", "https://localhost:1", front_healthy=True)
FILLING = ResourceState("objects", healthy=False, durable=False, endpoint="", detail="one copy")
ILL = EnvironmentState(
    "acme/test",
    "",
    services={"web": ServiceState(desired=2)},
    resources={"uploads": FILLING},
    zones={"b": ZoneState(healthy=False, down=("web-2", "worker-1"))},
    front_detail="HTTP 503",
)


@dataclass
class Probes:
    """Observes one state after the other, the last for good."""

    states: list[EnvironmentState]
    told: list[Step] = field(default_factory=list)

    def observe(self, _: Place) -> EnvironmentState:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def settle(self) -> EnvironmentState:
        engine = cast("Engine", cast("Any", self))
        return provision.settle(engine, AT, self.told.append, clock=Hours())


def test_it_waits_until_the_environment_is_healthy() -> None:
    probes = Probes([ILL, ILL, WELL])

    assert probes.settle() is WELL
    assert [step.state for step in probes.told] == ["working", "working", "done"]
    assert all(step.unit == SETTLING for step in probes.told)


def test_it_gives_up_after_a_while_and_says_what_is_missing() -> None:
    probes = Probes([ILL])

    assert probes.settle() is ILL
    last = probes.told[-1]
    assert (last.state, last.seconds) == ("failed", SETTLE_WITHIN.total_seconds())
    assert last.detail == (
        "the published address: HTTP 503; web: 0 of 2 copies are healthy; uploads: one copy; "
        "zone b: web-2, worker-1"
    )


def test_a_healthy_environment_lacks_nothing() -> None:
    assert WELL.trouble == ""


class Waiting(MemoryEngine):
    """Each unit waits once for something that somebody else must do."""

    def __init__(self) -> None:
        super().__init__(World())
        self.polled = set[str]()

    def poll(self, plan: Plan, unit: str) -> Progress:
        if unit in self.polled:
            return Progress(done=True)
        self.polled.add(unit)
        return Progress(done=False, detail="waits", notes=(NOTE,))


NOTE = Note("write this record into your DNS", (("name", "_a1.news.example"),))


def test_what_must_be_known_is_told_with_the_unit_while_it_holds() -> None:
    engine, told = Waiting(), list[Step]()
    plan = engine.plan(Wanted("hello", "acme/test", Path("/app")), AT)

    provision.apply(engine, plan, told.append, clock=Hours(), token="up-1")

    held = [(step.state, step.notes) for step in told if step.unit == plan.units[0]]
    assert held == [("working", ()), ("working", (NOTE,)), ("done", ())]
