"""Memory that several share: /dev/shm, System V segments; and what is left of it after the end."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cordillera.components.wanted import Wanted
from cordillera.targets.local._engine import LocalEngine
from cordillera.targets.local._site import FIRST_UID, UIDS_EACH
from tests.attacks.town import Town, replace_model
from tests.targets.local import whole

pytestmark = pytest.mark.slow

FILL = """
import json, os
size = 0
try:
    with open("/dev/shm/mine", "wb", buffering=0) as file:
        while size < 1 << 30:
            size += file.write(bytes(1 << 20))
except OSError:
    pass
os.unlink("/dev/shm/mine")
print(json.dumps([size >> 20, os.listdir("/dev/shm")]))
"""
SEGMENTS = """
import ctypes, json
libc = ctypes.CDLL(None, use_errno=True)
mine = libc.shmget(0x4711, 4096, 0o1666)
rows = open("/proc/sysvipc/shm").read().splitlines()[1:]
print(json.dumps([mine >= 0, [row.split()[0] for row in rows]]))
"""


def segments(number: int) -> list[str]:
    """System V segments on the machine that users of an environment made; its network number tells them."""
    rows = [row.split() for row in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]]
    first = FIRST_UID + number * UIDS_EACH
    return [row[1] for row in rows if first <= int(row[9]) < first + UIDS_EACH]


def test_shared_memory_is_a_copys_own_and_small(town: Town) -> None:
    (Path("/dev/shm") / "crd-of-the-machine").write_text("not yours")
    try:
        megabytes, there = town.attack(FILL)
    finally:
        (Path("/dev/shm") / "crd-of-the-machine").unlink()
    assert megabytes <= 64
    assert there == []


def test_system_v_memory_is_the_zones_own(town: Town) -> None:
    made, seen = town.attack(SEGMENTS)
    assert made
    assert str(0x4711) in seen
    assert (
        segments(town.ours.site.number) == []
    )  # neither the app's nor the firewall's is the machine's


def test_nothing_is_left_of_an_environment_that_used_memory(
    monkeypatch: pytest.MonkeyPatch, town: Town
) -> None:
    before = sorted(p.name for p in Path("/dev/shm").iterdir())
    want = alone(whole.wanted("leaves/nothing", {}))
    with whole.environment(want, town.ours.home) as made:
        made.inside("open('/dev/shm/x', 'w').write('x'); print(1)")
        made.inside("import ctypes; print(ctypes.CDLL(None).shmget(0x4712, 4096, 0o1666))")
        number, run = made.site.number, str(made.site.run)
        assert run in Path("/proc/mounts").read_text()
        LocalEngine().destroy(made.at)

    assert segments(number) == []
    assert sorted(p.name for p in Path("/dev/shm").iterdir()) == before
    assert run not in Path("/proc/mounts").read_text()
    names = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    assert f"crd{number}-" not in names
    assert list(Path("/sys/fs/cgroup").glob(f"*/crd{number}")) == []


def alone(want: Wanted) -> Wanted:
    """The same, with a service that uses nothing."""
    web = replace_model(want.services["web"], resources=[])
    return replace(want, services={"web": web})
