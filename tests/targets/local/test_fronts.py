"""Two fronts of one mind: nobody is cut off twice. And what is frozen or stays ill is replaced."""

import os
import signal
from collections.abc import Iterator

import pytest
from tests.targets.local import whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components.mail import MailSpec
from cordillera.targets.local import _found, _haproxy, _published
from cordillera.targets.local._lookout.fronts import gone
from cordillera.targets.local._lookout.ill import overdue

UP, DOWN, COMING = "UP", "DOWN", "DOWN 1/2"


def test_a_server_is_gone_when_every_front_holds_it_to_be_down() -> None:
    assert gone([{"a": DOWN, "b": UP}, {"a": COMING, "b": UP}]) == {"a"}
    assert gone([{"a": DOWN, "b": UP}, {"a": UP, "b": UP}]) == set()
    assert gone([{"a": UP}]) == set()
    assert gone([{"a": DOWN, "b": DOWN, "a-anyway": "no check"}]) == set()
    assert gone([]) == set()


STAT = """\
# pxname,svname,...
copies,FRONTEND,,,,,,,,,,,,,,,,OPEN,,,,,,,,,,,,,,,,,,,,
copies,web-a1,,,,,,,,,,,,,,,,DOWN,,,,,,42,,,,,,,,,,,,,* L7TOUT,
copies,web-b1,,,,,,,,,,,,,,,,UP 1/2,,,,,,7,,,,,,,,,,,,,L7OK,
copies,web-a1-anyway,,,,,,,,,,,,,,,,no check,,,,,,,,,,,,,,,,,,,,
"""


def test_what_an_haproxy_says_of_the_servers_that_it_checks() -> None:
    found = _haproxy.checked(STAT)

    assert found == {
        "copies": {
            "web-a1": _haproxy.Server("DOWN", 42, "L7TOUT"),
            "web-b1": _haproxy.Server("UP 1/2", 7, "L7OK"),
        }
    }
    assert found["copies"]["web-a1"].silent


WELL = _haproxy.Server("UP", 9.0, "L7OK")


@pytest.mark.parametrize(
    ("status", "check", "since_s", "age_s", "others", "ended"),
    [
        ("DOWN", "L7STS", 31, 100, [WELL], True),
        ("DOWN", "L7TOUT", 31, 100, [WELL], True),
        ("DOWN", "L7TOUT", 29, 100, [WELL], False),
        ("DOWN", "L7TOUT", 31, 59, [WELL], False),  # it may still be starting
        ("DRAIN", "L7TOUT", 31, 100, [WELL], False),
        ("UP", "L7OK", 31, 100, [WELL], False),
        ("DOWN", "L7STS", 500, 500, [], False),  # all say that they are ill: of what is behind them
        ("DOWN", "L7TOUT", 119, 500, [], False),  # all are slow: it may be load
        ("DOWN", "L7TOUT", 121, 500, [], True),  # all hang
    ],
)
def test_which_copy_that_stays_ill_is_ended(
    status: str,
    check: str,
    since_s: float,
    age_s: float,
    others: list[_haproxy.Server],
    ended: bool,
) -> None:
    copy = _haproxy.Server(status, since_s, check)
    assert overdue(copy, others, age_s=age_s, start_s=60.0) is ended


@pytest.fixture(scope="module")
def shop() -> Iterator[Environment]:
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(
            whole.wanted("fronts/test", {"mail": MailSpec(type="mail")}), home
        ) as made:
            yield made


def fronts(shop: Environment) -> list[int]:
    """The first process of each front."""
    found = [f for f in _found.scan(shop.want.environment) if f.key == "front/front"]
    pids = {f.pid for f in found}
    return sorted(f.pid for f in found if f.parent not in pids)


def pids(shop: Environment, part: str) -> set[int]:
    """Every process of a part."""
    return {f.pid for f in _found.scan(shop.want.environment) if f.key == part}


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
def test_both_fronts_killed_are_back_by_themselves(shop: Environment) -> None:
    eventually(lambda: both_answer(shop), "both run")
    before = pids(shop, "front/front")
    for pid in before:
        os.kill(pid, signal.SIGKILL)

    eventually(lambda: both_answer(shop) and not pids(shop, "front/front") & before, "two anew")
    eventually(lambda: _published.get(shop.site, "/").status == 200, "the page answers")


@pytest.mark.slow
@pytest.mark.parametrize("part", ["balancer/edge-a", "proxy/proxy-a"])
def test_a_frozen_edge_or_proxy_is_told_and_replaced_by_itself(
    shop: Environment, part: str
) -> None:
    told = f"its {part.split('/')[1].removesuffix('-a')} does not answer"
    eventually(lambda: shop.state().healthy, "healthy")
    before = pids(shop, part)
    for pid in before:
        os.kill(pid, signal.SIGSTOP)

    eventually(lambda: shop.state().zones["a"].detail == told, "told", within_s=3)
    assert not shop.state().healthy
    eventually(lambda: (now := pids(shop, part)) and not now & before, "another one runs")
    eventually(lambda: shop.state().healthy, "healthy again")


@pytest.mark.slow
def test_a_copy_that_stays_ill_is_started_anew(shop: Environment) -> None:
    eventually(lambda: shop.state().healthy, "healthy")
    part = next(key for key in _found.leaders(_found.scan(shop.want.environment)) if "web-" in key)
    before = pids(shop, part)
    for pid in before:
        os.kill(pid, signal.SIGSTOP)

    eventually(lambda: (now := pids(shop, part)) and not now & before, "another one runs")
    eventually(lambda: shop.state().healthy, "healthy again")


@pytest.mark.slow
def test_a_lost_front_is_not_called_healthy(shop: Environment) -> None:
    eventually(lambda: shop.state().healthy, "healthy")
    socket = shop.site.front.run / "front-1.sock"
    socket.rename(socket.with_suffix(".away"))
    assert shop.state().trouble == "the published address: 1 of 2 fronts do not answer"
    socket.with_suffix(".away").rename(socket)
