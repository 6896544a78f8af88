"""Whether a cache's master may take writes that nobody else has.

A master with a replica never does (`min-replicas-to-write 1`). When its replica is lost it would refuse
writes for good: the keeper lets it go on alone, as long as a majority of the zones still hears it and most
Sentinels hold it for the master. A master that was cut off has no such majority, and refuses writes again
before the Sentinels choose another; one that was frozen is told by them that another took over.
"""

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._redis import Denied, Redis, over_the_network, through

SETTING = "min-replicas-to-write"
ADMIN = "cordillera"
ASK_TIMEOUT_S, EVERY_S = 1.0, 0.7
LOST_AFTER_S = 2.5
LATE_S = 4
FROZEN_S = 3.0
"""So long no turn takes: the zone, or the machine, stood still. Sentinels replace a master by then."""


@dataclass(frozen=True)
class Cache:
    """One cache's server in our zone, by its Unix socket, with the password of its administrator.

    `address` is where others reach it; `sentinels` are those of all zones, with their password.
    """

    name: str
    socket: str
    password: str
    address: str
    sentinels: tuple[tuple[str, int], ...]
    sentinel_password: str


@dataclass
class _Seen:
    """What was last seen of a server: its role, and since when it has had no replica."""

    role: str = ""
    alone_since: float = 0.0


class Caches:
    """Watches the zone's caches, in a thread of its own."""

    def __init__(self, caches: Sequence[Cache], lease: Lease) -> None:
        self._caches, self._lease = caches, lease
        self._seen = {cache.name: _Seen() for cache in caches}

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        last = time.monotonic()
        while True:
            frozen_s, last = time.monotonic() - last, time.monotonic()
            for cache in self._caches:
                try:
                    if frozen_s > FROZEN_S:
                        self._fence(cache, frozen_s)
                    self.turn(cache)
                except (OSError, Denied) as e:
                    self._seen[cache.name] = _Seen()
                    if not isinstance(e, ConnectionRefusedError | FileNotFoundError):
                        say(f"cache {cache.name}: {e}")
            time.sleep(EVERY_S)

    def _fence(self, cache: Cache, frozen_s: float) -> None:
        """End a master after we were frozen: another may be it by now. It starts anew as the Sentinels say.

        Raises OSError, Denied.
        """
        with self._ask(cache) as server:
            info = server.info("replication")
            if info["role"] == "master":
                say(
                    f"cache {cache.name}: ended, because this zone stood still for {frozen_s:.1f} s"
                )
                os.kill(int(server.info("server")["process_id"]), signal.SIGKILL)

    def _ask(self, cache: Cache) -> Redis:
        return through(cache.socket, timeout_s=ASK_TIMEOUT_S, password=cache.password, user=ADMIN)

    def turn(self, cache: Cache) -> None:
        """Have one server wait for a replica, or not. Raises OSError, Denied."""
        with self._ask(cache) as server:
            info = server.info("replication")
            alone_s = self._alone_s(cache, info)
            alone = bereft(info, alone_s) and self._lease.left_s > 0
            wanted = needed(info, alone_s, majority=alone and held_for_master(cache))
            if server.setting(SETTING) != str(wanted):
                server.ask("CONFIG", "SET", SETTING, str(wanted))
                say(f"cache {cache.name}: writes now need {wanted} replicas")

    def _alone_s(self, cache: Cache, info: Mapping[str, str]) -> float:
        """For how long it has had no replica; a server that was just made the master has none for good."""
        seen, now = self._seen[cache.name], time.monotonic()
        promoted = info["role"] == "master" and seen.role == "slave"
        seen.role = info["role"]
        if replicas(info):
            seen.alone_since = 0.0
        elif not seen.alone_since:
            seen.alone_since = now - (LOST_AFTER_S * 2 if promoted else 0.0)
        return now - seen.alone_since if seen.alone_since else 0.0


def held_for_master(cache: Cache) -> bool:
    """Whether most Sentinels hold our server for the master. Asks them all, one after the other."""
    agreeing = sum(_holds(cache, address, port) for address, port in cache.sentinels)
    return agreeing > len(cache.sentinels) // 2


def _holds(cache: Cache, address: str, port: int) -> bool:
    try:
        with over_the_network(
            address, port, timeout_s=ASK_TIMEOUT_S, password=cache.sentinel_password
        ) as sentinel:
            return sentinel.master(cache.name).rpartition(":")[0] == cache.address
    except (OSError, Denied):
        return False


def needed(info: Mapping[str, str], alone_s: float, *, majority: bool) -> int:
    """How many replicas must have a write: one, or none for a master that lost its own. Pure."""
    return 0 if bereft(info, alone_s) and majority else 1


def bereft(info: Mapping[str, str], alone_s: float) -> bool:
    """Whether it is a master that lost its replicas. Pure."""
    return info["role"] == "master" and alone_s > LOST_AFTER_S


def replicas(info: Mapping[str, str]) -> int:
    """Replicas that are connected and have answered lately. Pure."""
    rows = [value for key, value in info.items() if key.startswith("slave") and key[5:].isdigit()]
    said = [dict(pair.split("=", 1) for pair in row.split(",")) for row in rows]
    return sum(
        one.get("state") == "online" and int(one.get("lag", LATE_S)) < LATE_S for one in said
    )
