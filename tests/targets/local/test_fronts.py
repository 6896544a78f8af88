"""Two fronts of one mind: nobody is cut off twice. And what is frozen or stays ill is replaced."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.targets.local import whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.whole import Environment

from cordillera.components.mail import MailSpec
from cordillera.components.service import HealthSpec
from cordillera.core.errors import NotReady
from cordillera.targets.local import _entrance, _found, _haproxy, _supervisor_rpc, balancer
from cordillera.targets.local._haproxy import Server
from cordillera.targets.local._lookout import unhealthy
from cordillera.targets.local._lookout.fronts import gone
from cordillera.targets.local._lookout.frozen import Frozen, Watched
from cordillera.targets.local._lookout.unhealthy import Copy, Look, Unhealthy

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


def test_what_an_haproxy_holds_of_its_servers() -> None:
    found = _haproxy.backends(STAT)

    assert found == {
        "copies": {
            "web-a1": Server("DOWN", 42, "L7TOUT"),
            "web-b1": Server("UP 1/2", 7, "L7OK"),
            "web-a1-anyway": Server("no check", 0, ""),
        }
    }


@pytest.mark.parametrize(
    ("status", "check", "up", "down"),
    [
        ("UP", "L7OK", True, False),
        ("UP", "L7TOUT", False, False),
        ("DOWN", "L7STS", False, True),
        ("DOWN 1/2", "L7OK", False, False),  # it is on its way back
        ("DRAIN", "L7TOUT", False, False),
        ("no check", "", False, False),
    ],
)
def test_when_a_server_is_up_or_down(status: str, check: str, up: bool, down: bool) -> None:
    found = Server(status, 9.0, check)
    assert (found.up, found.down) == (up, down)


@pytest.mark.parametrize(
    ("since_s", "age_s", "others", "overdue"),
    [
        (31, 100, [Server("UP", 9, "L7OK")], True),
        (29, 100, [Server("UP", 9, "L7OK")], False),
        (31, 59, [Server("UP", 9, "L7OK")], False),  # it may still be starting
        (119, 500, [Server("DOWN", 9, "L7STS")], False),
        (121, 500, [], True),
    ],
)
def test_when_a_copy_is_overdue(
    since_s: float, age_s: float, others: list[Server], overdue: bool
) -> None:
    assert Look(WEB, Server("DOWN", since_s, "L7STS"), others).overdue(age_s) is overdue


WEB = Copy("web-a1", 60.0, "edge.sock", "copies", "127.0.0.1", 0, "/healthz")


@dataclass
class Zone:
    """A zone's HAProxy and its supervisor as they answer; copies that are ended."""

    down: dict[str, Server]
    hanging: bool = True
    ended: list[int] = field(default_factory=list)

    def table(self, *_: object) -> str:
        rows = ((name, one.status, one.since_s, one.check) for name, one in self.down.items())
        return "".join(
            f"copies,{n}{',' * 16}{s}{',' * 6}{t}{',' * 13}{c},\n" for n, s, t, c in rows
        )

    def processes(self, *_: object) -> list[dict[str, object]]:
        known = {"now": 1000, "start": 0, "statename": "RUNNING"}
        return [{"name": name, "pid": pid, **known} for pid, name in enumerate(self.down, 1)]


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Zone:
    made = Zone({name: Server("DOWN", 200, "L7TOUT") for name in ("web-a1", "web-a2")})
    monkeypatch.setattr(_haproxy, "ask", made.table)
    monkeypatch.setattr(_supervisor_rpc, "ask", made.processes)
    monkeypatch.setattr(unhealthy, "hangs", lambda *_: made.hanging)
    return made


def watch(zone: Zone) -> Unhealthy:
    both = [WEB, replace(WEB, program="web-a2")]
    return Unhealthy(Path("supervisor.sock"), both, end=zone.ended.append)


def test_of_a_service_one_copy_is_ended_at_a_time(zone: Zone) -> None:
    watching = watch(zone)
    for now in (0.0, 2.0, 59.0):
        watching.turn(now)
    assert zone.ended == [1]

    watching.turn(61.0)
    assert zone.ended == [1, 1]  # the first one did not get well, and is ended again


def test_copies_that_are_all_slow_are_left_alone(zone: Zone) -> None:
    zone.hanging = False
    watch(zone).turn(0.0)
    assert zone.ended == []


def test_a_copy_is_not_asked_again_while_another_is_well(zone: Zone) -> None:
    zone.hanging = False
    zone.down["web-b1"] = Server("UP", 9.0, "L7OK")
    watch(zone).turn(0.0)
    assert zone.ended == [1]


@pytest.mark.parametrize("silence", [TimeoutError(), BlockingIOError()])
def test_an_haproxy_is_frozen_when_it_misses_several_questions_in_a_row(
    silence: OSError, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([silence, None, silence, silence, ConnectionRefusedError(), silence, silence])

    def ask(*_: object, **__: object) -> str:
        if (said := next(answers, silence)) is not None:
            raise NotReady("no answer") from said
        return "1"

    monkeypatch.setattr(_haproxy, "ask", ask)
    ended: list[Watched] = []
    frozen = Frozen([Watched("edge-a", "s", "c")], misses=3, end=ended.append)

    for _ in range(7):
        frozen.turn("show pid")
    assert not ended
    frozen.turn("show pid")
    assert [one.name for one in ended] == ["edge-a"]


@pytest.fixture(scope="module")
def shop() -> Iterator[Environment]:
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        want = whole.wanted("fronts/test", {"mail": MailSpec(type="mail")})
        health = HealthSpec(path="/healthz", start=5.0)  # a copy is not ended before that is over
        web = want.services["web"].model_copy(update={"health": health})
        with whole.environment(replace(want, services={"web": web}), home) as made:
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
    return len(fronts(shop)) == 2 and not balancer.silent_fronts(shop.site)


@pytest.mark.slow
def test_each_front_answers_at_a_socket_of_its_own(shop: Environment) -> None:
    eventually(lambda: both_answer(shop), "both run")
    for name in ("front-0", "front-1"):
        answer = _haproxy.ask(shop.site.front.sockets("front") / f"{name}.sock", "show stat")
        assert _haproxy.backends(answer)["edges"].keys() == {"a", "b", "a-anyway", "b-anyway"}


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
    eventually(lambda: not _entrance.look(shop.want, shop.site).trouble, "the page answers")


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
    socket = shop.site.front.sockets("front") / "front-1.sock"
    socket.rename(socket.with_suffix(".away"))
    assert shop.state().trouble == "the published address: 1 of 2 fronts do not answer"
    socket.with_suffix(".away").rename(socket)
