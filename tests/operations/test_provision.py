"""`up` waits until what it made does all that was promised, for a while."""

from dataclasses import dataclass, field
from typing import Any, cast

from tests.fakes import Hours

from cordillera.components.protocol import Engine, Place
from cordillera.components.state import EnvironmentState, ResourceState, ServiceState, ZoneState
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
