"""What losing things costs the database: writers beside it, a record of their own, and the worst case.

`python bench/zones.py [ROUNDS [KIND ...]]` brings up an environment of its own. All kinds in 20 rounds or more are
written to bench/zones.md, of which everything from a line `Remarks:` on is kept; anything less is printed only.
Missed limits are named; exit status 1 if a row was lost.
"""

import math
import os
import platform
import re
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.targets.local import losses
from tests.targets.local.by_hand import eventually
from tests.targets.local.losses import Cluster, Written

from cordillera.components.target import Loss
from cordillera.operations.rehearsal.report import BACK_WITHIN_S
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local._verbs import LocalVerbs

WRITERS, INSIDE = 4, 2
"""Those that are waited for, and those in a zone that is lost: what they are told must be true as well."""
RESULTS = Path(__file__).with_name("zones.md")
HEAD = """\
# Losing things: what was measured

{day}, {cores} cores, {machine}. {writers} writers in the zones that are left and {inside} in one that is lost, each row once; `bench/zones.py`, {rounds} rounds each.
Seconds are from the loss until every writer in the zones that are left is acknowledged again. Each zone's database
lies on a disk of its own. "Split" counts transaction numbers that both servers' binary logs give to different
transactions, "two writers" transactions of a server after another had begun to write, in the same logs.

| what was lost | rounds | acknowledged | lost | back, median s | back, p95 s | back, worst s | healthy again, worst s | split | two writers |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
DISK_MB = 1200
WRITTEN_FROM = 20
"""Rounds. The table on file has that many: one of fewer says less, and does not replace it."""

Restore = Callable[[], None]


def killed(shop: Cluster, writer: str) -> Restore:
    shop.signal(f"database/mariadb@{writer}", signal.SIGKILL)
    return lambda: None


def frozen(shop: Cluster, writer: str) -> Restore:
    pid = shop.signal(f"database/mariadb@{writer}", signal.SIGSTOP)
    return lambda: shop.thaw(pid)


def zone(how: Loss) -> Callable[[Cluster, str], Restore]:
    def lose(shop: Cluster, writer: str) -> Restore:
        LocalVerbs().lose(shop.name, writer, how)
        return lambda: LocalVerbs().restore(shop.name, writer)

    return lose


def disk_full(shop: Cluster, writer: str) -> Restore:
    hog = losses.fill(shop.site.zone(writer).state / config.DATA)
    return lambda: hog.unlink()


def one_after_the_other(shop: Cluster, writer: str) -> Restore:
    """The writer's zone; as soon as that one is back and in step, the other."""
    LocalVerbs().lose(shop.name, writer, Loss.KILLED)

    def restore() -> None:
        LocalVerbs().restore(shop.name, writer)
        eventually(lambda: shop.state().healthy, "in step again", within_s=losses.HEALED_WITHIN_S)
        LocalVerbs().lose(shop.name, shop.other(writer), Loss.KILLED)
        eventually(lambda: shop.writer() == writer, "the other takes over", within_s=60)
        LocalVerbs().restore(shop.name, shop.other(writer))

    return restore


KINDS: dict[str, tuple[Callable[[Cluster, str], Restore], bool]] = {
    "the writer, killed": (killed, False),
    "the writer, frozen": (frozen, False),
    "the writer's disk, full": (disk_full, False),
    "the writer's zone, killed": (zone(Loss.KILLED), True),
    "the writer's zone, frozen": (zone(Loss.FROZEN), True),
    "the writer's zone, cut off": (zone(Loss.PARTITIONED), True),
    "one zone, then the other": (one_after_the_other, True),
}
"""How it is lost, and whether the clients in its zone are lost with it."""


def one_round(shop: Cluster, lose: Callable[[Cluster, str], Restore], whole_zone: bool) -> tuple:  # type: ignore[type-arg]
    """(rows acknowledged, rows lost, seconds until writes were back, seconds until healthy)."""
    shop.heal()
    shop.query("DELETE FROM orders", zone=shop.writer())
    writer = shop.writer()
    zones = [shop.other(writer)] if whole_zone else ["a", "b"]
    writers = [Written(shop, zones[n % len(zones)], first=n * 10_000_000) for n in range(WRITERS)]
    inside = [Written(shop, writer, first=n * 10_000_000) for n in range(WRITERS, WRITERS + INSIDE)]
    told = [*writers, *(inside if whole_zone else ())]
    for written in told:
        written.start()
    time.sleep(1)
    begun = time.monotonic()
    restore = lose(shop, writer)
    time.sleep(0.2)  # what was under way is not what comes after
    for written in writers:
        written.wait_for_more()
    back = time.monotonic() - begun
    restore()
    begun = time.monotonic()
    shop.heal()
    healthy = time.monotonic() - begun
    for written in told:
        written.stop()
    rows = set().union(*(written.acknowledged for written in told))
    return len(rows), len(rows - set(shop.query("SELECT id FROM orders"))), back, healthy


EPISODES: dict[str, Callable[[Cluster, str], None]] = {
    "the writer's zone killed and back, every 5 s for 2 min": lambda shop, writer: losses.flap(
        shop, writer, Loss.KILLED, times=12
    ),
    "the writer's zone cut off and back, every 5 s for 2 min": lambda shop, writer: losses.flap(
        shop, writer, Loss.PARTITIONED, times=12
    ),
    "everything frozen for 20 s": lambda shop, writer: losses.freeze_everything(shop, for_s=20),
    "the writer's disk takes nothing for 0.8 of every second, for 30 s": lambda shop, writer: (
        losses.slow_disk(shop, writer, for_s=30)
    ),
}
EPISODES_HEAD = """
Things that go on for a while, each once, with the same writers:

| what went on | openings | acknowledged | lost | healthy again, s |
| --- | --- | --- | --- | --- |
"""


def episode(shop: Cluster, name: str) -> tuple[str, int]:
    """(the row of one episode, database rows lost). Writers are in both zones; a lost zone takes its own with it."""
    shop.heal()
    shop.query("DELETE FROM orders", zone=shop.writer())
    writers = [Written(shop, "ab"[n % 2], first=n * 10_000_000) for n in range(WRITERS)]
    for written in writers:
        written.start()
    before = shop.epoch()
    EPISODES[name](shop, shop.writer())
    begun = time.monotonic()
    shop.heal()
    healthy_s = time.monotonic() - begun
    for written in writers:
        written.stop()
    rows = set().union(*(written.acknowledged for written in writers))
    lost = len(rows - set(shop.query("SELECT id FROM orders")))
    return f"| {name} | {shop.epoch() - before} | {len(rows)} | {lost} | {healthy_s:.1f} |", lost


def missed(*, lost: int, back_s: float = 0.0, cleft: int = 0, two: int = 0) -> list[str]:
    """What is promised and was not kept; `back_s` is the worst. Pure."""
    limits = {
        f"{lost} acknowledged rows lost": lost > 0,
        f"writes back after {back_s:.1f} s (at most {BACK_WITHIN_S:.0f})": back_s > BACK_WITHIN_S,
        f"{cleft} numbers of transactions given twice": cleft > 0,
        f"{two} transactions beside another writer": two > 0,
    }
    return [what for what, bad in limits.items() if bad]


def remarks(old: str) -> str:
    """What was written by hand under the tables: everything from the line `Remarks:` on. Pure."""
    found = re.search(r"^Remarks:.*", old, re.MULTILINE | re.DOTALL)
    return f"\n{found[0]}" if found else ""


def main() -> None:
    """Measure every kind, and write or print the tables. Exit status 1 if a row was lost."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    lines, limits, all_lost = list[str](), list[str](), 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    chosen = sys.argv[2:]
    with losses.cluster("bench/zones", disk_mb=DISK_MB) as shop:
        shop.heal()
        shop.query("CREATE TABLE orders (id INT PRIMARY KEY)")
        for name, (lose, whole_zone) in KINDS.items():
            if chosen and not any(word in name for word in chosen):
                continue
            found = [one_round(shop, lose, whole_zone) for _ in range(rounds)]
            rows, lost = sum(f[0] for f in found), sum(f[1] for f in found)
            back = sorted(f[2] for f in found)
            worst = max(f[3] for f in found)
            logs = {zone: losses.history(shop.site, zone) for zone in ("a", "b")}
            cleft = len(losses.split(logs["a"], logs["b"]))
            two = sum(len(losses.overlapping(log)) for log in logs.values())
            p95 = back[math.ceil(0.95 * len(back)) - 1]
            lines.append(
                f"| {name} | {rounds} | {rows} | {lost} | {back[len(back) // 2]:.1f} | {p95:.1f} "
                f"| {back[-1]:.1f} | {worst:.1f} | {cleft} | {two} |"
            )
            print(lines[-1], flush=True)
            found_bad = missed(lost=lost, back_s=back[-1], cleft=cleft, two=two)
            limits += [f"{name}: {limit}" for limit in found_bad]
            all_lost += lost
        episodes = []
        for name in EPISODES:
            if not chosen or any(word in name for word in chosen):
                line, lost = episode(shop, name)
                episodes.append(line)
                print(line, flush=True)
                limits += [f"{name}: {limit}" for limit in missed(lost=lost)]
                all_lost += lost
    head = HEAD.format(
        day=datetime.now(UTC).date(), cores=os.cpu_count(), machine=platform.platform(terse=True),
        writers=WRITERS, inside=INSIDE, rounds=rounds,
    )  # fmt: skip
    tables = head + "\n".join(lines) + "\n" + EPISODES_HEAD + "\n".join(episodes) + "\n"
    if chosen or rounds < WRITTEN_FROM:
        print(
            f"\n{tables}\nnot written: {RESULTS.name} takes all kinds, {WRITTEN_FROM} rounds each"
        )
    else:
        RESULTS.write_text(tables + (remarks(RESULTS.read_text()) if RESULTS.exists() else ""))
    for limit in limits:
        print(f"missed: {limit}")
    sys.exit(1 if all_lost else 0)


if __name__ == "__main__":
    main()
