"""Whether a cache's master may take writes that nobody else has.

A master with a replica never does (`min-replicas-to-write 1`), but Redis itself notices only after seconds
that the replica hears nothing any more, and what it acknowledges until then is gone when another master is
chosen. So the keeper has the replica confirm something every half second, and holds writes when it does not.

When the replica is lost the master would take no writes for good: the keeper lets it go on alone, as long as
a majority of the zones still hears it and most Sentinels hold it for the master. A master that was cut off
has no such majority; one that was frozen is told by the Sentinels that another took over.
"""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cordillera.targets.local._cache_start import following, note
from cordillera.targets.local._keeper.lease import Lease
from cordillera.targets.local._keeper.log import say
from cordillera.targets.local._redis import Denied, Redis, over_the_network, through

SETTING = "min-replicas-to-write"
ADMIN = "cordillera"
ASK_TIMEOUT_S, SENTINEL_TIMEOUT_S = 1.0, 0.5
EVERY_S, CONFIRM_WITHIN_MS = 0.5, 300
"""Together, so long a master that is cut off goes on acknowledging."""
HOLD_MS = 5000
"""Longer than Redis itself takes to notice (`min-replicas-max-lag`), should the keeper end meanwhile."""
CHANNEL = "cordillera:confirm"
"""A sharded channel: replicas receive what is published there, no subscriber to a pattern does."""
LOST_AFTER_S = 2.5
FROZEN_S = 3.0
"""So long no turn takes: the zone, or the machine, stood still. Sentinels replace a master by then."""


@dataclass(frozen=True)
class Cache:
    """One cache's server in our zone, by its Unix socket, with the password of its administrator.

    `address` is where others reach it; `sentinels` are those of all zones, with their password. A
    `durable` one never takes writes alone. `note` is the file that keeps whom it follows.
    """

    name: str
    socket: str
    password: str
    address: str
    sentinels: tuple[tuple[str, int], ...]
    sentinel_password: str
    durable: bool
    note: str


@dataclass
class _Seen:
    """What was last seen of a server: its role, since when no replica confirms, whether writes are held."""

    role: str = ""
    alone_since: float = 0.0
    held: bool = False
    follows: str | None = None


class CacheGuard:
    """Watches one of the zone's caches, in a thread of its own."""

    def __init__(self, cache: Cache, lease: Lease) -> None:
        self._cache, self._lease = cache, lease
        self._seen = _Seen()

    def watch_for_ever(self) -> None:
        """Turn after turn, until we are ended."""
        last = time.monotonic()
        while True:
            frozen_s, last = time.monotonic() - last, time.monotonic()
            try:
                if frozen_s > FROZEN_S:
                    self._fence(frozen_s)
                self.turn()
            except (OSError, Denied) as e:
                self._seen = _Seen()
                if not isinstance(e, ConnectionRefusedError | FileNotFoundError):
                    say(f"cache {self._cache.name}: {e}")
            time.sleep(max(0.0, EVERY_S - (time.monotonic() - last)))

    def turn(self) -> None:
        """Have the server wait for a replica, or not. Raises OSError, Denied."""
        with self._ask() as server:
            info = server.info("replication")
            self._note(info)
            heard = self._heard(server, info)
            alone_s = self._alone_s(info, heard=heard)
            self._hold(server, hold=must_hold(info, heard=heard, needed=_needed_now(server)))
            alone = bereft(info, alone_s) and not self._cache.durable and self._lease.left_s > 0
            wanted = needed(info, alone_s, majority=alone and held_for_master(self._cache))
            if server.setting(SETTING) != str(wanted):
                server.ask("CONFIG", "SET", SETTING, str(wanted))
                self._say(f"writes now need {wanted} replicas")
                self._hold(server, hold=must_hold(info, heard=heard, needed=wanted))

    def _note(self, info: Mapping[str, str]) -> None:
        """Keep whom it follows where a reboot finds it: before it may write alone."""
        line = follows(info)
        if line != self._seen.follows and Path(self._cache.note).parent.exists():
            note(Path(self._cache.note), line)
            self._seen.follows = line

    def _heard(self, server: Redis, info: Mapping[str, str]) -> bool:
        """Whether a replica confirms. While writes are held Redis asks none, and they speak each second."""
        if info["role"] != "master" or not online(info):
            return False
        if self._seen.held:
            return caught_up(info)
        confirm = ("WAIT", "1", str(CONFIRM_WITHIN_MS))
        return server.ask_at_once(("SPUBLISH", CHANNEL, ""), confirm)[1] != 0

    def _hold(self, server: Redis, *, hold: bool) -> None:
        """Have writes wait, or go on."""
        if hold:
            server.ask("CLIENT", "PAUSE", str(HOLD_MS), "WRITE")
        elif self._seen.held:
            server.ask("CLIENT", "UNPAUSE")
        if hold != self._seen.held:
            self._say("no replica confirms: writes wait" if hold else "writes wait no longer")
        self._seen.held = hold

    def _alone_s(self, info: Mapping[str, str], *, heard: bool) -> float:
        """For how long no replica confirms; a server that was just made the master has none for good."""
        seen, now = self._seen, time.monotonic()
        promoted = info["role"] == "master" and seen.role == "slave"
        seen.role = info["role"]
        if heard:
            seen.alone_since = 0.0
        elif not seen.alone_since:
            seen.alone_since = now - (LOST_AFTER_S * 2 if promoted else 0.0)
        return now - seen.alone_since if seen.alone_since else 0.0

    def _fence(self, frozen_s: float) -> None:
        """End a master after we were frozen: another may be it by now. It starts anew as the Sentinels say.

        Raises OSError, Denied.
        """
        with self._ask() as server:
            if server.info("replication")["role"] == "master":
                self._say(f"ended, because this zone stood still for {frozen_s:.1f} s")
                os.kill(int(server.info("server")["process_id"]), signal.SIGKILL)

    def _ask(self) -> Redis:
        cache = self._cache
        return through(cache.socket, timeout_s=ASK_TIMEOUT_S, password=cache.password, user=ADMIN)

    def _say(self, what: str) -> None:
        say(f"cache {self._cache.name}: {what}")


def _needed_now(server: Redis) -> int:
    return int(server.setting(SETTING) or 1)


def held_for_master(cache: Cache) -> bool:
    """Whether most Sentinels hold our server for the master. Asks them all, one after the other."""
    agreeing = sum(_holds(cache, address, port) for address, port in cache.sentinels)
    return agreeing > len(cache.sentinels) // 2


def _holds(cache: Cache, address: str, port: int) -> bool:
    try:
        with over_the_network(
            address, port, timeout_s=SENTINEL_TIMEOUT_S, password=cache.sentinel_password
        ) as sentinel:
            return sentinel.master(cache.name).rpartition(":")[0] == cache.address
    except (OSError, Denied):
        return False


def needed(info: Mapping[str, str], alone_s: float, *, majority: bool) -> int:
    """How many replicas must have a write: one, or none for a master that lost its own. Pure."""
    return 0 if bereft(info, alone_s) and majority else 1


def must_hold(info: Mapping[str, str], *, heard: bool, needed: int) -> bool:
    """Whether Redis would still take writes that no replica gets. Pure."""
    takes = needed == 0 or int(info.get("min_slaves_good_slaves", "0")) >= needed
    return info["role"] == "master" and needed > 0 and not heard and takes


def bereft(info: Mapping[str, str], alone_s: float) -> bool:
    """Whether it is a master that lost its replicas. Pure."""
    return info["role"] == "master" and alone_s > LOST_AFTER_S


def follows(info: Mapping[str, str]) -> str:
    """The option that makes a server a replica as it is; empty for a master. Pure."""
    return following(info["master_host"], info["master_port"]) if info["role"] == "slave" else ""


def online(info: Mapping[str, str]) -> list[Mapping[str, str]]:
    """Replicas that are connected and have all that came before. Pure."""
    rows = [value for key, value in info.items() if key.startswith("slave") and key[5:].isdigit()]
    said = [dict(pair.split("=", 1) for pair in row.split(",")) for row in rows]
    return [one for one in said if one.get("state") == "online"]


def caught_up(info: Mapping[str, str]) -> bool:
    """Whether a replica has said that it has everything. Pure."""
    end = int(info.get("master_repl_offset", "0"))
    return any(int(one.get("offset", "-1")) >= end for one in online(info))
