"""What the MariaDB servers of an environment say about themselves, and what follows from it."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cordillera.components.state import Member
from cordillera.core.errors import NotReady, Refused
from cordillera.targets.local import _mariadb_config as config
from cordillera.targets.local import _net
from cordillera.targets.local._net import PROBE_TIMEOUT_S
from cordillera.targets.local._site import Site, Zone

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from pymysql.cursors import DictCursor

    from cordillera.targets.local._keeper.votes import Votes

WORK_TIMEOUT_S = 30.0
LATE_S = 10.0
"""A replica that is further behind has received everything, and would need that long to take over."""

Gtids = Mapping[tuple[int, int], int]
"""The last sequence number seen per replication domain and server id."""


@dataclass(frozen=True)
class Server:
    """One server as it answered. `follows` is the address it replicates from, or empty.

    `epoch` counts promotions it knows of; `lag_s` is None when it cannot tell. `copy_of` is the
    GTID at which its data was copied from the writer, until it follows it. `refuses` connections: it
    is dead or starting. `halted`: it replicates, and stopped.
    """

    zone: str
    address: str
    answers: bool = False
    writable: bool = False
    epoch: int = 0
    follows: str = ""
    receiving: bool = False
    applying: bool = False
    error: str = ""
    receive_error: int = 0
    apply_error: int = 0
    lag_s: float | None = None
    known: Gtids = field(default_factory=dict)
    semi_sync: bool = False
    semi_sync_replicas: int = 0
    copy_of: str = ""
    refuses: bool = False
    halted: bool = False

    @property
    def fresh(self) -> bool:
        """It never held anything."""
        return not (self.known or self.follows or self.copy_of)

    def in_step_with(self, writer: "Server") -> bool:
        """It receives and applies what `writer` writes."""
        return self.follows == writer.address and self.receiving and self.applying


def survey(site: Site) -> list[Server]:
    """Every data zone's server, all asked at once; a silent one says `answers=False`."""
    return _net.at_once(site.zones, lambda zone: ask(site, zone))


def ask(site: Site, zone: Zone) -> Server:
    """What the server in `zone` says. Never raises for a silent one."""
    return look(zone, site.vault.get("database/root"))


def look(zone: Zone, password: str) -> Server:
    """The same, with root's password. Never raises for a silent one."""
    import pymysql

    try:
        with root(zone, password, timeout_s=PROBE_TIMEOUT_S) as cursor:
            return _server(zone.name, zone.private, cursor, _copied_at(zone))
    except (ConnectionRefusedError, FileNotFoundError) as e:
        return Server(zone.name, zone.private, error=_sentence(e), refuses=True)
    except (pymysql.Error, OSError) as e:
        return Server(zone.name, zone.private, error=_sentence(e))


@contextmanager
def remotely(address: str, user: str, password: str) -> "Iterator[DictCursor]":
    """A session over the network, at the port that a crowd of clients cannot fill."""
    import pymysql
    from pymysql.cursors import DictCursor

    with pymysql.connect(
        host=address, port=config.CHECK_PORT, user=user, password=password,
        cursorclass=DictCursor, ssl_disabled=True, connect_timeout=PROBE_TIMEOUT_S,
        read_timeout=PROBE_TIMEOUT_S, write_timeout=PROBE_TIMEOUT_S,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        yield cursor


@contextmanager
def session(site: Site, zone: Zone, *, timeout_s: float = WORK_TIMEOUT_S) -> "Iterator[DictCursor]":
    """A session of root's through the Unix socket. Raises pymysql.Error, OSError."""
    with root(zone, site.vault.get("database/root"), timeout_s=timeout_s) as cursor:
        yield cursor


@contextmanager
def root(zone: Zone, password: str, *, timeout_s: float = WORK_TIMEOUT_S) -> "Iterator[DictCursor]":
    """The same, with root's password."""
    connection = log_in(zone, "root", password, timeout_s=timeout_s)
    with connection, connection.cursor() as cursor:
        yield cursor


def log_in(
    zone: Zone, user: str, password: str, *, schema: str | None = None, timeout_s: float
) -> "Connection[DictCursor]":
    """A connection through the Unix socket. Raises pymysql.Error, OSError."""
    import pymysql
    from pymysql.cursors import DictCursor

    connection = pymysql.connect(
        host="localhost", user=user, password=password, database=schema,
        cursorclass=DictCursor, autocommit=True, defer_connect=True, ssl_disabled=True,
        connect_timeout=timeout_s, read_timeout=timeout_s, write_timeout=timeout_s,
    )  # fmt: skip
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.settimeout(timeout_s)
        made.connect(str(zone.sockets("database") / config.SOCKET))
        connection.connect(made)
    except (OSError, pymysql.Error):
        made.close()
        raise
    return connection


def _server(zone: str, address: str, cursor: "DictCursor", copy_of: str) -> Server:
    replica = one(cursor, "SHOW SLAVE STATUS")
    here = one(cursor, "SELECT @@read_only AS r")
    status = _status(cursor)
    lag = replica.get("Seconds_Behind_Master")
    return Server(
        zone=zone,
        address=address,
        answers=True,
        writable=not here["r"],
        epoch=_epoch(cursor),
        follows=str(replica.get("Master_Host") or ""),
        receiving=replica.get("Slave_IO_Running") == "Yes",
        applying=replica.get("Slave_SQL_Running") == "Yes",
        error=str(replica.get("Last_IO_Error") or replica.get("Last_SQL_Error") or ""),
        receive_error=int(replica.get("Last_IO_Errno") or 0),
        apply_error=int(replica.get("Last_SQL_Errno") or 0),
        lag_s=None if lag is None else float(lag),
        known=known(cursor),
        semi_sync=status.get("Rpl_semi_sync_master_status") == "ON",
        semi_sync_replicas=int(status.get("Rpl_semi_sync_master_clients", 0)),
        copy_of=copy_of,
        halted="No" in (replica.get("Slave_IO_Running"), replica.get("Slave_SQL_Running")),
    )


def one(cursor: "DictCursor", statement: str) -> Mapping[str, Any]:
    """The first row of an answer, empty when there is none."""
    cursor.execute(statement)
    return cursor.fetchone() or {}


def known(cursor: "DictCursor") -> Gtids:
    """Every transaction that a server has, written by itself or by others."""
    found = one(cursor, "SELECT @@gtid_binlog_state AS b, @@gtid_slave_pos AS s")
    return merged(gtids(str(found["b"] or "")), gtids(str(found["s"] or "")))


def _status(cursor: "DictCursor") -> Mapping[str, str]:
    cursor.execute("SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_%'")
    return {row["Variable_name"]: row["Value"] for row in cursor.fetchall()}


def _epoch(cursor: "DictCursor") -> int:
    known = "SELECT 1 AS x FROM information_schema.TABLES WHERE TABLE_SCHEMA='cordillera'"
    if not one(cursor, f"{known} AND TABLE_NAME='promotion'"):
        return 0
    return int(one(cursor, "SELECT COALESCE(MAX(epoch), 0) AS e FROM cordillera.promotion")["e"])


def log_bytes(cursor: "DictCursor") -> int:
    """How long the server's log is. Not for probes: while commits wait for a replica, so does this."""
    cursor.execute("SHOW BINARY LOGS")
    return sum(int(row["File_size"]) for row in cursor.fetchall())


def copy_notes(zone: Zone) -> Iterator[Path]:
    """Where `mariadb-backup` notes the GTID of a copy, by version."""
    for name in ("mariadb_backup_binlog_info", "xtrabackup_binlog_info"):
        yield zone.state / config.DATA / "mysql" / name


def _copied_at(zone: Zone) -> str:
    notes = [note for note in copy_notes(zone) if note.exists()]
    return notes[0].read_text().split("\t")[-1].strip() if notes else ""


def gtids(text: str) -> Gtids:
    """`0-1-7,0-2-9` as a mapping."""
    found: dict[tuple[int, int], int] = {}
    for one in text.replace(" ", "").split(","):
        if one:
            domain, server, sequence = (int(n) for n in one.split("-"))
            found[domain, server] = max(sequence, found.get((domain, server), 0))
    return found


def by_domain(found: Gtids) -> dict[int, int]:
    """The last sequence number per replication domain, whoever wrote it."""
    last: dict[int, int] = {}
    for (domain, _), sequence in found.items():
        last[domain] = max(sequence, last.get(domain, 0))
    return last


def reached(wanted: Gtids, have: Gtids) -> bool:
    """Whether `have` is as far as `wanted` in every replication domain. Pure."""
    last = by_domain(have)
    return all(last.get(domain, 0) >= number for domain, number in by_domain(wanted).items())


def behind(own: Gtids, received: Gtids) -> int:
    """How many transactions of `own` are not in `received`, over all domains. Pure."""
    have = by_domain(received)
    return sum(max(0, n - have.get(domain, 0)) for domain, n in by_domain(own).items())


def merged(one: Gtids, other: Gtids) -> Gtids:
    """The greater of both, per domain and server."""
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in {*one, *other}}


def writer_among(servers: Sequence[Server]) -> Server:
    """Who takes writes, or must take them. Pure.

    An open writer stays, the latest promoted if there are two. If none is open every server must
    have answered, because a silent one may be the latest: then it is the latest promoted that
    follows nobody. Raises NotReady while somebody is silent, Refused when nothing tells them apart.
    """
    answering = [s for s in servers if s.answers]
    latest = max((s.epoch for s in answering), default=0)
    if open_ones := [s for s in answering if s.writable and s.epoch == latest]:
        if len(open_ones) > 1:
            raise _undecided(open_ones, "take writes")
        return open_ones[0]
    if silent := [s for s in servers if not s.answers]:
        raise NotReady(f"the database in zone {silent[0].zone} does not answer: {silent[0].error}")
    leaders = [s for s in answering if s.epoch == latest and not s.follows and not s.copy_of]
    if latest == 0 and all(s.fresh for s in leaders):
        leaders = leaders[:1]
    if len(leaders) != 1:
        raise _undecided(leaders, "follow nobody")
    return leaders[0]


def _undecided(servers: Sequence[Server], what: str) -> Refused:
    zones = " and ".join(s.zone for s in servers) or "no zone"
    return Refused(
        f"the databases cannot be told apart: those in {zones} {what}",
        hint="compare their rows, then stop the one that must give way and move its data folder aside",
    )


def diverged(server: Server, writer: Gtids) -> bool:
    """`server` holds transactions that the writer does not know. Pure."""
    return any(last > writer.get(key, 0) for key, last in server.known.items())


def members(servers: Sequence[Server]) -> tuple[Member, ...]:
    """What the status shows of each server. Pure."""
    return tuple(_member(server, servers) for server in servers)


def _member(server: Server, servers: Sequence[Server]) -> Member:
    if not server.answers:
        return Member(server.zone, "unknown", healthy=False, detail=f"no answer: {server.error}")
    if server.writable:
        detail = "" if server.semi_sync else "replication has degraded to asynchronous"
        return Member(server.zone, "writer", healthy=True, lag_s=0.0, detail=detail)
    if not server.follows:
        return Member(
            server.zone, "closed", healthy=False, detail="takes no writes and follows nobody"
        )
    trouble = _behindhand(server, servers)
    return Member(server.zone, "replica", not trouble, lag_s=server.lag_s, detail=trouble)


def _behindhand(replica: Server, servers: Sequence[Server]) -> str:
    """Why a replica does not follow the writer as it should; empty when it does. Pure."""
    if not any(s.writable and replica.in_step_with(s) for s in servers):
        return replica.error or "replication does not run"
    if replica.lag_s is not None and replica.lag_s > LATE_S:
        return f"the replica is {replica.lag_s:.0f} s late"
    return ""


def trouble(servers: Sequence[Server], seen: "Votes | None") -> str:
    """What breaks the promise that a zone may be lost at any moment; empty when it holds. Pure."""
    why = unreplicated(servers)
    if why:
        return why
    if seen is None:
        return "no majority votes: nobody could take over"
    if seen.record is None or not seen.opened:
        return "no keeper holds the writer's office"
    missing = {s.zone for s in servers} - seen.record.eligible
    return f"zone {min(missing)} is not confirmed to be in step yet" if missing else ""


def unreplicated(servers: Sequence[Server]) -> str:
    """What breaks the promise of a writer and a synchronous replica; empty when it holds. Pure."""
    writers = [s for s in servers if s.writable]
    if len(writers) != 1:
        return "no server takes writes" if not writers else "two servers take writes"
    for member in members(servers):
        if not member.healthy:
            return f"zone {member.zone}: {member.detail}"
    if not writers[0].semi_sync or writers[0].semi_sync_replicas < 1:
        return "degraded: writes are acknowledged before a second zone has them"
    return ""


def _sentence(error: Exception) -> str:
    return str(error.args[-1] if error.args else error)
