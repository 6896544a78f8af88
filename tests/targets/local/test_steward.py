"""The steward of the objects' copies, between votes and a store that are lists here."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from cordillera.targets.local._keeper import steward as module
from cordillera.targets.local._keeper.etcd import Entry, Etcd
from cordillera.targets.local._keeper.leadership import Leadership
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.steward import CALM_EVERY_S, Steward
from cordillera.targets.local._keeper.stores import BACK_AFTER_S, ONE_COPY, TWO_COPIES, Stores
from cordillera.targets.local._site import WITNESS

LEASE = 7
SERVERS = {"a": ("10.66.10.2", 8081), "b": ("10.66.20.2", 8081)}


class Votes:
    """`copies` as they are agreed on; we are the steward."""

    def __init__(self, copies: str) -> None:
        self.copies = copies

    def read(self, *_: str) -> tuple[Entry, Entry]:
        return Entry(WITNESS, LEASE, 1, 1), Entry(self.copies, 0, 1, 1)

    def change(self, _: Sequence[Mapping[str, Any]], *changes: Mapping[str, Any]) -> bool:
        self.copies = base64.b64decode(changes[0]["requestPut"]["value"]).decode()
        return True


class World:
    """Two stores; `silent` of them, `volumes` of each, and what each filer was told last."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now, self.silent = 1000.0, set[str]()
        self.volumes = {"a": [1], "b": [1]}
        self.told: dict[str, tuple[str, ...]] = {}
        self.votes = Votes("two")
        lease = Lease(lambda: cast(Etcd, self.votes))
        lease.number = LEASE
        patch.setattr(module, "http_get", self.get)
        patch.setattr(module, "speaks", lambda address: self.zone(address[0]) not in self.silent)
        patch.setattr("time.monotonic", lambda: self.now)
        patch.setattr(Stores, "shell", lambda _, *words, filer="": self.tell(filer, words))
        patch.setattr(Leadership, "prefer_the_witness", lambda *_: None)
        filers = {"a": "filer-a", "b": "filer-b"}
        stores = Stores(SERVERS, filers, "10.66.90.2:9333", ("10.66.90.2", 9333), "weed")
        self.steward = Steward(WITNESS, stores, lambda: cast(Etcd, self.votes), lease)

    @staticmethod
    def zone(host: str) -> str:
        return next(zone for zone, (address, _) in SERVERS.items() if address == host)

    def get(self, server: tuple[str, int], path: str) -> str | None:
        zone = self.zone(server[0])
        return None if zone in self.silent else json.dumps({"Volumes": self._held(zone)})

    def _held(self, zone: str) -> list[dict[str, int]]:
        return [{"Id": number} for number in self.volumes[zone]]

    def tell(self, filer: str, words: tuple[str, ...]) -> str:
        self.told[filer] = words
        return ""

    def turns(self, seconds: float) -> None:
        """As many turns as fit."""
        until = self.now + seconds
        while self.now < until:
            self.steward.turn()
            self.now += 0.5


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def test_a_lost_zone_leaves_one_copy_and_its_return_two_at_every_filer(world: World) -> None:
    world.turns(1)
    world.silent = {"b"}
    world.turns(8)
    assert (world.votes.copies, world.told) == ("one", {"filer-a": ONE_COPY})

    world.silent = set()
    world.turns(BACK_AFTER_S + 1.5)
    assert world.told["filer-a"] == world.told["filer-b"] == TWO_COPIES


def test_a_lonely_volume_is_never_filled_while_filers_write_one_copy(world: World) -> None:
    world.volumes["b"] = [1, 2]
    world.turns(2 * CALM_EVERY_S + 1)  # seen twice
    world.turns(BACK_AFTER_S + 1)

    assert world.told["filer-a"] == world.told["filer-b"] == TWO_COPIES


def test_nobody_is_told_anything_while_both_are_silent(world: World) -> None:
    world.turns(1)
    world.silent = {"a", "b"}
    world.turns(20)

    assert (world.votes.copies, world.told) == ("two", {})
