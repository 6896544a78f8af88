"""A copy that multiplies, eats memory or fills its folders: a neighbour's visitors notice nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cordillera.targets.local._copies import PROCESSES
from tests.attacks.town import Town
from tests.targets.local import visitor
from tests.targets.local.whole import Environment

pytestmark = pytest.mark.slow

BOMB = """
import json, os, time
made = 0
try:
    while made < 5000:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
time.sleep(3)
print(json.dumps(made))
"""
EAT = """
import json, os
pid = os.fork()
if pid == 0:
    kept = []
    for _ in range(4096):
        kept.append(bytearray(os.urandom(1 << 20)))
    os._exit(0)
print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
"""
FILL = """
import json, os
size, made = 0, 0
try:
    with open("/tmp/full", "wb", buffering=0) as file:
        while size < 8 << 30:
            size += file.write(bytes(1 << 20))
except OSError:
    pass
os.unlink("/tmp/full")
try:
    while made < 3_000_000:
        os.mknod(f"/tmp/{made}")
        made += 1
except OSError:
    pass
print(json.dumps([size >> 20, made]))
"""


@contextmanager
def visited(environment: Environment) -> Iterator[list[int]]:
    """The statuses that a visitor of the environment gets, ten a second, for the block."""
    found, over = list[int](), threading.Event()

    def visit() -> None:
        while not over.is_set():
            try:
                found.append(visitor.ask(environment, "/healthz").status)
            except OSError:
                found.append(0)
            time.sleep(0.1)

    thread = threading.Thread(target=visit, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("code", "held"), [
    (BOMB, lambda made: 0 < made <= PROCESSES),
    (EAT, lambda status: status == -9),
    (FILL, lambda both: both[0] <= 256 and both[1] < 100_000),
], ids=["processes", "memory", "disk and inodes"])  # fmt: skip
def test_what_one_app_takes_costs_no_visitor_of_another(
    town: Town, code: str, held: object
) -> None:
    assert callable(held)
    with visited(town.theirs) as statuses:
        result = town.attack(code)
        time.sleep(1)

    assert held(result), result
    assert len(statuses) > 3
    assert set(statuses) == {200}
