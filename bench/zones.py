"""What losing things costs the database: writers beside it, a record of their own, and the worst case.

`python bench/zones.py [ROUNDS [KIND ...]]` brings up an environment of its own, and adds a table to bench/zones.md.
"""

import math
import os
import platform
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


def episode(shop: Cluster, name: str) -> str:
    """The row of one episode. Writers are in both zones; a zone that is lost takes its own with it."""
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
    return f"| {name} | {shop.epoch() - before} | {len(rows)} | {lost} | {healthy_s:.1f} |"


def main() -> None:
    """Measure every kind, and write the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    lines = []
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
        episodes = []
        for name in EPISODES:
            if not chosen or any(word in name for word in chosen):
                episodes.append(episode(shop, name))
                print(episodes[-1], flush=True)
    head = HEAD.format(
        day=datetime.now(UTC).date(), cores=os.cpu_count(), machine=platform.platform(terse=True),
        writers=WRITERS, inside=INSIDE, rounds=rounds,
    )  # fmt: skip
    if not chosen:
        RESULTS.write_text(
            head + "\n".join(lines) + "\n" + EPISODES_HEAD + "\n".join(episodes) + "\n"
        )


if __name__ == "__main__":
    main()
