"""The steward of the objects' copies, between votes and a store that are lists here."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from cordillera.targets.local._keeper import steward as module
from cordillera.targets.local._keeper.etcd import Entry, Etcd
from cordillera.targets.local._keeper.leadership import Leadership
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.steward import CALM_EVERY_S, STEWARD, Steward
from cordillera.targets.local._keeper.stores import BACK_AFTER_S, COPIES, LOST, ROUND, Stores
from cordillera.targets.local._site import WITNESS

LEASE = 7
SERVERS = {"a": ("10.66.10.2", 8081), "b": ("10.66.20.2", 8081)}
SPARES = {"a": ("10.66.10.2", 8082), "b": ("10.66.20.2", 8082)}


class Votes:
    """What is agreed on, with the revision of each key; we are the steward."""

    def __init__(self) -> None:
        self.revision, self.kept = 1, {COPIES: Entry("two", 0, 1, 1)}

    def read(self, *keys: str) -> tuple[Entry | None, ...]:
        known = {**self.kept, STEWARD: Entry(WITNESS, LEASE, 1, 1)}
        return tuple(known.get(key) for key in keys)

    def change(self, _: Sequence[Mapping[str, Any]], *changes: Mapping[str, Any]) -> bool:
        self.revision += 1
        for change in changes:
            key, value = (_text(change["requestPut"][name]) for name in ("key", "value"))
            self.kept[key] = Entry(value, 0, 1, self.revision)
        return True

    def value(self, key: str) -> str:
        return self.kept[key].value


def _text(code: str) -> str:
    return base64.b64decode(code).decode()


class World:
    """Two stores and their spares; `silent` zones, `volumes` of each store, the spares that run."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path) -> None:
        self.now, self.silent, self.spares = 1000.0, set[str](), set[str]()
        self.volumes = {"a": [1], "b": [1]}
        self.filled, self.flag = 0, folder / "wanted"
        self.votes = Votes()
        lease = Lease(lambda: cast(Etcd, self.votes))
        lease.number = LEASE
        patch.setattr(module, "http_get", self.get)
        patch.setattr(module, "speaks", lambda address: self.zone(address[0]) not in self.silent)
        patch.setattr("time.monotonic", lambda: self.now)
        patch.setattr(Stores, "held", lambda _: [self._held(zone) for zone in SERVERS])
        patch.setattr(Stores, "shell", lambda *_: self.fill())
        patch.setattr(Leadership, "prefer_the_witness", lambda *_: None)
        stores = Stores(SERVERS, SPARES, "10.66.90.2:9333", ("10.66.90.2", 9333), "weed")
        self.steward = Steward("a", stores, lambda: cast(Etcd, self.votes), lease, self.flag)

    @staticmethod
    def zone(host: str) -> str:
        return next(zone for zone, (address, _) in SERVERS.items() if address == host)

    def get(self, server: tuple[str, int], _: str) -> str | None:
        zone = self.zone(server[0])
        runs = zone in self.spares if server in SPARES.values() else zone not in self.silent
        return "" if runs else None

    def _held(self, zone: str) -> str:
        return json.dumps({"Volumes": [{"Id": number} for number in self.volumes[zone]]})

    def fill(self) -> str:
        self.filled += 1
        self.volumes["b"] = list(self.volumes["a"])
        return ""

    def turns(self, seconds: float) -> None:
        """As many turns as fit."""
        until = self.now + seconds
        while self.now < until:
            self.steward.turn()
            if self.steward._filling:
                self.steward._filling.wait()
            self.now += 0.5


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    return World(monkeypatch, tmp_path)


def lose(world: World, *zones: str) -> None:
    world.silent = set(zones)
    world.turns(8)


def test_a_lost_zone_has_a_spare_stand_in_until_it_is_back(world: World) -> None:
    world.turns(1)
    assert not world.flag.exists()

    lose(world, "b")
    assert (world.votes.value(COPIES), world.votes.value(LOST)) == ("one", "b")
    assert world.flag.exists()

    lose(world)
    assert not world.flag.exists()


def test_a_store_that_was_never_whole_has_lost_nothing(world: World) -> None:
    world.votes.kept = {}
    lose(world, "b")
    assert world.votes.kept == {}

    lose(world)
    assert world.votes.value(COPIES) == "two"
    lose(world, "b")
    assert world.votes.value(COPIES) == "one"


def test_copies_are_made_when_no_spare_answers_any_more(world: World) -> None:
    lose(world, "b")
    world.spares, world.volumes["a"] = {"a"}, [1, 2]

    lose(world)
    assert (world.votes.value(COPIES), world.filled) == ("filling", 0)
    world.spares = set()
    world.turns(2)

    assert (world.votes.value(COPIES), world.filled) == ("two", 1)


def test_a_volume_that_was_not_copied_after_all_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stores, "shell", lambda *_: "done")
    lose(world, "b")
    world.volumes["a"] = [1, 2]
    lose(world)
    assert world.votes.value(COPIES) == "filling"

    monkeypatch.setattr(Stores, "shell", lambda *_: world.fill())
    world.turns(2)
    assert world.votes.value(COPIES) == "two"


def test_a_volume_in_one_zone_only_is_copied_though_nothing_was_lost(world: World) -> None:
    world.volumes["a"] = [1, 2]
    world.turns(2 * CALM_EVERY_S + 1)  # seen twice
    world.turns(BACK_AFTER_S + 2)

    assert (world.votes.value(COPIES), world.filled) == ("two", 1)


def test_a_round_lasts_until_everything_is_in_every_zone(world: World) -> None:
    lose(world, "b")
    first, world.spares = world.votes.kept[ROUND], {"a"}
    lose(world)  # the spare does not end: nothing is copied
    lose(world, "b")
    assert world.votes.kept[ROUND] == first

    world.spares = set()
    lose(world)
    lose(world, "b")
    assert world.votes.kept[ROUND].changed > first.changed


def test_the_other_zone_lost_right_after_has_the_other_spare_stand_in(world: World) -> None:
    lose(world, "b")
    lose(world, "a")

    assert (world.votes.value(COPIES), world.votes.value(LOST)) == ("one", "a")
    assert not world.flag.exists()


def test_nothing_is_changed_while_both_are_silent(world: World) -> None:
    world.turns(1)
    world.silent = {"a", "b"}
    world.turns(20)

    assert world.votes.value(COPIES) == "two"
