"""Copies: spread, limited, restarted, left out while slow, and replaced without a lost request."""

import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.targets.local import visitor, whole
from tests.targets.local.by_hand import eventually
from tests.targets.local.visitor import ask
from tests.targets.local.whole import Environment

from cordillera.components.service import HealthSpec, ScaleSpec, ServiceSpec
from cordillera.components.state import Copy
from cordillera.components.wanted import Wanted
from cordillera.core.process import is_root
from cordillera.targets.local import _cgroup, _haproxy

pytestmark = pytest.mark.slow
MEMORY = 96 * 2**20


def wanted(folder: Path) -> Wanted:
    """Two copies of a public service with a release command, and an internal service that it asks."""
    one = ServiceSpec(
        command="exec python3 app.py",
        health=HealthSpec(path="/healthz", timeout=0.5),
        scale=ScaleSpec(min=2, max=2),
        memory=MEMORY,
        cpu=0.5,
    )
    web = one.model_copy(
        update={
            "public": True,
            "release": "echo released",
            "environment": {"API": "${services.api.url}"},
        }
    )
    return Wanted(
        app="shop", environment="copies/test", folder=folder, services={"web": web, "api": one}
    )


@pytest.fixture(scope="module")
def shop() -> Iterator[Environment]:
    """copies/test, up."""
    with pytest.MonkeyPatch.context() as patch, whole.home() as home:
        patch.setenv("CORDILLERA_HOME", str(home))
        with whole.environment(wanted(visitor.app(home)), home) as made:
            yield made


def copies(shop: Environment) -> dict[str, Copy]:
    return {copy.name: copy for copy in shop.state().services["web"].copies}


def healthy(shop: Environment) -> bool:
    return shop.state().healthy


def test_copies_are_in_both_zones_and_both_get_requests(shop: Environment) -> None:
    assert sorted(copy.zone for copy in copies(shop).values()) == ["a", "b"]
    assert {ask(shop, "/who").text for _ in range(40)} == set(copies(shop))


def test_a_slow_copy_gets_no_requests_until_it_is_quick_again(shop: Environment) -> None:
    slow = ask(shop, "/slow?8").text

    def left_out() -> bool:
        return {ask(shop, "/who").text for _ in range(20)} == set(copies(shop)) - {slow}

    eventually(left_out, f"{slow} is left out", within_s=10)
    eventually(lambda: slow in {ask(shop, "/who").text for _ in range(20)}, f"{slow} is back")


def test_when_every_copy_is_slow_a_slow_answer_is_better_than_none(shop: Environment) -> None:
    eventually(lambda: healthy(shop), "healthy")
    slowed: set[str] = set()
    while slowed != set(copies(shop)):
        slowed.add(ask(shop, "/slow?10").text)

    def none_is_well() -> bool:
        edges = [zone.sockets("edge") / "edge.sock" for zone in shop.site.zones]
        return not any(any(_haproxy.servers(edge, "copies").values()) for edge in edges)

    eventually(none_is_well, "both edges have marked both copies down", within_s=9)
    assert {ask(shop, "/who").status for _ in range(10)} == {200}
    eventually(lambda: healthy(shop), "healthy again")


def test_a_copy_that_is_killed_costs_no_page_and_is_started_again(shop: Environment) -> None:
    victim = next(iter(copies(shop).values()))
    statuses = []
    for turn in range(60):
        if turn == 10:
            os.kill(victim.pid, signal.SIGKILL)
        statuses.append(ask(shop, "/who").status)

    assert set(statuses) == {200}
    eventually(lambda: healthy(shop), "healthy again")
    again = copies(shop)[victim.name]
    assert again.pid != victim.pid
    assert "SIGKILL" in again.last_exit


@pytest.mark.skipif(
    not (is_root() and _cgroup.version()), reason="limits need root and control groups"
)
def test_a_copy_that_takes_more_memory_than_its_limit_is_ended_and_started_again(
    shop: Environment,
) -> None:
    before = {name: copy.pid for name, copy in copies(shop).items()}

    ask(shop, "/eat?300")

    eventually(lambda: any(c.pid != before[n] for n, c in copies(shop).items()), "ended")
    eventually(lambda: healthy(shop), "healthy again")
    assert all(copy.memory_bytes < MEMORY for copy in copies(shop).values())


@pytest.mark.skipif(not is_root(), reason="without root every process has the same user")
def test_no_copy_can_change_its_release(shop: Environment) -> None:
    assert ask(shop, "/write").text in ("Permission denied", "Read-only file system")


def test_an_internal_service_is_reached_by_its_url_from_every_zone(shop: Environment) -> None:
    asked = {ask(shop, "/api").text.rpartition("-")[0].partition("-")[0] for _ in range(20)}

    assert asked == {"api"}


def test_a_new_release_drops_no_request_and_runs_its_release_command_once(
    shop: Environment,
) -> None:
    log = shop.site.state / "logs/release-web.log"
    assert log.read_text().count("released") == 1
    web = shop.want.services["web"]
    changed = web.model_copy(update={"environment": {**web.environment, "GREETING": " hola"}})
    shop.want = replace(shop.want, services={**shop.want.services, "web": changed})
    seen: list[tuple[int, str]] = []
    done = threading.Event()

    def visit() -> None:
        while not done.is_set():
            got = ask(shop, "/sleep?0.3")
            seen.append((got.status, got.text))

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for one in visitors:
        one.start()
    try:
        shop.up()
    finally:
        done.set()
        for one in visitors:
            one.join()

    assert {status for status, _ in seen} == {200}
    assert seen[0][1] != ask(shop, "/sleep?0").text
    assert ask(shop, "/sleep?0").text.endswith(" hola")
    assert log.read_text().count("released") == 1  # new settings are no new release
