"""Everything that can be lost, one after the other, under load, with a record kept outside.

`python bench/losses.py [CASE ...]` brings up examples/ledger in a home of its own and writes bench/losses.md.
A case is named as in the table; part of a name picks all that contain it, and then nothing is written.
What stands in bench/losses.md from a line `Remarks:` on is kept. Missed limits are named; exit status 1 if
anything was lost.
"""

import os
import platform
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from cordillera import targets
from cordillera.components.protocol import Place
from cordillera.components.target import Loss
from cordillera.core.clock import SystemClock
from cordillera.manifest import find, resolve
from cordillera.operations import provision
from cordillera.operations.rehearsal import report
from cordillera.operations.rehearsal.load import Load
from cordillera.operations.rehearsal.record import KINDS, Record
from cordillera.targets.local import _found

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).with_name("losses.md")
NAME, RATE = "zone/rehearsal", 400.0
AT = Place(NAME, "local")
SHOWN_S = 1.5
BEFORE_S, LOST_S, AFTER_S, HEALTHY_WITHIN_S = 5.0, 16.0, 11.0, 120.0
HEAD = """\
# Losing things under load: what was measured

{day}, {cores} cores, {machine}. `examples/ledger`, {rate:.0f} requests a second, a fifth of them writes, from
{clients} clients outside of the environment; `bench/losses.py`. Lost for {lost:.0f} s, then returned. A client repeats once,
and only when its connection was closed before the first byte. "Pause" is the longest time without an acknowledged
write of that kind; "green" the longest time that `status` said healthy while a client failed or waited for over 2 s.
"Healthy again" counts from the return, and is looked at beside the load.

| what was lost | requests | GETs failed | repeated | writes refused | acknowledged | lost | pause: database, cache, objects, queue, s | green, s | healthy again, s |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""

Restore = Callable[[], None]


@dataclass(frozen=True)
class Result:
    """One case: its row of the table, the limits that it missed, and whether anything was lost."""

    row: str
    missed: Sequence[str]
    lost: bool


class World:
    """The environment, and the ways to lose a part of it."""

    def __init__(self) -> None:
        self.target = targets.load("local")
        self.engine = self.target.engine("")

    def up(self) -> None:
        path = ROOT / "examples/ledger/cordillera.yaml"
        want = resolve.wanted(find.with_environments(path), NAME, path.parent)
        plan = self.engine.plan(want, AT)
        provision.apply(self.engine, plan, lambda _: None, clock=SystemClock(), token="bench")

    def healthy(self) -> float:
        """Wait for it; the seconds it took."""
        begun = time.monotonic()
        while not (state := self.engine.observe(AT)).healthy:
            if time.monotonic() - begun > HEALTHY_WITHIN_S:
                raise SystemExit(f"not healthy after {HEALTHY_WITHIN_S:.0f} s: {state}")
            time.sleep(0.3)
        return time.monotonic() - begun

    def zone(self, zone: str, how: Loss) -> Restore:
        self.target.verbs.lose(NAME, zone, how)
        return lambda: self.target.verbs.restore(NAME, zone)

    def part(self, key: str, how: Loss, *, only: int | None = None) -> Restore:
        """All processes of a part; `only` picks one of those that share it."""
        found = sorted((f for f in _found.scan(NAME) if f.key == key), key=lambda f: f.pid)
        if not found:
            raise SystemExit(f"nothing runs as {key}")
        tops = [f for f in found if f.parent not in {g.pid for g in found}]
        if only is not None:
            top = tops[only]
            found = [f for f in found if top.pid in (f.pid, f.parent)]
        number = signal.SIGKILL if how is Loss.KILLED else signal.SIGSTOP
        for f in found:
            os.kill(f.pid, number)
        return lambda: self._thaw([f.pid for f in found])

    def _thaw(self, pids: list[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def holder(self, kind: str, role: str) -> str:
        """The zone whose member of that resource has the role."""
        resources = self.engine.observe(AT).resources.values()
        return next(
            m.zone for r in resources if r.type == kind for m in r.members if m.role == role
        )


def cases(world: World) -> Iterator[tuple[str, Callable[[], Restore]]]:
    """Every case with what does it."""
    ways = {Loss.KILLED: "killed", Loss.FROZEN: "frozen", Loss.PARTITIONED: "cut off"}
    for zone in ("a", "b", "witness"):
        for how, word in ways.items():
            yield f"zone {zone}, {word}", lambda zone=zone, how=how: world.zone(zone, how)  # type: ignore[misc]
    for how in (Loss.KILLED, Loss.FROZEN):
        word = ways[how]
        for zone in ("a", "b"):
            key = f"balancer/edge-{zone}"
            yield f"edge {zone}, {word}", lambda key=key, how=how: world.part(key, how)  # type: ignore[misc]
        for only in (0, 1):
            yield (
                f"front {only + 1}, {word}",
                lambda only=only, how=how: world.part("front/front", how, only=only),
            )  # type: ignore[misc]
        for zone in ("a", "b", "witness"):
            key = f"keeper/keeper@{zone}"
            yield f"keeper {zone}, {word}", lambda key=key, how=how: world.part(key, how)  # type: ignore[misc]
        yield (
            f"database writer, {word}",
            lambda how=how: world.part(  # type: ignore[misc]
                f"database/mariadb@{world.holder('database', 'writer')}", how
            ),
        )
        yield (
            f"cache master, {word}",
            lambda how=how: world.part(  # type: ignore[misc]
                f"cache/redis-cache@{world.holder('cache', 'master')}", how
            ),
        )


def one(world: World, name: str, lose: Callable[[], Restore]) -> Result:
    """Measure one case."""
    world.healthy()
    url, authority = world.engine.observe(AT).url, world.target.verbs.certificate_file(NAME)
    load = Load(url, authority, lambda: world.engine.observe(AT))
    load.start(rate=RATE, seconds=BEFORE_S + LOST_S + AFTER_S)
    time.sleep(BEFORE_S)
    load.event(name)
    restore = lose()
    time.sleep(LOST_S)
    restore()
    load.event("back")
    with ThreadPoolExecutor(max_workers=1) as beside:
        healing = beside.submit(world.healthy)
        load.wait()
    healed_s = healing.result()
    lost = load.record.lost(load.world())
    seconds = BEFORE_S + LOST_S + AFTER_S
    page = report.page(f"{NAME}: {name}", load.record, lost, seconds)
    if folder := os.environ.get("REPORTS"):
        Path(folder, name.replace(" ", "-").replace(",", "") + ".html").write_text(page)
    return Result(
        row(name, load.record, lost, healed_s), missed(load.record, lost), any(lost.values())
    )


def missed(record: Record, lost: Mapping[str, Sequence[str]]) -> list[str]:
    """What is promised and was not kept. Pure."""
    gone = [f"{len(keys)} acknowledged of {kind} lost" for kind, keys in lost.items() if keys]
    gets = [f"{len(record.failed_gets)} GETs failed"] if record.failed_gets else []
    late = [
        f"{kind} not written for {pause_s:.1f} s (at most {report.BACK_WITHIN_S:.0f})"
        for kind in KINDS
        if (pause_s := record.longest_pause_s(kind)) > report.BACK_WITHIN_S
    ]
    green_s = record.green_while_failing_s()
    green = [
        f"called healthy while clients failed for {green_s:.1f} s (at most {report.GREEN_S:.0f})"
    ]
    return [*gone, *gets, *late, *(green if green_s > report.GREEN_S else [])]


def row(name: str, record: Record, lost: dict[str, list[str]], healed_s: float) -> str:
    pauses = ", ".join(f"{record.longest_pause_s(kind):.1f}" for kind in KINDS)
    gone = ", ".join(f"{len(keys)} {kind}" for kind, keys in lost.items() if keys) or "0"
    acknowledged = sum(len(keys) for keys in record.acknowledged.values())
    for kind in KINDS:
        times = [0.0, *sorted(record.writes_at[kind]), record.seconds]
        pauses_at = [f"{a:.1f}-{b:.1f}" for a, b in pairwise(times) if b - a > SHOWN_S]
        print("   ", kind, "paused at", ", ".join(pauses_at) or "no time")
    longest = {
        what: max(e - b for b, e, w in record.waits if w == what) for _, _, what in record.waits
    }
    for waiting, times in Counter(what for _, _, what in record.waits).most_common():
        print(f"    {waiting}: {times} waited, up to {longest[waiting]:.1f} s more than is patient")
    for what in [*record.failed_gets[:5], *record.failed_writes[:5]]:
        print("   ", what)
    return (
        f"| {name} | {sum(record.requests.values())} | {len(record.failed_gets)} | {record.repeated} "
        f"| {len(record.failed_writes)} | {acknowledged} | {gone} | {pauses} "
        f"| {record.green_while_failing_s():.1f} | {healed_s:.1f} |"
    )


@contextmanager
def environment() -> Iterator[World]:
    """The ledger, up for the block, in a home of its own."""
    home = Path(tempfile.mkdtemp(prefix="crd"))
    home.chmod(0o711)
    os.environ["CORDILLERA_HOME"] = str(home)
    world = World()
    try:
        world.up()
        yield world
    finally:
        world.engine.destroy(AT)
        shutil.rmtree(home, ignore_errors=True)


def remarks(old: str) -> str:
    """What was written by hand under a table: everything from the line `Remarks:` on. Pure."""
    found = re.search(r"^Remarks:.*", old, re.MULTILINE | re.DOTALL)
    return f"\n{found[0]}" if found else ""


def main() -> None:
    """Measure every case, and write the table. Exit status 1 if anything was lost."""
    from cordillera.operations.rehearsal.load import READERS, WRITERS

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = sys.argv[1:]
    results: dict[str, Result] = {}
    with environment() as world:
        for name, lose in cases(world):
            if not chosen or any(word in name for word in chosen):
                results[name] = one(world, name, lose)
                print(results[name].row, flush=True)
    head = HEAD.format(
        day=datetime.now(UTC).date(), cores=os.cpu_count(), machine=platform.platform(terse=True),
        rate=RATE, clients=READERS + len(KINDS) * WRITERS, lost=LOST_S,
    )  # fmt: skip
    if not chosen:
        kept = remarks(RESULTS.read_text()) if RESULTS.exists() else ""
        rows = "\n".join(result.row for result in results.values())
        RESULTS.write_text(f"{head}{rows}\n{kept}")
    for name, result in results.items():
        for limit in result.missed:
            print(f"missed: {name}: {limit}")
    sys.exit(1 if any(result.lost for result in results.values()) else 0)


if __name__ == "__main__":
    main()
