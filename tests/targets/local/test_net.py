"""Talking to the servers of several zones."""

from pathlib import Path
from threading import Barrier

from cordillera.targets.local import _net
from cordillera.targets.local._site import Zone


def test_zones_are_asked_at_once_and_told_in_order() -> None:
    zones = [Zone(name, n, "", "", Path(), Path()) for n, name in enumerate("abc")]
    all_asked = Barrier(len(zones), timeout=10)

    def ask(zone: Zone) -> str:
        all_asked.wait()  # breaks when they are asked one after the other
        return zone.name

    assert _net.at_once(zones, ask) == ["a", "b", "c"]
