"""What the Redis servers and Sentinels of a cache say, and having the Sentinels watch it."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cordillera.components.state import Member
from cordillera.core.errors import NotReady
from cordillera.targets.local import _cache_config as config
from cordillera.targets.local import _net
from cordillera.targets.local._net import PROBE_TIMEOUT_S
from cordillera.targets.local._redis import Denied, Redis, through
from cordillera.targets.local._site import Site, Zone

PAIRED_WITHIN_S = 5.0
ACQUAINTED_WITHIN_S = 15.0
"""Sentinels greet each other every two seconds, and ask the master for its replicas every ten."""


@dataclass(frozen=True)
class Server:
    """One server as it answered; `role` is master, slave, or empty when it is silent."""

    zone: str
    address: str
    role: str = ""
    link_up: bool = False
    lag_s: float | None = None
    good_replicas: int = 0
    sync_left_bytes: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Vote:
    """Whom one Sentinel holds for the master (`address:port`); None when it is silent.

    Without having met the replica and the other Sentinels it could replace nobody.
    """

    zone: str
    master: str | None
    replicas: int = 0
    others: int = 0


def survey(site: Site, cache: str) -> list[Server]:
    """Every data zone's server of a cache, all asked at once."""
    return _net.at_once(site.zones, lambda zone: _server(site, zone, cache))


def votes(site: Site, cache: str) -> list[Vote]:
    """Every Sentinel's opinion, all asked at once."""
    return _net.at_once(site.domains, lambda zone: _vote(site, zone, cache))


def _server(site: Site, zone: Zone, cache: str) -> Server:
    try:
        with _connect(site, zone, cache) as server:
            return read(zone.name, zone.private, server.info("replication"))
    except (OSError, Denied) as e:
        return Server(zone.name, zone.private, detail=str(e))


def read(zone: str, address: str, info: Mapping[str, str]) -> Server:
    """A server from its INFO replication. Pure."""
    idle = info.get("master_last_io_seconds_ago", "")
    return Server(
        zone=zone,
        address=address,
        role=info.get("role", ""),
        link_up=info.get("master_link_status") == "up"
        and info.get("master_sync_in_progress") == "0",
        lag_s=float(idle) if idle.isdigit() else None,
        good_replicas=int(info.get("min_slaves_good_slaves", "0")),
        sync_left_bytes=max(0, int(info.get("master_sync_left_bytes", "0"))),
    )


def _vote(site: Site, zone: Zone, cache: str) -> Vote:
    try:
        with _sentinel(site, zone) as sentinel:
            return _read_vote(zone.name, sentinel.watched(cache))
    except (OSError, Denied):
        return Vote(zone.name, None)


def _read_vote(zone: str, known: Mapping[str, str]) -> Vote:
    master = f"{known['ip']}:{known['port']}" if known else ""
    replicas, others = known.get("num-slaves", "0"), known.get("num-other-sentinels", "0")
    return Vote(zone, master, int(replicas), int(others))


def _connect(site: Site, zone: Zone, cache: str) -> Redis:
    password = site.vault.get(f"cache-admin/{cache}")
    path = str(zone.sockets("cache") / f"cache-{cache}.sock")
    return through(path, timeout_s=PROBE_TIMEOUT_S, password=password, user=config.ADMIN)


def _sentinel(site: Site, zone: Zone) -> Redis:
    password = site.vault.get("cache/sentinel")
    return through(
        str(zone.sockets("cache") / "sentinel.sock"), timeout_s=PROBE_TIMEOUT_S, password=password
    )


def watch(site: Site, cache: str, port: int) -> None:
    """Have every Sentinel watch a cache. May be called twice. Raises NotReady until all is in step."""
    servers: Sequence[Server] = _paired(site, cache)
    if not any(vote.master for vote in votes(site, cache)):
        servers = _after_a_reboot(site, cache, port, servers)
    master = master_among(servers)
    for zone in site.domains:
        try:
            with _sentinel(site, zone) as sentinel:
                _watch(
                    sentinel, site, cache, f"{master.address}:{port}", [s.address for s in servers]
                )
        except (OSError, Denied) as e:
            raise NotReady(f"the Sentinel in zone {zone.name} does not answer: {e}") from e
    deadline = time.monotonic() + ACQUAINTED_WITHIN_S
    while why := trouble(survey(site, cache), votes(site, cache), port):
        if time.monotonic() >= deadline:
            raise NotReady(f"cache {cache}: {why}")
        time.sleep(0.1)


def _paired(site: Site, cache: str) -> list[Server]:
    """The servers, if possible with the replica in step: a Sentinel looks for it first thing."""
    deadline = time.monotonic() + PAIRED_WITHIN_S
    while True:
        servers = survey(site, cache)
        if replicated(servers) or time.monotonic() >= deadline:
            return servers
        time.sleep(0.05)


def _after_a_reboot(
    site: Site, cache: str, port: int, servers: Sequence[Server]
) -> Sequence[Server]:
    """The servers with one master, where no Sentinel knows one: who noted last what it is, is right."""
    if all(s.role for s in servers) and sum(s.role == "master" for s in servers) != 1:
        found = {zone: _note(zone, cache) for zone in site.zones}
        leader = last_noted({zone.private: note for zone, note in found.items()})
        for zone in site.zones:
            follow = ("NO", "ONE") if zone.private == leader else (leader, str(port))
            with suppress(OSError, Denied), _connect(site, zone, cache) as server:
                server.ask("REPLICAOF", *follow)
                server.ask("CONFIG", "REWRITE")
        return _paired(site, cache)
    return servers


def _note(zone: Zone, cache: str) -> tuple[float, str]:
    """When a server last noted whom it follows, and what."""
    path = zone.state / config.server_data(cache) / config.NOTE
    try:
        return path.stat().st_mtime, path.read_text()
    except OSError:
        return 0.0, ""


def last_noted(notes: Mapping[str, tuple[float, str]]) -> str:
    """The master's address, by what each server's address noted when about whom it follows. Pure."""
    address, (_, text) = max(notes.items(), key=lambda item: item[1][0])
    return text.split()[1] if text.startswith("replicaof ") else address


def _watch(sentinel: Redis, site: Site, cache: str, master: str, addresses: list[str]) -> None:
    known, port = sentinel.master(cache), master.rpartition(":")[2]
    if known and known not in [f"{address}:{port}" for address in addresses]:
        sentinel.ask("SENTINEL", "REMOVE", cache)
        known = ""
    options = {
        "auth-user": config.ADMIN,
        "auth-pass": site.vault.get(f"cache-admin/{cache}"),
        "down-after-milliseconds": str(config.DOWN_AFTER_MS),
        "failover-timeout": str(config.FAILOVER_TIMEOUT_MS),
        "parallel-syncs": "1",
    }
    setting = ["SENTINEL", "SET", cache, *(word for pair in options.items() for word in pair)]
    host = master.rpartition(":")[0]
    monitor = ["SENTINEL", "MONITOR", cache, host, port, str(config.QUORUM)]
    # Together: a Sentinel that asks the master before it has the password asks again 10 s later.
    sentinel.ask_at_once(*([] if known else [monitor]), setting)


def watched(site: Site, cache: str, port: int) -> bool:
    """Whether every Sentinel that answers watches this cache at its port."""
    masters = [vote.master for vote in votes(site, cache) if vote.master is not None]
    return bool(masters) and all(master.endswith(f":{port}") for master in masters)


def forget(site: Site, cache: str) -> None:
    """Have the Sentinels watch it no longer. May be called twice."""
    for zone in site.domains:
        try:
            with _sentinel(site, zone) as sentinel:
                sentinel.ask("SENTINEL", "REMOVE", cache)
        except (OSError, Denied):
            continue


def master_among(servers: Sequence[Server]) -> Server:
    """The master that the replicas follow. Pure. Raises NotReady when there is none or two."""
    masters = [s for s in servers if s.role == "master"]
    if len(masters) != 1:
        raise NotReady(
            "no cache server is the master" if not masters else "two cache servers are masters"
        )
    return masters[0]


def replicated(servers: Sequence[Server]) -> bool:
    """One master, and a replica that has what the master has, seconds at most behind. Pure."""
    masters = [s for s in servers if s.role == "master"]
    return len(masters) == 1 and masters[0].good_replicas > 0 and _links_up(servers)


def _links_up(servers: Sequence[Server]) -> bool:
    return all(s.link_up for s in servers if s.role != "master")


def trouble(servers: Sequence[Server], found: Sequence[Vote], port: int) -> str:
    """What breaks the promise of a master, a replica in step and three agreeing Sentinels. Pure."""
    masters = [s for s in servers if s.role == "master"]
    if len(masters) != 1:
        return "no master" if not masters else "two masters"
    if not replicated(servers):
        broken = [m for m in members(servers, ()) if not m.healthy]
        return f"zone {broken[0].zone}: {broken[0].detail}" if broken else "the replica lags"
    address = f"{masters[0].address}:{port}"
    if astray := [vote.zone for vote in found if vote.master != address]:
        return f"the Sentinel in zone {astray[0]} does not answer or holds another for the master"
    if strangers := [v.zone for v in found if not v.replicas or v.others < len(found) - 1]:
        return (
            f"the Sentinel in zone {strangers[0]} has not met the replica and the other Sentinels"
        )
    return ""


def members(servers: Sequence[Server], found: Sequence[Vote]) -> tuple[Member, ...]:
    """What the status shows of each server and Sentinel. Pure."""
    return (*(_member(server) for server in servers), *(_sentinel_member(vote) for vote in found))


def _member(server: Server) -> Member:
    if not server.role:
        return Member(server.zone, "unknown", healthy=False, detail=f"no answer: {server.detail}")
    if server.role == "master":
        return Member(server.zone, "master", healthy=True, lag_s=0.0)
    detail = "" if server.link_up else "the replica has lost its master"
    return Member(server.zone, "replica", server.link_up, lag_s=server.lag_s, detail=detail)


def _sentinel_member(vote: Vote) -> Member:
    return Member(vote.zone, "sentinel", healthy=bool(vote.master), detail=vote.master or "")
