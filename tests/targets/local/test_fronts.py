"""Two fronts of one mind: nobody is cut off twice, and a frozen one is replaced."""

import os
import signal
from collections.abc import Iterator

import pytest
from tests.targets.local import whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.targets.local import _found, _haproxy
from cordillera.targets.local._lookout.fronts import gone

UP, DOWN, COMING = "UP", "DOWN", "DOWN 1/2"


def test_a_server_is_gone_when_every_front_holds_it_to_be_down() -> None:
    assert gone([{"a": DOWN, "b": UP}, {"a": COMING, "b": UP}]) == {"a"}
    assert gone([{"a": DOWN, "b": UP}, {"a": UP, "b": UP}]) == set()
    assert gone([{"a": UP}]) == set()
    assert gone([{"a": DOWN, "b": DOWN, "a-anyway": "no check"}]) == set()
    assert gone([]) == set()


@pytest.fixture
def shop() -> Iterator[Environment]:
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(whole.wanted("fronts/test", {}), home) as made:
            yield made


def fronts(shop: Environment) -> list[int]:
    """The first process of each front."""
    found = [f for f in _found.scan(shop.want.environment) if f.key == "front/front"]
    pids = {f.pid for f in found}
    return sorted(f.pid for f in found if f.parent not in pids)


def both_answer(shop: Environment) -> bool:
    sockets = [shop.site.front.run / f"{name}.sock" for name in ("front-0", "front-1")]
    return len(fronts(shop)) == 2 and all(socket.exists() for socket in sockets)


@pytest.mark.slow
def test_each_front_answers_at_a_socket_of_its_own(shop: Environment) -> None:
    eventually(lambda: both_answer(shop), "both run")
    for name in ("front-0", "front-1"):
        answer = _haproxy.ask(shop.site.front.run / f"{name}.sock", "show stat")
        assert _haproxy.statuses(answer, "edges").keys() == {"a", "b", "a-anyway", "b-anyway"}


@pytest.mark.slow
def test_a_frozen_front_is_replaced_by_itself(shop: Environment) -> None:
    eventually(lambda: both_answer(shop), "both run")
    before = fronts(shop)

    for found in _found.scan(shop.want.environment):
        if before[0] in (found.pid, found.parent):
            os.kill(found.pid, signal.SIGSTOP)

    eventually(lambda: before[0] not in fronts(shop) and len(fronts(shop)) == 2, "two again")
    assert before[1] in fronts(shop)
    eventually(lambda: shop.state().healthy, "healthy")


@pytest.mark.slow
def test_a_frozen_edge_or_a_lost_front_is_not_called_healthy(shop: Environment) -> None:
    eventually(lambda: shop.state().healthy, "healthy")
    edge = [f.pid for f in _found.scan(shop.want.environment) if f.key == "balancer/edge-a"]
    for pid in edge:
        os.kill(pid, signal.SIGSTOP)

    eventually(
        lambda: shop.state().trouble == "zone a: its edge does not answer", "told", within_s=3
    )

    for pid in edge:
        os.kill(pid, signal.SIGCONT)
    eventually(lambda: shop.state().healthy, "healthy again")
    socket = shop.site.front.run / "front-1.sock"
    socket.rename(socket.with_suffix(".away"))
    assert shop.state().trouble == "the published address: 1 of 2 fronts do not answer"
    socket.with_suffix(".away").rename(socket)
