"""A lost zone's copies stand in the other zone for as long as it is lost, where there is room."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.targets.local import whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components.service import ScaleSpec, ServiceSpec
from cordillera.components.state import ServiceState
from cordillera.components.target import Loss
from cordillera.targets.local import _found
from cordillera.targets.local._lookout.spares import (
    BACK_AFTER_S,
    LOST_AFTER_S,
    MARGIN_BYTES,
    Spare,
    stand_in,
    startable,
)
from cordillera.targets.local._verbs import LocalVerbs

MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("now", "lost_s", "whole_s", "wanted"),
    [
        (False, 0.0, 60.0, False),
        (False, LOST_AFTER_S - 1, 0.0, False),  # a pause is no loss
        (False, LOST_AFTER_S + 1, 0.0, True),
        (True, LOST_AFTER_S + 1, 0.0, True),
        (True, 0.0, 0.0, True),  # it answers again, its copies are not well yet
        (True, 0.0, BACK_AFTER_S + 1, False),
        (False, 0.0, 0.0, False),  # a copy that is ill in a zone that is not lost
    ],
)
def test_when_spares_stand_in(now: bool, lost_s: float, whole_s: float, wanted: bool) -> None:
    assert stand_in(now=now, lost_s=lost_s, whole_s=whole_s) is wanted


def test_spares_start_as_far_as_there_is_room() -> None:
    spares = [Spare(f"web-{n}", "b", 100 * MEGABYTE, "", 0, "") for n in range(3)]

    assert startable(spares, 300 * MEGABYTE + MARGIN_BYTES) == spares
    assert startable(spares, 299 * MEGABYTE + MARGIN_BYTES) == spares[:2]
    assert startable(spares, 10 * MEGABYTE) == []


@pytest.fixture
def shop() -> Iterator[Environment]:
    """A page and a worker that listens nowhere, two copies each."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        want = whole.wanted("spares/test", {})
        worker = ServiceSpec(command="exec sleep 3600", scale=ScaleSpec(min=2, max=2), memory=2**25)
        want = replace(want, services={**want.services, "worker": worker})
        with whole.environment(want, home) as made:
            yield made


def well_in(state: ServiceState, zone: str) -> int:
    return sum(copy.healthy for copy in state.copies if copy.zone == zone)


@pytest.mark.slow
@pytest.mark.parametrize("how", [Loss.KILLED, Loss.FROZEN])
def test_copies_of_a_lost_zone_run_in_the_other_until_it_is_back(
    shop: Environment, how: Loss
) -> None:
    verbs, name = LocalVerbs(), shop.want.environment
    assert shop.up() == []

    verbs.lose(name, "b", how)
    for service in ("web", "worker"):
        eventually(
            lambda service=service: well_in(shop.state().services[service], "a") == 2,  # type: ignore[misc]
            f"two copies of {service} in zone a",
        )
    assert not shop.state().healthy

    verbs.restore(name, "b")
    eventually(lambda: shop.state().healthy, "healthy again")
    for service in ("web", "worker"):
        eventually(
            lambda service=service: len(shop.state().services[service].copies) == 2,  # type: ignore[misc]
            f"the spare of {service} ended",
        )
        assert well_in(shop.state().services[service], "b") == 1
    assert shop.up() == []


@pytest.mark.slow
def test_after_a_power_cut_spares_are_laid_ready_again(shop: Environment) -> None:
    _found.kill(_found.scan(shop.want.environment))
    for folder in shop.site.run.glob("*/programs"):
        for path in folder.glob("*-for-*"):
            path.unlink()

    assert any("-for-" in change for change in shop.up())
    assert shop.up() == []
    assert all(len(state.copies) == 2 for state in shop.state().services.values())
