"""What cutting off the cache's master costs: acknowledged writes that are gone, and how long nothing is written.

`python bench/partitions.py [ROUNDS] [--wait] [--durable] [--kill | --freeze] [--replica]` brings up an environment of its own. Writers in both
zones write each key once; with `--wait` only what `WAIT 1` confirmed counts as acknowledged. `--kill` and `--freeze` lose
the zone in that way instead, `--replica` the replica's. Exit status 1 if something confirmed by `WAIT` was lost.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.targets.local import cut_cache

from cordillera.components.cache import CacheSpec
from cordillera.components.target import Loss

ROUNDS = 5


def main() -> int:
    words = sys.argv[1:]
    rounds = next((int(word) for word in words if word.isdigit()), ROUNDS)
    durable = "--durable" in words
    how = Loss.PARTITIONED
    for word, other in (("--kill", Loss.KILLED), ("--freeze", Loss.FROZEN)):
        how = other if word in words else how
    confirmed, lost = "--wait" in words, 0
    print("| round | acknowledged | inside after the cut | last, s | lost | back, s | healthy, s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    with cut_cache.shop("bench/cuts", {"cache": CacheSpec(type="cache", durable=durable)}) as shop:
        for number in range(1, rounds + 1):
            r = shop.cut(f"r{number}", {"cache": confirmed}, how=how, replica="--replica" in words)[
                "cache"
            ]
            lost += r.lost
            print(
                f"| {number} | {r.acknowledged} | {r.late} | {r.last_s:.1f} | {r.lost} "
                f"| {r.back_s:.1f} | {r.healed_s:.1f} |",
                flush=True,
            )
    return 1 if confirmed and lost else 0


if __name__ == "__main__":
    sys.exit(main())
